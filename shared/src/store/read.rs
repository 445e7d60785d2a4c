//! Reading and creating single items, and reading many by key.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    GroupId, Store, StoreError,
    capacity::Units,
    layout::{self, Item, Key, PK, SK},
    retry::Backoff,
};
use crate::identity::{OrganizationId, RecordId};

/// DynamoDB's limit for one BatchGetItem.
const BATCH_GET_KEYS: usize = 100;
/// Batch reads under way at once.
const BATCH_GETS_IN_FLIGHT: usize = 8;

/// How fresh a read has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Half the price; may miss the latest writes.
    Eventual,
    /// Sees every write that was acknowledged.
    Strong,
}

impl Store {
    /// An item by its key, strongly consistent.
    pub(super) async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::call("GetItem"))?;
        self.capacity.add(Units::Read, &output.consumed_capacity);
        // A reply that lost its body looks like "no such item", but says no consumption either.
        if output.item.is_none() && output.consumed_capacity.is_none() {
            return Err(StoreError::Call {
                operation: "GetItem",
                code: "the response had no body".to_owned(),
            });
        }
        Ok(output.item)
    }

    /// Writes an item that must not exist yet. Returns whether it was written.
    pub(super) async fn create(&self, item: Item) -> Result<bool, StoreError> {
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
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
                _ => Err(StoreError::call("PutItem")(error)),
            },
        }
    }

    /// Which of some records are members of a group, strongly consistent.
    pub async fn members_among(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        ids: &[RecordId],
    ) -> Result<HashSet<RecordId>, StoreError> {
        let key = |id: &RecordId| layout::membership(organization, group, id);
        let keys: Vec<Key> = ids.iter().map(key).collect();
        let members = self.get_many(&keys, Freshness::Strong, |_| Ok(())).await?;
        let members = ids
            .iter()
            .zip(&keys)
            .filter(|(_, key)| members.contains_key(*key));
        Ok(members.map(|(id, _)| id.clone()).collect())
    }

    /// The items of a partition whose sort keys begin with a text, strongly consistent. For
    /// partitions that are small by nature.
    pub(super) async fn items_beginning(
        &self,
        pk: String,
        prefix: &str,
    ) -> Result<Vec<Item>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":prefix", AttributeValue::S(prefix.to_owned()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(StoreError::call("Query"))?;
            self.capacity.add(Units::Read, &page.consumed_capacity);
            items.extend(page.items.unwrap_or_default());
        }
        Ok(items)
    }

    /// What exists among many keys, each item read as it arrives.
    pub(super) async fn get_many<T>(
        &self,
        keys: &[Key],
        freshness: Freshness,
        read: fn(Item) -> Result<T, StoreError>,
    ) -> Result<HashMap<Key, T>, StoreError> {
        let mut batches = stream::iter(batches(keys))
            .map(|batch| self.get_batch(batch, freshness))
            .buffer_unordered(BATCH_GETS_IN_FLIGHT);
        let mut found = HashMap::new();
        while let Some(items) = batches.try_next().await? {
            for item in items {
                found.insert(Key::of(&item)?, read(item)?);
            }
        }
        Ok(found)
    }

    async fn get_batch(
        &self,
        keys: Vec<HashMap<String, AttributeValue>>,
        freshness: Freshness,
    ) -> Result<Vec<Item>, StoreError> {
        let request = |keys| {
            KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .consistent_read(freshness == Freshness::Strong)
                .build()
                .map_err(|_| StoreError::corrupt("request", "keys"))
        };
        let mut wanted = Some(request(keys)?);
        let mut found = Vec::new();
        let mut backoff = Backoff::new("a batch read");
        while let Some(keys) = wanted.take() {
            let output = self
                .client
                .batch_get_item()
                .request_items(&self.table, keys)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::call("BatchGetItem"))?;
            self.capacity.add(Units::Read, output.consumed_capacity());
            if output.responses.is_none() {
                return Err(StoreError::Call {
                    operation: "BatchGetItem",
                    code: "the response had no body".to_owned(),
                });
            }
            found.extend(
                output
                    .responses
                    .into_iter()
                    .flatten()
                    .flat_map(|(_, items)| items),
            );
            wanted = output
                .unprocessed_keys
                .and_then(|mut tables| tables.remove(&self.table));
            if wanted.is_some() {
                backoff.wait().await?;
            }
        }
        Ok(found)
    }
}

/// Keys in requests' portions. DynamoDB refuses a batch that names a key twice.
fn batches(keys: &[Key]) -> Vec<Vec<Item>> {
    let distinct: Vec<&Key> = keys.iter().collect::<HashSet<_>>().into_iter().collect();
    let chunks = distinct.chunks(BATCH_GET_KEYS);
    chunks
        .map(|chunk| chunk.iter().map(|key| key.to_item()).collect())
        .collect()
}
