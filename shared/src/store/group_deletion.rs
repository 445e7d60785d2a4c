//! Deleting a group: its memberships and counters, not its customers.
//!
//! From the moment it is marked, the group is unknown to everybody. Its counters are closed, so
//! that an import under way that still knows it fails on them and goes on without it. Then the
//! memberships go, each in a transaction with its record and its counter. The mark and the closed
//! counters stay until no import from before can be alive; only then may the id be used again.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Delete, ReturnConsumedCapacity, TransactWriteItem, Update},
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    GroupId, Store, StoreError,
    capacity::Units,
    item::number,
    jobs::LEASE,
    layout::{
        self, CLOSED, DATASET, DELETED_AT, DELETION_DONE_AT, EXPIRES_AT, GROUPS, Item, JOB_ID, Key,
        MEMBERS, PK,
    },
    retry::Backoff,
};
use crate::identity::{OrganizationId, RecordId, UidHash};

/// How long after its deletion a group's id may not be used again: longer than any invocation
/// that knew the group can live.
pub const GROUP_ID_REST: SignedDuration = SignedDuration::from_mins(LEASE.as_mins() + 5);

/// Members that one transaction removes: each is a membership and its record, and the members of
/// one sixteenth share at most 16 counters.
const MEMBERS_A_TRANSACTION: usize = 40;
/// Transactions under way at once.
const IN_FLIGHT: usize = 8;
const SHARDS: u8 = 16;

/// A group that is being deleted, or was a short while ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedGroup {
    /// The dataset that its members are of.
    pub dataset: String,
    /// The job that removes its memberships.
    pub job: Uuid,
    /// When it was deleted.
    pub at: Timestamp,
    /// When its last membership was removed.
    pub done_at: Option<Timestamp>,
}

impl DeletedGroup {
    pub(super) fn read(item: &Item) -> Option<Self> {
        let time = |name: &str| {
            let milliseconds = item.get(name)?.as_n().ok()?.parse().ok()?;
            Timestamp::from_millisecond(milliseconds).ok()
        };
        Some(Self {
            dataset: item.get(DATASET)?.as_s().ok()?.clone(),
            job: item.get(JOB_ID)?.as_s().ok()?.parse().ok()?,
            at: time(DELETED_AT)?,
            done_at: time(DELETION_DONE_AT),
        })
    }

    /// Whether the group's id may be used again.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.done_at
            .is_some_and(|done_at| done_at + GROUP_ID_REST < now)
    }
}

impl Store {
    /// The mark on a group that was deleted.
    pub async fn deleted_group(
        &self,
        organization: OrganizationId,
        id: &GroupId,
    ) -> Result<Option<DeletedGroup>, StoreError> {
        let item = self.get(&layout::group(organization, id)).await?;
        Ok(item.as_ref().and_then(DeletedGroup::read))
    }

    /// Marks a group as deleted by a job. Returns false if there is no such group, or another job
    /// deletes it.
    pub async fn mark_group_deleted(
        &self,
        organization: OrganizationId,
        id: &GroupId,
        deleted: &DeletedGroup,
    ) -> Result<bool, StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(layout::group(organization, id).to_item()))
            .update_expression("SET #deleted = :at, #job = :job")
            .condition_expression(
                "attribute_exists(#pk) AND (attribute_not_exists(#deleted) OR #job = :job)",
            )
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#deleted", DELETED_AT)
            .expression_attribute_names("#job", JOB_ID)
            .expression_attribute_values(":at", number(deleted.at.as_millisecond()))
            .expression_attribute_values(":job", AttributeValue::S(deleted.job.to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }

    /// Closes a group's counters: whoever still adds members fails on them.
    pub async fn close_counters(
        &self,
        organization: OrganizationId,
        id: &GroupId,
    ) -> Result<(), StoreError> {
        let close = |bucket| {
            Update::builder()
                .table_name(&self.table)
                .set_key(Some(layout::counter(organization, id, bucket).to_item()))
                .update_expression("SET #closed = :true")
                .expression_attribute_names("#closed", CLOSED)
                .expression_attribute_values(":true", AttributeValue::Bool(true))
                .build()
                .map(|update| TransactWriteItem::builder().update(update).build())
        };
        self.on_every_counter(close).await
    }

    /// Notes that the last membership of a deleted group is gone, and lets its counters expire.
    /// The group's mark stays, so that nobody takes the id up while a counter is still closed.
    pub async fn finish_group_deletion(
        &self,
        organization: OrganizationId,
        id: &GroupId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let at = number((now + GROUP_ID_REST).as_second());
        let expire = |bucket| {
            Update::builder()
                .table_name(&self.table)
                .set_key(Some(layout::counter(organization, id, bucket).to_item()))
                .update_expression("SET #expires_at = :at")
                // One that has expired already is not made again.
                .condition_expression("attribute_exists(#pk)")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#expires_at", EXPIRES_AT)
                .expression_attribute_values(":at", at.clone())
                .build()
                .map(|update| TransactWriteItem::builder().update(update).build())
        };
        self.on_every_counter(expire).await?;
        let output = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(layout::group(organization, id).to_item()))
            .update_expression("SET #done = :now")
            .expression_attribute_names("#done", DELETION_DONE_AT)
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::call("UpdateItem"))?;
        self.capacity.add(Units::Write, &output.consumed_capacity);
        Ok(())
    }

    /// Deletes what is left of a deleted group, for its id to be used again.
    pub(super) async fn forget_deleted_group(
        &self,
        organization: OrganizationId,
        id: &GroupId,
        deleted: &DeletedGroup,
    ) -> Result<(), StoreError> {
        let delete = |bucket| {
            Delete::builder()
                .table_name(&self.table)
                .set_key(Some(layout::counter(organization, id, bucket).to_item()))
                .build()
                .map(|delete| TransactWriteItem::builder().delete(delete).build())
        };
        self.on_every_counter(delete).await?;
        let result = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(layout::group(organization, id).to_item()))
            .condition_expression("#job = :job")
            .expression_attribute_names("#job", JOB_ID)
            .expression_attribute_values(":job", AttributeValue::S(deleted.job.to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(())
            }
            Err(error) => match error.as_service_error() {
                // Somebody else was faster.
                Some(service) if service.is_conditional_check_failed_exception() => Ok(()),
                _ => Err(StoreError::call("DeleteItem")(error)),
            },
        }
    }

    async fn on_every_counter<E>(
        &self,
        action: impl Fn(u8) -> Result<TransactWriteItem, E>,
    ) -> Result<(), StoreError> {
        let actions: Result<Vec<_>, _> = (0..=u8::MAX).map(action).collect();
        let actions = actions.map_err(|_| StoreError::corrupt("request", "counter"))?;
        for chunk in actions.chunks(100) {
            let mut backoff = Backoff::new("writing counters");
            loop {
                let result = self
                    .client
                    .transact_write_items()
                    .set_transact_items(Some(chunk.to_vec()))
                    .return_consumed_capacity(ReturnConsumedCapacity::Total)
                    .send()
                    .await;
                let error = match result {
                    Ok(output) => {
                        self.capacity.add(Units::Write, output.consumed_capacity());
                        break;
                    }
                    Err(error) => error,
                };
                let Some(
                    TransactWriteItemsError::TransactionCanceledException(_)
                    | TransactWriteItemsError::TransactionInProgressException(_),
                ) = error.as_service_error()
                else {
                    return Err(StoreError::call("TransactWriteItems")(error));
                };
                backoff.wait().await?;
            }
        }
        Ok(())
    }

    /// Removes the next of a group's members, some hundreds. Returns how many; none when the group
    /// is empty.
    pub async fn remove_next_members(
        &self,
        organization: OrganizationId,
        id: &GroupId,
    ) -> Result<u64, StoreError> {
        for shard in 0..SHARDS {
            let members = self.first_members(organization, id, shard).await?;
            if members.is_empty() {
                continue;
            }
            let removals = members.chunks(MEMBERS_A_TRANSACTION).map(<[_]>::to_vec);
            let removed: Vec<u64> = stream::iter(removals.collect::<Vec<_>>())
                .map(|members| self.remove_members(organization, id, members))
                .buffer_unordered(IN_FLIGHT)
                .try_collect()
                .await?;
            return Ok(removed.iter().sum());
        }
        Ok(0)
    }

    async fn first_members(
        &self,
        organization: OrganizationId,
        id: &GroupId,
        shard: u8,
    ) -> Result<Vec<RecordId>, StoreError> {
        let pk = layout::members(organization, id, shard);
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .limit(1_000)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::call("Query"))?;
        self.capacity.add(Units::Read, &output.consumed_capacity);
        output.items().iter().map(layout::member).collect()
    }

    /// Removes members in one transaction. Those that somebody else removed are left out.
    async fn remove_members(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        mut members: Vec<RecordId>,
    ) -> Result<u64, StoreError> {
        // Memberships without a record.
        let mut orphans: BTreeSet<usize> = BTreeSet::new();
        let mut backoff = Backoff::new("removing members");
        loop {
            if members.is_empty() {
                return Ok(0);
            }
            let (actions, owners) = self.removal(organization, group, &members, &orphans)?;
            let result = self
                .client
                .transact_write_items()
                .set_transact_items(Some(actions))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            let error = match result {
                Ok(output) => {
                    self.capacity.add(Units::Write, output.consumed_capacity());
                    return Ok(members.len() as u64);
                }
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                    let mut gone = BTreeSet::new();
                    for (reason, owner) in canceled.cancellation_reasons().iter().zip(&owners) {
                        match (reason.code(), owner) {
                            (Some("ConditionalCheckFailed"), Owner::Membership(at)) => {
                                gone.insert(*at);
                            }
                            (Some("ConditionalCheckFailed"), Owner::Record(at)) => {
                                orphans.insert(*at);
                            }
                            _ => {}
                        }
                    }
                    if !gone.is_empty() {
                        let kept = members.into_iter().enumerate();
                        members = kept
                            .filter(|(at, _)| !gone.contains(at))
                            .map(|(_, member)| member)
                            .collect();
                        // Positions have moved; orphans are found again.
                        orphans.clear();
                    }
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {}
                _ => return Err(StoreError::call("TransactWriteItems")(error)),
            }
            backoff.wait().await?;
        }
    }

    fn removal(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        members: &[RecordId],
        orphans: &BTreeSet<usize>,
    ) -> Result<(Vec<TransactWriteItem>, Vec<Owner>), StoreError> {
        let mut actions = Vec::new();
        let mut owners = Vec::new();
        let mut counters: BTreeMap<u8, u64> = BTreeMap::new();
        for (at, id) in members.iter().enumerate() {
            actions.push(self.delete_existing(&layout::membership(organization, group, id))?);
            owners.push(Owner::Membership(at));
            if !orphans.contains(&at) {
                actions.push(self.leave_group(&layout::record(id), group)?);
                owners.push(Owner::Record(at));
            }
            let hash = UidHash::of(&id.to_string());
            *counters.entry(hash.bucket()).or_default() += 1;
        }
        for (bucket, left) in counters {
            let update = Update::builder()
                .table_name(&self.table)
                .set_key(Some(layout::counter(organization, group, bucket).to_item()))
                .update_expression("SET #members = #members - :left")
                .expression_attribute_names("#members", MEMBERS)
                .expression_attribute_values(":left", number(left))
                .build()
                .map_err(|_| StoreError::corrupt("request", "update"))?;
            actions.push(TransactWriteItem::builder().update(update).build());
        }
        Ok((actions, owners))
    }

    fn delete_existing(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .build()
            .map_err(|_| StoreError::corrupt("request", "delete"))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// A record's part: it no longer names the group.
    fn leave_group(&self, key: &Key, group: &GroupId) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("DELETE #groups :group")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#groups", GROUPS)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":group", AttributeValue::Ss(vec![group.to_string()]))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// What an action of a removal is about: the member at a position.
#[derive(Debug, Clone, Copy)]
enum Owner {
    Membership(usize),
    Record(usize),
}
