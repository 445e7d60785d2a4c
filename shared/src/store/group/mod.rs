//! Groups: sets of records of one dataset, read page by page.
//!
//! A source's own group has all its records and lasts as long as they do. Any other group can be
//! deleted: it is unknown from then on, a job removes its memberships, and its counters stay
//! closed, so that an import that began before adds no member to it.

mod deletion;
mod id;
mod listing;
mod making;

pub use id::{GroupId, GroupIdError};
pub use making::Made;

use std::str::FromStr;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use uuid::Uuid;

use super::{
    Store, StoreError,
    capacity::Units,
    layout::{self, DATASET, DELETED_BY, Item, NAME, NUMBER, SK},
};
use crate::identity::OrganizationId;

/// A group, without its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name for people.
    pub name: String,
    /// The dataset that its members are of.
    pub dataset: String,
    /// The later a group was made in its organisation, the higher; 0 for a source's own. A group
    /// that is made again under a deleted one's id is another group.
    pub number: u64,
}

/// What stands under a group's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundGroup {
    /// A group.
    Kept(Group),
    /// A group that was deleted, whose memberships a job still removes.
    Deleted {
        /// The group.
        group: Group,
        /// The job.
        job: Uuid,
    },
}

impl FoundGroup {
    /// The group, unless it was deleted.
    pub fn kept(self) -> Option<Group> {
        match self {
            Self::Kept(group) => Some(group),
            Self::Deleted { .. } => None,
        }
    }
}

impl Store {
    /// A group by its id. One that was deleted is none, even while its memberships are removed.
    pub async fn group(
        &self,
        organization: OrganizationId,
        id: &GroupId,
    ) -> Result<Option<Group>, StoreError> {
        let found = self.find_group(organization, id).await?;
        Ok(found.and_then(FoundGroup::kept))
    }

    /// What stands under a group's id.
    pub async fn find_group(
        &self,
        organization: OrganizationId,
        id: &GroupId,
    ) -> Result<Option<FoundGroup>, StoreError> {
        let item = self.get(&layout::group(organization, id)).await?;
        item.map(|item| read_group(&item)).transpose()
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

fn read_group(item: &Item) -> Result<FoundGroup, StoreError> {
    let corrupt = |name| StoreError::corrupt("group", name);
    let text = |name: &'static str| {
        let value = item.get(name).and_then(|value| value.as_s().ok());
        value.ok_or(corrupt(name))
    };
    let number = match item.get(NUMBER) {
        Some(value) => value.as_n().ok().and_then(|number| number.parse().ok()),
        None => Some(0),
    };
    let group = Group {
        id: layout::group_id(text(SK)?).ok_or(corrupt(SK))?,
        name: text(NAME)?.clone(),
        dataset: text(DATASET)?.clone(),
        number: number.ok_or(corrupt(NUMBER))?,
    };
    if !item.contains_key(DELETED_BY) {
        return Ok(FoundGroup::Kept(group));
    }
    let job = text(DELETED_BY)?.parse().map_err(|_| corrupt(DELETED_BY))?;
    Ok(FoundGroup::Deleted { group, job })
}

/// What a counter of a group says.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counter {
    /// How many members its bucket has.
    pub(super) members: u64,
    /// How often a customer whose record its bucket would count was erased; 0 but for the groups
    /// of sources. In a group of meters it only moves when one was.
    pub(super) erasures: u64,
}

/// A counter and its bucket. What it does not say is 0.
pub(super) fn read_counter(item: &Item) -> Result<(u8, Counter), StoreError> {
    let counter = Counter {
        members: number_in(item, layout::MEMBERS)?,
        erasures: number_in(item, layout::ERASURES)?,
    };
    Ok((bucket_in(item)?, counter))
}

/// What a counter and its bucket say, also below 0, where nothing but damage can bring it.
pub(super) fn said_members(item: &Item) -> Result<(u8, i64), StoreError> {
    Ok((bucket_in(item)?, number_in(item, layout::MEMBERS)?))
}

fn bucket_in(item: &Item) -> Result<u8, StoreError> {
    let key = item.get(SK).and_then(|value| value.as_s().ok());
    key.and_then(|key| layout::bucket_of(key))
        .ok_or(StoreError::corrupt("counter", SK))
}

fn number_in<T: Default + FromStr>(item: &Item, name: &'static str) -> Result<T, StoreError> {
    let Some(value) = item.get(name) else {
        return Ok(T::default());
    };
    let number = value.as_n().ok().and_then(|number| number.parse().ok());
    number.ok_or(StoreError::corrupt("counter", name))
}
