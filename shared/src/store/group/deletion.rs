//! Deleting a group: the group and its memberships, not its members.
//!
//! First the group is marked, and unknown from then on. Then its counters are closed: every
//! transaction that adds a member passes one, so that none that began before adds any. Then its
//! memberships are removed, each in one transaction with its counter and the record's word of
//! it, and at last the group's own item. Each step may be done again, and goes on where it
//! stopped: what is left to do is what is left in the table.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, TransactWriteItem, Update};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Group, GroupId};
use crate::{
    identity::{OrganizationId, RecordId},
    store::{
        Store, StoreError,
        capacity::Units,
        item::number,
        layout::{self, CLOSED, DELETED_BY, EXPIRES_AT, GROUPS, Key, MEMBERS, NUMBER, PK},
        pages::{SHARDS, Stretch},
        read::Freshness,
        retry::Backoff,
    },
};

/// Counters written at once.
const COUNTERS_IN_FLIGHT: usize = 32;
/// Members of one transaction: each takes its membership and its record, and up to as many
/// counters as members are touched, of the 100 actions that DynamoDB allows.
const MEMBERS_AT_ONCE: usize = 33;
/// Members that one call removes from each of a group's partitions.
const MEMBERS_OF_SHARD: u64 = 20 * MEMBERS_AT_ONCE as u64;
/// How long closed counters stay after the deletion: longer than any import runs that may
/// still try to add to them.
const CLOSED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// A member to remove.
struct Leaving {
    id: RecordId,
    /// Whether it leads to a record that has to forget the group.
    has_record: bool,
}

impl Store {
    /// Marks a group as deleted, from which moment it is unknown. Returns whether this job is
    /// the one that deletes it.
    pub async fn mark_group_deleted(
        &self,
        organization: OrganizationId,
        group: &Group,
        job: Uuid,
    ) -> Result<bool, StoreError> {
        let number_is = match group.number {
            0 => "attribute_not_exists(#number)",
            _ => "#number = :number",
        };
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(layout::group(organization, &group.id).to_item()))
            .update_expression("SET #deleted = :job")
            .condition_expression(format!(
                "attribute_exists(#pk) AND {number_is} AND (attribute_not_exists(#deleted) OR #deleted = :job)"
            ))
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#number", NUMBER)
            .expression_attribute_names("#deleted", DELETED_BY)
            .expression_attribute_values(":job", AttributeValue::S(job.to_string()));
        if group.number > 0 {
            update = update.expression_attribute_values(":number", number(group.number));
        }
        self.update_alone(update, "deleting a group").await
    }

    /// Closes the counters of a deleted group: it gains no more members.
    pub async fn close_group(
        &self,
        organization: OrganizationId,
        group: &Group,
    ) -> Result<(), StoreError> {
        let close = |bucket: u8| async move {
            let update = Update::builder()
                .table_name(&self.table)
                .set_key(Some(
                    layout::counter(organization, &group.id, bucket).to_item(),
                ))
                .update_expression(
                    "SET #closed = :number, #members = if_not_exists(#members, :none)",
                )
                .condition_expression("attribute_not_exists(#closed) OR #closed < :number")
                .expression_attribute_names("#closed", CLOSED)
                .expression_attribute_names("#members", MEMBERS)
                .expression_attribute_values(":number", number(group.number))
                .expression_attribute_values(":none", number(0));
            self.update_alone(update, "closing a group").await
        };
        stream::iter(0..=255)
            .map(close)
            .buffer_unordered(COUNTERS_IN_FLIGHT)
            .try_for_each(|_| async { Ok(()) })
            .await
    }

    /// Removes some ten thousand members of a closed group at most. Returns whether there were
    /// any, so that there may be more.
    pub async fn remove_members(
        &self,
        organization: OrganizationId,
        group: &GroupId,
    ) -> Result<bool, StoreError> {
        let removed: Vec<usize> = stream::iter(0..SHARDS)
            .map(|shard| self.remove_members_of(organization, group, shard))
            .buffer_unordered(usize::from(SHARDS))
            .try_collect()
            .await?;
        Ok(removed.iter().any(|removed| *removed > 0))
    }

    /// Removes members of one partition, one transaction after the other, since neighbours
    /// share counters.
    async fn remove_members_of(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        shard: u8,
    ) -> Result<usize, StoreError> {
        let stretch = Stretch {
            shard,
            from: layout::bucket_start(shard << 4),
            skip: 0,
            take: MEMBERS_OF_SHARD,
        };
        let found = self.read_stretch(organization, group, stretch).await?;
        let members: Vec<RecordId> = found.iter().map(layout::member).collect::<Result<_, _>>()?;
        for chunk in members.chunks(MEMBERS_AT_ONCE) {
            self.remove_chunk(organization, group, chunk).await?;
        }
        Ok(members.len())
    }

    async fn remove_chunk(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        chunk: &[RecordId],
    ) -> Result<(), StoreError> {
        let mut leaving: Vec<Leaving> = chunk
            .iter()
            .map(|id| Leaving {
                id: id.clone(),
                has_record: true,
            })
            .collect();
        let mut backoff = Backoff::new("removing members of a group");
        while !leaving.is_empty() {
            let removal = self.removal(organization, group, &leaving)?;
            if self.transact(removal).await?.is_done() {
                return Ok(());
            }
            backoff.wait().await?;
            leaving = self.still_leaving(organization, group, chunk).await?;
        }
        Ok(())
    }

    /// The transaction that removes memberships, and takes them off the counters.
    fn removal(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        leaving: &[Leaving],
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut actions = Vec::with_capacity(3 * leaving.len());
        let mut counters: BTreeMap<u8, u64> = BTreeMap::new();
        for Leaving { id, has_record } in leaving {
            *counters.entry(id.hash().bucket()).or_default() += 1;
            let membership = layout::membership(organization, group, id);
            actions.push(self.delete_existing(&membership)?);
            actions.push(match has_record {
                true => self.forget_group(id, group)?,
                false => self.check_absent(&layout::record(id))?,
            });
        }
        for (bucket, members) in counters {
            let key = layout::counter(organization, group, bucket);
            actions.push(self.move_counter(&key, &format!("-{members}"))?);
        }
        Ok(actions)
    }

    /// Those of some members whose memberships are there, after a transaction was refused.
    async fn still_leaving(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        chunk: &[RecordId],
    ) -> Result<Vec<Leaving>, StoreError> {
        let membership = |id: &RecordId| layout::membership(organization, group, id);
        let keys: Vec<Key> = chunk.iter().map(membership).collect();
        let members = self.get_many(&keys, Freshness::Strong, |_| Ok(())).await?;
        let keys: Vec<Key> = chunk.iter().map(layout::record).collect();
        let records = self.get_many(&keys, Freshness::Strong, |_| Ok(())).await?;
        let there = chunk
            .iter()
            .filter(|id| members.contains_key(&membership(id)));
        Ok(there
            .map(|id| Leaving {
                id: id.clone(),
                has_record: records.contains_key(&layout::record(id)),
            })
            .collect())
    }

    /// Deletes what is left of a group without members: its id is free again.
    pub async fn forget_deleted_group(
        &self,
        organization: OrganizationId,
        group: &Group,
        job: Uuid,
    ) -> Result<(), StoreError> {
        let expires_at = number((Timestamp::now() + CLOSED_FOR).as_second());
        let expire = |bucket: u8| {
            let expires_at = expires_at.clone();
            async move {
                let update = Update::builder()
                    .table_name(&self.table)
                    .set_key(Some(
                        layout::counter(organization, &group.id, bucket).to_item(),
                    ))
                    .update_expression("SET #expires = :expires")
                    .condition_expression("#closed = :number AND #members = :none")
                    .expression_attribute_names("#expires", EXPIRES_AT)
                    .expression_attribute_names("#closed", CLOSED)
                    .expression_attribute_names("#members", MEMBERS)
                    .expression_attribute_values(":expires", expires_at)
                    .expression_attribute_values(":number", number(group.number))
                    .expression_attribute_values(":none", number(0));
                self.update_alone(update, "forgetting a group").await
            }
        };
        stream::iter(0..=255)
            .map(expire)
            .buffer_unordered(COUNTERS_IN_FLIGHT)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        let result = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(layout::group(organization, &group.id).to_item()))
            .condition_expression("#deleted = :job")
            .expression_attribute_names("#deleted", DELETED_BY)
            .expression_attribute_values(":job", AttributeValue::S(job.to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(())
            }
            Err(error) => match error.as_service_error() {
                // An earlier invocation has deleted it.
                Some(service) if service.is_conditional_check_failed_exception() => Ok(()),
                _ => Err(StoreError::call("DeleteItem")(error)),
            },
        }
    }

    fn forget_group(
        &self,
        id: &RecordId,
        group: &GroupId,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(layout::record(id).to_item()))
            .update_expression("DELETE #groups :group")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#groups", GROUPS)
            .expression_attribute_values(":group", AttributeValue::Ss(vec![group.to_string()]))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
