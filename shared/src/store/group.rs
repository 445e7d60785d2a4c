//! Groups: sets of records of one dataset, read page by page.

use std::{fmt, str::FromStr};

use serde::Serialize;
use thiserror::Error;

use super::{
    Store, StoreError,
    capacity::Units,
    layout::{self, DATASET, NAME},
};
use crate::{
    dataset::Dataset,
    identity::{DataOrigin, OrganizationId},
};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

/// The longest group id, in characters.
const MAX_GROUP_ID: usize = 64;

/// A group's id, unique in its organisation: `[a-z0-9_.-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct GroupId(String);

/// A text that cannot be a group's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a group id is 1 to {MAX_GROUP_ID} characters of a-z, 0-9, _, . and -")]
pub struct GroupIdError;

impl GroupId {
    /// The group that every record of a dataset and source is in, such as `customers.generic`.
    pub fn of_source(dataset: &Dataset, origin: &DataOrigin) -> Self {
        Self(format!("{}.{origin}", dataset.name()))
    }

    /// The group that the records of a dataset's name and a source are in.
    pub(crate) fn of_source_named(dataset: &str, origin: &DataOrigin) -> Result<Self, StoreError> {
        let id = format!("{dataset}.{origin}").parse();
        id.map_err(|_| StoreError::corrupt("record", DATASET))
    }

    /// The source whose records the group is of, if it is a source's own.
    pub fn source(&self) -> Option<DataOrigin> {
        let (_, origin) = self.0.split_once('.').filter(|_| self.is_of_source())?;
        origin.parse().ok()
    }

    /// Whether it is the group of all of some source's records.
    pub fn is_of_source(&self) -> bool {
        let Some((dataset, origin)) = self.0.split_once('.') else {
            return false;
        };
        Dataset::builtin(dataset).is_some() && origin.parse::<DataOrigin>().is_ok()
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupId {
    type Err = GroupIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let in_alphabet =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-');
        if text.is_empty() || text.len() > MAX_GROUP_ID || !text.bytes().all(in_alphabet) {
            return Err(GroupIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A group, without its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name for people.
    pub name: String,
    /// The dataset that its members are of.
    pub dataset: String,
}

impl Store {
    /// A group by its id.
    pub async fn group(
        &self,
        organization: OrganizationId,
        id: &GroupId,
    ) -> Result<Option<Group>, StoreError> {
        let item = self.get(&layout::group(organization, id)).await?;
        let text = |item: &layout::Item, name: &'static str| {
            item.get(name)
                .and_then(|value| value.as_s().ok().cloned())
                .ok_or(StoreError::corrupt("group", name))
        };
        item.map(|item| {
            Ok(Group {
                id: id.clone(),
                name: text(&item, NAME)?,
                dataset: text(&item, DATASET)?,
            })
        })
        .transpose()
    }

    /// The group with this id: the existing one, or a new one for a dataset.
    pub async fn ensure_group(
        &self,
        organization: OrganizationId,
        id: &GroupId,
        dataset: &Dataset,
    ) -> Result<Group, StoreError> {
        if let Some(group) = self.group(organization, id).await? {
            return Ok(group);
        }
        let group = Group {
            id: id.clone(),
            name: id.to_string(),
            dataset: dataset.name().to_owned(),
        };
        let mut item = layout::group(organization, id).to_item();
        item.insert(NAME.to_owned(), AttributeValue::S(group.name.clone()));
        item.insert(DATASET.to_owned(), AttributeValue::S(group.dataset.clone()));
        match self.create(item).await? {
            true => Ok(group),
            // Another import made it in between.
            false => self
                .group(organization, id)
                .await?
                .ok_or(StoreError::Contention("making a group")),
        }
    }

    /// How many members each of a group's 256 buckets has.
    pub(super) async fn bucket_counts(
        &self,
        organization: OrganizationId,
        group: &GroupId,
    ) -> Result<Box<[u64; 256]>, StoreError> {
        let counters = self.counters(organization, group).await?;
        Ok(Box::new(counters.map(|counter| counter.members)))
    }

    /// A group's 256 counters: one strongly consistent query of at most 256 thin items, whatever
    /// the group's size.
    pub(super) async fn counters(
        &self,
        organization: OrganizationId,
        group: &GroupId,
    ) -> Result<Box<[Counter; 256]>, StoreError> {
        let mut counters = Box::new([Counter::default(); 256]);
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", layout::PK)
            .expression_attribute_values(
                ":pk",
                AttributeValue::S(layout::counters(organization, group)),
            )
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(StoreError::call("Query"))?;
            self.capacity.add(Units::Read, &page.consumed_capacity);
            for item in page.items() {
                let (bucket, read) = read_counter(item)?;
                if let Some(counter) = counters.get_mut(usize::from(bucket)) {
                    *counter = read;
                }
            }
        }
        Ok(counters)
    }

    /// How many members a group has.
    pub async fn member_count(
        &self,
        organization: OrganizationId,
        group: &GroupId,
    ) -> Result<u64, StoreError> {
        Ok(self.bucket_counts(organization, group).await?.iter().sum())
    }
}

/// What a counter of a group says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counter {
    /// How many members its bucket has.
    pub(super) members: u64,
    /// How often a record of its bucket was erased; 0 but for the groups of sources.
    pub(super) erasures: u64,
}

/// A counter and its bucket. What it does not say is 0.
pub(super) fn read_counter(item: &layout::Item) -> Result<(u8, Counter), StoreError> {
    let bucket = item
        .get(layout::SK)
        .and_then(|value| layout::bucket_of(value.as_s().ok()?))
        .ok_or(StoreError::corrupt("counter", layout::SK))?;
    let number = |name: &'static str| match item.get(name) {
        Some(value) => value
            .as_n()
            .ok()
            .and_then(|number| number.parse().ok())
            .ok_or(StoreError::corrupt("counter", name)),
        None => Ok(0),
    };
    let counter = Counter {
        members: number(layout::MEMBERS)?,
        erasures: number(layout::ERASURES)?,
    };
    Ok((bucket, counter))
}
