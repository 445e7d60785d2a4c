//! Encrypting stored values again, under the newest version of the organisation's key.
//!
//! What a record says stays the same, and with it its digest, its times and its imports: an update
//! on condition of the digest can only replace bytes by others that mean the same. Whoever else
//! writes a record replaces its outdated bytes too ([`Content::resealed`]), so bytes that somebody
//! read before this update do not come back after it.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    GroupId, Store, StoreError, StoredRecord,
    capacity::Units,
    item::{Content, at, at_mut, bytes},
    layout::{self, CUSTOM, DIGEST, Item, Key, PK, PROFILE, SK},
    read::Freshness,
    retry::Backoff,
};
use crate::{
    identity::{OrganizationId, RecordId},
    protection::{CipherError, OrganizationKeys},
};

/// Members that are read at once.
const MEMBERS_AT_ONCE: i32 = 500;
/// Updates under way at once.
const UPDATES_IN_FLIGHT: usize = 16;

/// What became of some records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rewrapped {
    /// Records that were looked at.
    pub read: u64,
    /// Records with values that were encrypted again.
    pub updated: u64,
    /// Records with a value that does not open.
    pub failed: u64,
}

/// What became of one record.
enum Outcome {
    Unchanged,
    Updated,
    Failed,
    /// Somebody else wrote it meanwhile.
    Lost,
}

impl Content {
    /// The content with its values all under the newest version of the key; nothing if they are.
    pub(super) fn resealed(
        &self,
        uid: &str,
        keys: &OrganizationKeys,
    ) -> Result<Option<Self>, CipherError> {
        let mut resealed = None;
        for path in self.value_digests.keys() {
            let Some(AttributeValue::B(sealed)) = at(&self.profile, path) else {
                continue;
            };
            if keys.is_outdated(sealed.as_ref())? {
                let again = keys.reseal(uid, path, sealed.as_ref())?;
                let content: &mut Self = resealed.get_or_insert_with(|| self.clone());
                if let Some(value) = at_mut(&mut content.profile, path) {
                    *value = bytes(&again);
                }
            }
        }
        if let Some(custom) = &self.custom
            && keys.is_outdated(&custom.bytes)?
        {
            let again = keys.reseal(uid, CUSTOM, &custom.bytes)?;
            let content: &mut Self = resealed.get_or_insert_with(|| self.clone());
            if let Some(custom) = &mut content.custom {
                custom.bytes = again;
            }
        }
        Ok(resealed)
    }
}

impl Store {
    /// The groups of an organisation's sources: every record is in the group of its own.
    pub async fn groups_of_sources(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<GroupId>, StoreError> {
        let (pk, prefix) = layout::groups(organization);
        let items = self.items_beginning(pk, prefix).await?;
        let mut groups: Vec<GroupId> = items.iter().filter_map(layout::group_of_source).collect();
        groups.sort();
        Ok(groups)
    }

    /// Members of one sixteenth of a group, in the order of their hashes, from after a hash on, and
    /// the hash after which to go on. Members of one hash come together.
    pub async fn members_after(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        shard: u8,
        after: &str,
    ) -> Result<(Vec<RecordId>, Option<String>), StoreError> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .limit(MEMBERS_AT_ONCE)
            .key_condition_expression("#pk = :pk AND #sk > :after")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(
                ":pk",
                AttributeValue::S(layout::members(organization, group, shard)),
            )
            .expression_attribute_values(":after", AttributeValue::S(layout::after_hash(after)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::call("Query"))?;
        self.capacity.add(Units::Read, &output.consumed_capacity);
        let is_last = output.last_evaluated_key.is_none();
        let mut members = Vec::new();
        for item in output.items() {
            members.push(layout::member(item)?);
        }
        let next = match members.last().map(|id| id.hash().to_string()) {
            Some(last) if !is_last => {
                // More members of the last hash may follow.
                let complete = members.partition_point(|id| id.hash().to_string() < last);
                if complete > 0 {
                    members.truncate(complete);
                }
                members.last().map(|id| id.hash().to_string())
            }
            _ => None,
        };
        Ok((members, next))
    }

    /// Encrypts the outdated values of records again. A value that does not open stays as it is.
    pub async fn rewrap(
        &self,
        records: &[RecordId],
        keys: &OrganizationKeys,
    ) -> Result<Rewrapped, StoreError> {
        let mut rewrapped = Rewrapped::default();
        let mut pending = records.to_vec();
        let mut backoff = Backoff::new("encrypting records again");
        while !pending.is_empty() {
            let places: Vec<Key> = pending.iter().map(layout::record).collect();
            let read = |item: Item| StoredRecord::read(&item);
            let mut stored = self.get_many(&places, Freshness::Strong, read).await?;
            let found: Vec<(RecordId, StoredRecord)> = std::mem::take(&mut pending)
                .into_iter()
                .zip(&places)
                .filter_map(|(id, place)| Some((id, stored.remove(place)?)))
                .collect();
            let outcomes: Vec<(RecordId, Outcome)> = stream::iter(found)
                .map(|(id, record)| async move {
                    let outcome = self.rewrap_one(&id, &record, keys).await?;
                    Ok::<_, StoreError>((id, outcome))
                })
                .buffer_unordered(UPDATES_IN_FLIGHT)
                .try_collect()
                .await?;
            for (id, outcome) in outcomes {
                match outcome {
                    Outcome::Lost => {
                        pending.push(id);
                        continue;
                    }
                    Outcome::Unchanged => {}
                    Outcome::Updated => rewrapped.updated += 1,
                    Outcome::Failed => rewrapped.failed += 1,
                }
                rewrapped.read += 1;
            }
            if !pending.is_empty() {
                backoff.wait().await?;
            }
        }
        Ok(rewrapped)
    }

    async fn rewrap_one(
        &self,
        id: &RecordId,
        record: &StoredRecord,
        keys: &OrganizationKeys,
    ) -> Result<Outcome, StoreError> {
        let content = match record.content.resealed(&id.to_string(), keys) {
            Ok(Some(content)) => content,
            Ok(None) => return Ok(Outcome::Unchanged),
            Err(CipherError::Random) => return Err(CipherError::Random.into()),
            Err(error) => {
                tracing::error!(%error, "a stored value does not open");
                return Ok(Outcome::Failed);
            }
        };
        let mut attributes = content.to_item();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(layout::record(id).to_item()))
            .condition_expression("#digest = :digest")
            .expression_attribute_names("#digest", DIGEST)
            .expression_attribute_values(":digest", bytes(&record.digest))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut set = Vec::new();
        for (name, placeholder, value) in [(PROFILE, "#p", ":p"), (CUSTOM, "#c", ":c")] {
            if let Some(attribute) = attributes.remove(name) {
                set.push(format!("{placeholder} = {value}"));
                update = update
                    .expression_attribute_names(placeholder, name)
                    .expression_attribute_values(value, attribute);
            }
        }
        let update = update.update_expression(format!("SET {}", set.join(", ")));
        match update.send().await {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(Outcome::Updated)
            }
            Err(error) => match error.as_service_error() {
                Some(service)
                    if service.is_conditional_check_failed_exception()
                        || service.is_transaction_conflict_exception() =>
                {
                    Ok(Outcome::Lost)
                }
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }
}
