//! Checks that records, memberships and counters agree.
//!
//! Every record is in the groups that it names, every membership leads to a record that names the
//! group, and a group's counters say how many memberships there are. The check may run while
//! imports do: what seems to differ is read again before it is reported.

mod mend;
mod report;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, Select};

use super::{
    GroupId, Store, StoreError, StoredRecord,
    capacity::Units,
    group::said_members,
    layout::{self, GROUPS, Item, Key, KindInGroup, PK, SK},
    read::Freshness,
    retry::Backoff,
    visit::SEGMENTS,
};
use crate::identity::{OrganizationId, RecordId};
pub use report::{Difference, Report};

/// A group of an organisation.
type GroupKey = (OrganizationId, GroupId);

/// Members counted in, and counted by, each bucket.
#[derive(Default)]
struct Tally {
    members: BTreeMap<u8, i64>,
    counters: BTreeMap<u8, i64>,
}

impl Tally {
    /// Adds what was counted in another part of the table.
    fn add(&mut self, other: Self) {
        for (bucket, members) in other.members {
            *self.members.entry(bucket).or_default() += members;
        }
        // A counter is one item, so it is in one part.
        self.counters.extend(other.counters);
    }
}

type Tallies = BTreeMap<GroupKey, Tally>;

/// Reads the whole table and compares; with `repair`, mends what differs.
pub async fn verify(store: &Store, repair: bool) -> Result<Report, StoreError> {
    let segments = (0..SEGMENTS).map(|segment| verify_segment(store, segment, repair));
    let mut report = Report::default();
    let mut tallies = Tallies::new();
    for (found, counted) in futures::future::try_join_all(segments).await? {
        report.records += found.records;
        report.memberships += found.memberships;
        report.differences.extend(found.differences);
        report.repaired += found.repaired;
        report.moved.extend(found.moved);
        for (group, tally) in counted {
            tallies.entry(group).or_default().add(tally);
        }
    }
    report.groups = tallies.len() as u64;
    for ((organization, group), tally) in tallies {
        store
            .check_counters(organization, &group, &tally, repair, &mut report)
            .await?;
    }
    Ok(report)
}

/// Reads one part of the table: compares records with memberships, and counts.
async fn verify_segment(
    store: &Store,
    segment: i32,
    repair: bool,
) -> Result<(Report, Tallies), StoreError> {
    let mut report = Report::default();
    let mut tallies = Tallies::new();
    let mut pages = store
        .client
        .scan()
        .table_name(&store.table)
        .segment(segment)
        .total_segments(SEGMENTS)
        .consistent_read(true)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(StoreError::call("Scan"))?;
        store.capacity.add(Units::Read, &page.consumed_capacity);
        let mut expected = Vec::new();
        let mut members = Vec::new();
        for item in page.items() {
            let key = Key::of(item)?;
            if let Some(id) = layout::record_id(&key) {
                report.records += 1;
                expected.extend(memberships_named(&id, item)?);
                continue;
            }
            let Some((organization, group, kind)) = layout::group_of(&key.pk) else {
                continue;
            };
            let tally = tallies.entry((organization, group.clone())).or_default();
            match kind {
                KindInGroup::Counter => {
                    let (bucket, members) = said_members(item)?;
                    tally.counters.insert(bucket, members);
                }
                KindInGroup::Membership => {
                    report.memberships += 1;
                    let id = layout::member(item)?;
                    *tally.members.entry(id.hash().bucket()).or_default() += 1;
                    members.push((organization, group, id));
                }
            }
        }
        store
            .check_memberships(expected, repair, &mut report)
            .await?;
        store.check_members(members, repair, &mut report).await?;
    }
    Ok((report, tallies))
}

fn memberships_named(id: &RecordId, item: &Item) -> Result<Vec<(GroupId, RecordId)>, StoreError> {
    let record = StoredRecord::read(item)?;
    let corrupt = |_| StoreError::corrupt("record", GROUPS);
    let named = |group: &String| Ok((group.parse().map_err(corrupt)?, id.clone()));
    record.groups.iter().map(named).collect()
}

impl Store {
    /// Checks that records are members of the groups that they name.
    async fn check_memberships(
        &self,
        expected: Vec<(GroupId, RecordId)>,
        repair: bool,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let key = |(group, id): &(GroupId, RecordId)| {
            layout::membership(id.customer().organization(), group, id)
        };
        let keys: Vec<Key> = expected.iter().map(key).collect();
        let found = self.get_many(&keys, Freshness::Strong, Ok).await?;
        for ((group, id), key) in expected.iter().zip(&keys) {
            // A record that was deleted since it was scanned is no member rightly.
            if found.contains_key(key) || !self.names_group(id, group).await? {
                continue;
            }
            report.differences.push(Difference::MissingMembership {
                group: group.to_string(),
                record: id.hash(),
            });
            if repair && self.add_membership(group, id).await? {
                report.repaired += 1;
                report.moved(id.customer().organization(), group, id);
            }
        }
        Ok(())
    }

    /// Checks that memberships lead to records that name the group.
    async fn check_members(
        &self,
        members: Vec<(OrganizationId, GroupId, RecordId)>,
        repair: bool,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let keys: Vec<Key> = members
            .iter()
            .map(|(_, _, id)| layout::record(id))
            .collect();
        let found = self
            .get_many(&keys, Freshness::Strong, |item| {
                // The rest of a record would fill the memory, thousands at a time.
                Ok(StoredRecord::read(&item)?.groups)
            })
            .await?;
        for ((organization, group, id), key) in members.iter().zip(&keys) {
            let named = match found.get(key) {
                Some(groups) => groups.contains(group.as_str()),
                None => false,
            };
            if named {
                continue;
            }
            let membership = layout::membership(*organization, group, id);
            let removed_since = self.get(&membership).await?.is_none();
            if removed_since || self.names_group(id, group).await? {
                continue;
            }
            report.differences.push(Difference::OrphanMembership {
                group: group.to_string(),
                record: id.hash(),
            });
            if repair && self.remove_membership(*organization, group, id).await? {
                report.repaired += 1;
                report.moved(*organization, group, id);
            }
        }
        Ok(())
    }

    async fn names_group(&self, id: &RecordId, group: &GroupId) -> Result<bool, StoreError> {
        let record = self.record(id).await?;
        Ok(record.is_some_and(|record| record.groups.contains(group.as_str())))
    }

    async fn check_counters(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        tally: &Tally,
        repair: bool,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        for bucket in 0..=255 {
            let agree = tally.members.get(&bucket).unwrap_or(&0)
                == tally.counters.get(&bucket).unwrap_or(&0);
            if agree && !report.has_moved(organization, group, bucket) {
                continue;
            }
            let Some((counter, members)) = self.recount(organization, group, bucket).await? else {
                continue;
            };
            report.differences.push(Difference::Count {
                group: group.to_string(),
                bucket,
                counter,
                members,
            });
            if repair {
                let key = layout::counter(organization, group, bucket);
                report.repaired += u64::from(self.correct(&key, counter, members).await?);
            }
        }
        Ok(())
    }

    /// Counts a bucket again: the counter and the members, if they differ while neither moves.
    async fn recount(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        bucket: u8,
    ) -> Result<Option<(i64, i64)>, StoreError> {
        let mut backoff = Backoff::new("counting a busy group");
        loop {
            let before = self.bucket_count(organization, group, bucket).await?;
            let members = self.count_members(organization, group, bucket).await?;
            if before == members {
                return Ok(None);
            }
            if self.bucket_count(organization, group, bucket).await? == before {
                return Ok(Some((before, members)));
            }
            backoff.wait().await?;
        }
    }

    async fn bucket_count(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        bucket: u8,
    ) -> Result<i64, StoreError> {
        let item = self
            .get(&layout::counter(organization, group, bucket))
            .await?;
        item.map_or(Ok(0), |item| Ok(said_members(&item)?.1))
    }

    async fn count_members(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        bucket: u8,
    ) -> Result<i64, StoreError> {
        let pk = layout::members(organization, group, bucket >> 4);
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .select(Select::Count)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :bucket)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":bucket", AttributeValue::S(layout::bucket_start(bucket)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        let mut members = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(StoreError::call("Query"))?;
            self.capacity.add(Units::Read, &page.consumed_capacity);
            members += i64::from(page.count);
        }
        Ok(members)
    }
}
