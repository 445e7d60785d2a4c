//! Fences: what keeps an erased customer from coming back.
//!
//! A fence has no personal data, only a keyed digest of the uid, and never expires.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, Update};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    GroupId, Store, StoreError,
    capacity::Units,
    item::number,
    layout::{self, CREATED_AT, ERASURES, GROUPS, Item, RECEIPT},
    read::Freshness,
};
use crate::{identity::OrganizationId, protection::UidDigest};

/// What stays of a customer who was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// Whose it is.
    pub digest: UidDigest,
    /// The receipt of the erasure.
    pub receipt: Uuid,
    /// When it was asked for.
    pub at: Timestamp,
    /// The groups that the customer was in.
    pub groups: BTreeSet<String>,
}

impl Fence {
    pub(super) fn to_item(&self, organization: OrganizationId) -> Item {
        let mut item = layout::fence(organization, self.digest).to_item();
        let receipt = AttributeValue::S(self.receipt.to_string());
        item.insert(RECEIPT.to_owned(), receipt);
        item.insert(CREATED_AT.to_owned(), number(self.at.as_millisecond()));
        // DynamoDB has no empty sets.
        if !self.groups.is_empty() {
            let groups = self.groups.iter().cloned().collect();
            item.insert(GROUPS.to_owned(), AttributeValue::Ss(groups));
        }
        item
    }
}

/// A fence that stands, as it was set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The groups that the customer was in.
    pub groups: BTreeSet<String>,
    /// The receipt of the erasure.
    pub receipt: Uuid,
    /// When it was asked for.
    pub at: Timestamp,
}

fn standing(item: Item) -> Result<Standing, StoreError> {
    let corrupt = |attribute| StoreError::corrupt("fence", attribute);
    let groups = item.get(GROUPS).and_then(|value| value.as_ss().ok());
    let receipt = item.get(RECEIPT).and_then(|value| value.as_s().ok());
    let at = item
        .get(CREATED_AT)
        .and_then(|value| value.as_n().ok()?.parse().ok())
        .and_then(|milliseconds| Timestamp::from_millisecond(milliseconds).ok());
    Ok(Standing {
        groups: groups.into_iter().flatten().cloned().collect(),
        receipt: receipt
            .and_then(|receipt| receipt.parse().ok())
            .ok_or(corrupt(RECEIPT))?,
        at: at.ok_or(corrupt(CREATED_AT))?,
    })
}

impl Store {
    /// Which of some customers have a fence. Strongly consistent.
    pub async fn fences(
        &self,
        organization: OrganizationId,
        digests: &[UidDigest],
    ) -> Result<HashMap<UidDigest, Standing>, StoreError> {
        let key = |digest: &UidDigest| layout::fence(organization, *digest);
        let keys: Vec<_> = digests.iter().map(key).collect();
        let mut found = self.get_many(&keys, Freshness::Strong, standing).await?;
        let pairs = digests.iter().zip(&keys);
        Ok(pairs
            .filter_map(|(digest, key)| Some((*digest, found.remove(key)?)))
            .collect())
    }

    /// Sets up a fence whose customer is gone, and notes the erasure in the counter that imports
    /// look at. A fence that stands already stays.
    pub async fn set_up_fence(
        &self,
        organization: OrganizationId,
        fence: &Fence,
        source_group: &GroupId,
        bucket: u8,
    ) -> Result<(), StoreError> {
        // Before, since a fence of which no counter tells is not looked for; and after, so that
        // no transaction holds that was planned in between.
        let note = || self.note_erasure(organization, source_group, bucket);
        note().await?;
        self.create(fence.to_item(organization)).await?;
        note().await
    }

    /// Takes a fence away. Returns whether there was one.
    pub async fn release_fence(
        &self,
        organization: OrganizationId,
        digest: UidDigest,
    ) -> Result<bool, StoreError> {
        let key = layout::fence(organization, digest);
        if self.get(&key).await?.is_none() {
            return Ok(false);
        }
        let output = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::call("DeleteItem"))?;
        self.capacity.add(Units::Write, &output.consumed_capacity);
        Ok(true)
    }

    /// Says in a counter that somebody of its bucket was erased, so that the transactions that
    /// were planned before do not hold.
    ///
    /// A lost reply makes it count twice, which does no harm: only that it moves matters.
    pub(super) async fn note_erasure(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        bucket: u8,
    ) -> Result<(), StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(layout::counter(organization, group, bucket).to_item()))
            .update_expression("ADD #erasures :one")
            .expression_attribute_names("#erasures", ERASURES)
            .expression_attribute_values(":one", number(1));
        self.update_alone(update, "noting an erasure").await?;
        Ok(())
    }
}
