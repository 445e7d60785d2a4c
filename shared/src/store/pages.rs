//! Any page of a group, at the same cost.
//!
//! The counters say in which range of the hash a rank falls, so no page needs the ones before it.

use data_encoding::BASE64URL_NOPAD;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use thiserror::Error;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

use super::{
    GroupId, Store, StoreError, StoredRecord,
    capacity::Units,
    layout::{self, Item, PK, SK},
    read::Freshness,
};
use crate::{
    identity::{OrganizationId, RecordId},
    protection::OrganizationKeys,
};

/// Members of a page of the customer management interface.
pub const PAGE_SIZE: u64 = 1_000;
/// The partitions that a group's memberships are spread over.
pub(super) const SHARDS: u8 = 16;

/// One page of a group's records, in the order of their hashes.
pub struct Page {
    /// The records, and where reading goes on after each.
    pub records: Vec<(RecordId, StoredRecord)>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// A place in a group, after one of its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    group: String,
    after: String,
}

/// A text that is not a cursor of this group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the cursor is not one of this group's; start again without it")]
pub struct CursorError;

const CURSOR_LABEL: &str = "clientele cursor v1";
const CURSOR_MAC_BYTES: usize = 16;

impl Cursor {
    /// The place after a record.
    pub fn after(group: &GroupId, id: &RecordId) -> Self {
        Self {
            group: group.to_string(),
            after: layout::membership_sort_key(id.hash(), &id.to_string()),
        }
    }

    /// The cursor as an opaque, signed text.
    pub fn encode(&self, keys: &OrganizationKeys) -> String {
        let place = format!("{}\n{}", self.group, self.after);
        let mac = keys.digest(CURSOR_LABEL, &[place.as_bytes()]);
        let mac = mac.iter().take(CURSOR_MAC_BYTES).copied();
        let bytes: Vec<u8> = mac.chain(place.bytes()).collect();
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Reads a text that [`encode`](Self::encode) made for a group.
    pub fn decode(
        text: &str,
        group: &GroupId,
        keys: &OrganizationKeys,
    ) -> Result<Self, CursorError> {
        let bytes = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .map_err(|_| CursorError)?;
        let (mac, place) = bytes
            .split_first_chunk::<CURSOR_MAC_BYTES>()
            .ok_or(CursorError)?;
        let expected = keys.digest(CURSOR_LABEL, &[place]);
        let expected = expected.get(..CURSOR_MAC_BYTES).unwrap_or_default();
        if !bool::from(mac.as_slice().ct_eq(expected)) {
            return Err(CursorError);
        }
        let place = std::str::from_utf8(place).map_err(|_| CursorError)?;
        let (of_group, after) = place.split_once('\n').ok_or(CursorError)?;
        if of_group != group.as_str() {
            return Err(CursorError);
        }
        Ok(Self {
            group: of_group.to_owned(),
            after: after.to_owned(),
        })
    }
}

/// A part of a page: some memberships of one partition.
pub(super) struct Stretch {
    pub(super) shard: u8,
    /// Memberships from this sort key on, or after it.
    pub(super) from: String,
    pub(super) skip: u64,
    pub(super) take: u64,
}

impl Store {
    /// The records from a 0-based rank on, at most `limit`, and how many members there are.
    pub async fn page_at(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        rank: u64,
        limit: u64,
    ) -> Result<(Page, u64), StoreError> {
        let counts = self.bucket_counts(organization, group).await?;
        let total = counts.iter().sum();
        let stretches = stretches(&counts, rank, limit);
        let parts: Vec<Vec<Item>> = stream::iter(stretches)
            .map(|stretch| self.read_stretch(organization, group, stretch))
            .buffered(usize::from(SHARDS))
            .try_collect()
            .await?;
        let members = members(parts.into_iter().flatten())?;
        let more = rank.saturating_add(members.len() as u64) < total;
        let next = members
            .last()
            .filter(|_| more)
            .map(|id| Cursor::after(group, id));
        let records = self.read_members(members).await?;
        Ok((Page { records, next }, total))
    }

    /// The records after a cursor, at most `limit`. No record that stays in the group while it
    /// is read is skipped or repeated.
    pub async fn page_after(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        cursor: &Cursor,
        limit: u64,
    ) -> Result<Page, StoreError> {
        let first = layout::bucket_of(&cursor.after).ok_or(StoreError::corrupt("cursor", SK))? >> 4;
        let mut found = Vec::new();
        // One more than asked for says whether there is a next page.
        let wanted = limit + 1;
        for shard in first..SHARDS {
            let missing = wanted - found.len() as u64;
            let from = match shard == first {
                true => format!("{}\0", cursor.after),
                false => layout::bucket_start(shard << 4),
            };
            let stretch = Stretch {
                shard,
                from,
                skip: 0,
                take: missing,
            };
            found.extend(self.read_stretch(organization, group, stretch).await?);
            if found.len() as u64 == wanted {
                break;
            }
        }
        let mut members = members(found.into_iter())?;
        let more = members.len() as u64 > limit;
        members.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = members
            .last()
            .filter(|_| more)
            .map(|id| Cursor::after(group, id));
        let records = self.read_members(members).await?;
        Ok(Page { records, next })
    }

    /// A record by its id, strongly consistent.
    pub async fn record(&self, id: &RecordId) -> Result<Option<StoredRecord>, StoreError> {
        let item = self.get(&layout::record(id)).await?;
        item.map(|item| StoredRecord::read(&item)).transpose()
    }

    /// Records by their ids, strongly consistent, in the order of the ids.
    pub async fn records(&self, ids: &[RecordId]) -> Result<Vec<Option<StoredRecord>>, StoreError> {
        let keys: Vec<_> = ids.iter().map(layout::record).collect();
        let mut found = self
            .get_many(&keys, Freshness::Strong, |item| StoredRecord::read(&item))
            .await?;
        Ok(keys.iter().map(|key| found.remove(key)).collect())
    }

    /// The meters at a customer.
    pub async fn meters_of(
        &self,
        customer: &RecordId,
    ) -> Result<Vec<(RecordId, StoredRecord)>, StoreError> {
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":pk", AttributeValue::S(layout::record(customer).pk))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .items()
            .send();
        let mut meters = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(StoreError::call("Query"))?;
            let id = layout::record_id(&layout::Key::of(&item)?);
            if let Some(id @ RecordId::Meter(..)) = id {
                meters.push((id, StoredRecord::read(&item)?));
            }
        }
        Ok(meters)
    }

    pub(super) async fn read_stretch(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        stretch: Stretch,
    ) -> Result<Vec<Item>, StoreError> {
        let Stretch {
            shard,
            from,
            mut skip,
            take,
        } = stretch;
        let mut found: Vec<Item> = Vec::new();
        let mut start: Option<Item> = None;
        while (found.len() as u64) < take {
            let wanted = skip + take - found.len() as u64;
            let output = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .limit(i32::try_from(wanted).unwrap_or(i32::MAX))
                .key_condition_expression("#pk = :pk AND #sk >= :from")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_names("#sk", SK)
                .expression_attribute_values(
                    ":pk",
                    AttributeValue::S(layout::members(organization, group, shard)),
                )
                .expression_attribute_values(":from", AttributeValue::S(from.clone()))
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::call("Query"))?;
            self.capacity.add(Units::Read, &output.consumed_capacity);
            let items = output.items.unwrap_or_default();
            let skipped = skip.min(items.len() as u64);
            skip -= skipped;
            found.extend(
                items
                    .into_iter()
                    .skip(usize::try_from(skipped).unwrap_or(usize::MAX)),
            );
            start = output.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// The records of members, in their order. Those deleted meanwhile are left out.
    async fn read_members(
        &self,
        members: Vec<RecordId>,
    ) -> Result<Vec<(RecordId, StoredRecord)>, StoreError> {
        let keys: Vec<_> = members.iter().map(layout::record).collect();
        let read = |item| StoredRecord::read(&item);
        let mut items = self.get_many(&keys, Freshness::Eventual, read).await?;
        // A record that was only just inserted may be missing from an eventual read.
        let missing: Vec<_> = keys
            .iter()
            .filter(|key| !items.contains_key(*key))
            .cloned()
            .collect();
        if !missing.is_empty() {
            items.extend(self.get_many(&missing, Freshness::Strong, read).await?);
        }
        let found = members.into_iter().zip(&keys);
        Ok(found
            .filter_map(|(id, key)| Some((id, items.remove(key)?)))
            .collect())
    }
}

fn members(items: impl Iterator<Item = Item>) -> Result<Vec<RecordId>, StoreError> {
    items.map(|item| layout::member(&item)).collect()
}

/// Where the memberships from a rank on are: at most one stretch a partition.
fn stretches(counts: &[u64; 256], rank: u64, limit: u64) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let (mut skip, mut missing) = (rank, limit);
    for (bucket, count) in (0_u8..=255).zip(counts) {
        if skip >= *count {
            skip -= count;
            continue;
        }
        let take = (count - skip).min(missing);
        let shard = bucket >> 4;
        match stretches.last_mut() {
            Some(last) if last.shard == shard => last.take += take,
            _ => stretches.push(Stretch {
                shard,
                from: layout::bucket_start(bucket),
                skip,
                take,
            }),
        }
        skip = 0;
        missing -= take;
        if missing == 0 {
            break;
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each stretch as `shard:from+skip×take`.
    fn planned(members: &[(u8, u64)], rank: u64, limit: u64) -> Vec<String> {
        let mut counts = [0; 256];
        for (bucket, count) in members {
            counts[usize::from(*bucket)] = *count;
        }
        let shown = |s: Stretch| format!("{:x}:{}+{}×{}", s.shard, s.from, s.skip, s.take);
        stretches(&counts, rank, limit)
            .into_iter()
            .map(shown)
            .collect()
    }

    #[test]
    fn a_rank_is_found_by_counting() {
        let members = [(0x00, 2), (0x05, 3), (0x10, 4), (0xff, 1)];
        let table: [(u64, u64, &[&str]); 7] = [
            (0, 1, &["0:00+0×1"]),
            (0, 5, &["0:00+0×5"]),
            (3, 1, &["0:05+1×1"]),
            (1, 6, &["0:00+1×4", "1:10+0×2"]),
            (6, 100, &["1:10+1×3", "f:ff+0×1"]),
            (9, 1, &["f:ff+0×1"]),
            (10, 1, &[]),
        ];
        for (rank, limit, expected) in table {
            assert_eq!(
                planned(&members, rank, limit),
                expected,
                "rank {rank}, limit {limit}"
            );
        }
    }
}
