//! Checks that records, memberships and counters agree.
//!
//! Every record is in the groups that it names, every membership leads to a record that names the
//! group, and a group's counters say how many memberships there are. The check may run while
//! imports do: what seems to differ is read again before it is reported.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, ReturnConsumedCapacity, Select, TransactWriteItem,
    Update,
};

use super::{
    GroupId, Store, StoreError, StoredRecord,
    capacity::Units,
    group::read_counter,
    item::number,
    layout::{self, GROUPS, Item, Key, KindInGroup, MEMBERS, PK, SK},
    read::Freshness,
    retry::Backoff,
};
use crate::identity::{OrganizationId, RecordId, UidHash};

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// Memberships read.
    pub memberships: u64,
    /// Groups with members or counters.
    pub groups: u64,
    /// What does not agree.
    pub differences: Vec<Difference>,
    /// Differences that were mended.
    pub repaired: u64,
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A record names a group without being a member.
    MissingMembership {
        /// The group.
        group: String,
        /// The record, by its uid's hash.
        record: UidHash,
    },
    /// A membership leads to no record, or to one that does not name the group.
    OrphanMembership {
        /// The group.
        group: String,
        /// The record, by its uid's hash.
        record: UidHash,
    },
    /// A counter is wrong.
    Count {
        /// The group.
        group: String,
        /// Which of the 256 counters.
        bucket: u8,
        /// What it says.
        counter: u64,
        /// What there is.
        members: u64,
    },
}

impl Report {
    /// Whether everything agrees, or was made to.
    pub fn is_clean(&self) -> bool {
        self.differences.len() as u64 == self.repaired
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            records,
            memberships,
            groups,
            differences,
            repaired,
        } = self;
        writeln!(
            f,
            "{records} records, {memberships} memberships in {groups} groups"
        )?;
        for difference in differences {
            writeln!(f, "{difference}")?;
        }
        match differences.len() {
            0 => write!(f, "everything agrees"),
            found => write!(f, "{found} differences, {repaired} repaired"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingMembership { group, record } => {
                write!(
                    f,
                    "group {group}: record {record} names it but is no member"
                )
            }
            Self::OrphanMembership { group, record } => {
                write!(
                    f,
                    "group {group}: member {record} has no record that names it"
                )
            }
            Self::Count {
                group,
                bucket,
                counter,
                members,
            } => write!(
                f,
                "group {group}: counter {bucket:02x} says {counter}, there are {members} members"
            ),
        }
    }
}

/// A group of an organisation.
type GroupKey = (OrganizationId, GroupId);

/// Members counted in, and counted by, each bucket.
#[derive(Default)]
struct Tally {
    members: BTreeMap<u8, u64>,
    counters: BTreeMap<u8, u64>,
}

/// Reads the whole table and compares; with `repair`, mends what differs.
pub async fn verify(store: &Store, repair: bool) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let mut tallies: BTreeMap<GroupKey, Tally> = BTreeMap::new();
    let mut pages = store
        .client
        .scan()
        .table_name(&store.table)
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
                    let (bucket, count) = read_counter(item)?;
                    tally.counters.insert(bucket, count.members);
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
    report.groups = tallies.len() as u64;
    for ((organization, group), tally) in tallies {
        store
            .check_counters(organization, &group, &tally, repair, &mut report)
            .await?;
    }
    Ok(report)
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
            if repair {
                report.repaired += u64::from(self.add_membership(group, id).await?);
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
            .get_many(&keys, Freshness::Strong, |item| StoredRecord::read(&item))
            .await?;
        for ((organization, group, id), key) in members.iter().zip(&keys) {
            let named = match found.get(key) {
                Some(record) => record.groups.contains(group.as_str()),
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
            if repair {
                let removed = self.remove_membership(*organization, group, id).await?;
                report.repaired += u64::from(removed);
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
            if tally.members.get(&bucket).unwrap_or(&0) == tally.counters.get(&bucket).unwrap_or(&0)
            {
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
    ) -> Result<Option<(u64, u64)>, StoreError> {
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
    ) -> Result<u64, StoreError> {
        let item = self
            .get(&layout::counter(organization, group, bucket))
            .await?;
        item.map_or(Ok(0), |item| Ok(read_counter(&item)?.1.members))
    }

    async fn count_members(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        bucket: u8,
    ) -> Result<u64, StoreError> {
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
            members += u64::try_from(page.count).unwrap_or(0);
        }
        Ok(members)
    }

    async fn add_membership(&self, group: &GroupId, id: &RecordId) -> Result<bool, StoreError> {
        let organization = id.customer().organization();
        let item = layout::membership_item(organization, group, id);
        let exists = "contains(#groups, :group)";
        let actions = vec![
            self.check_record(id, group, exists)?,
            self.put_new(item)?,
            self.move_counter(
                &layout::counter(organization, group, id.hash().bucket()),
                "1",
            )?,
        ];
        self.mend(actions).await
    }

    async fn remove_membership(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        id: &RecordId,
    ) -> Result<bool, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(layout::membership(organization, group, id).to_item()))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .build()
            .map_err(|_| StoreError::corrupt("request", "delete"))?;
        let actions = vec![
            self.check_record(id, group, "NOT contains(#groups, :group)")?,
            TransactWriteItem::builder().delete(delete).build(),
            self.move_counter(
                &layout::counter(organization, group, id.hash().bucket()),
                "-1",
            )?,
        ];
        self.mend(actions).await
    }

    fn check_record(
        &self,
        id: &RecordId,
        group: &GroupId,
        condition: &str,
    ) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(layout::record(id).to_item()))
            .condition_expression(condition)
            .expression_attribute_names("#groups", GROUPS)
            .expression_attribute_values(":group", AttributeValue::S(group.to_string()))
            .build()
            .map_err(|_| StoreError::corrupt("request", "condition"))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    pub(super) fn move_counter(
        &self,
        key: &Key,
        by: &str,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("ADD #members :by")
            .expression_attribute_names("#members", MEMBERS)
            .expression_attribute_values(":by", number(by))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Sets a counter to what there is, if it still says what it said.
    async fn correct(&self, key: &Key, counter: u64, members: u64) -> Result<bool, StoreError> {
        let values = HashMap::from([
            (":members".to_owned(), number(members)),
            (":counter".to_owned(), number(counter)),
        ]);
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("SET #members = :members")
            .condition_expression(
                "#members = :counter OR (attribute_not_exists(#members) AND :counter = :zero)",
            )
            .expression_attribute_names("#members", MEMBERS)
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":zero", number(0))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        self.mend(vec![TransactWriteItem::builder().update(update).build()])
            .await
    }

    /// Writes a repair, unless what it mends has changed meanwhile.
    async fn mend(&self, actions: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        let result = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, output.consumed_capacity());
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_transaction_canceled_exception() => Ok(false),
                _ => Err(StoreError::call("TransactWriteItems")(error)),
            },
        }
    }
}
