//! Removing customers for good.
//!
//! A record goes with its memberships and its place in the counters in one transaction, and a
//! customer's also leaves the fence and moves the `erasures` of its source's counter. Imports
//! insert on condition that those have not moved, so that an erased customer comes back by none
//! that was under way.
//!
//! The transactions that insert meters move other counters, those of the meters' group. So once
//! the fences stand, [`Store::note_erasures_of_meters`] moves all of theirs, and only then the
//! meters are looked for: a meter that an import inserts meanwhile is either there to be found,
//! or not inserted.

mod removal;

use futures::{StreamExt, TryStreamExt, stream};

use super::{
    GroupId, Store, StoreError,
    layout::{self, Item, Key, SK},
};
use crate::{
    dataset::Dataset,
    identity::{CustomerUid, DataOrigin, OrganizationId, RecordId},
    protection::UidDigest,
};

/// Counters moved at once.
const COUNTERS_IN_FLIGHT: usize = 32;
/// Meters of one customer removed at once.
const METERS_IN_FLIGHT: usize = 8;

/// What was removed of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RemovedCustomer {
    /// Whether the customer's own record was.
    pub record: bool,
    /// Records of meters.
    pub meters: u64,
    /// Memberships in groups, the meters' among them.
    pub memberships: u64,
}

impl RemovedCustomer {
    /// Whether there was nothing to remove.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// An erasure that is to leave a fence.
#[derive(Debug, Clone)]
pub struct Erasure {
    /// Whose.
    pub digest: UidDigest,
    /// The group in which the customer was found: it is left late, so that an erasure that was
    /// cut off finds the customer again.
    pub group: Option<GroupId>,
    /// Its receipt.
    pub receipt: uuid::Uuid,
    /// When it was asked for.
    pub at: jiff::Timestamp,
}

impl Store {
    /// Removes a customer's record with its memberships, and leaves a fence. Its meters stay.
    pub async fn erase_customer(
        &self,
        customer: &CustomerUid,
        erasure: &Erasure,
    ) -> Result<RemovedCustomer, StoreError> {
        let id = RecordId::Customer(customer.clone());
        let memberships = self.remove_record(&id, Some(erasure)).await?;
        Ok(RemovedCustomer {
            record: memberships.is_some(),
            meters: 0,
            memberships: memberships.unwrap_or(0),
        })
    }

    /// Moves the erasures of all counters of a source's meters, if it has any, so that no meter
    /// is inserted by a transaction that was planned before.
    pub async fn note_erasures_of_meters(
        &self,
        organization: OrganizationId,
        origin: &DataOrigin,
    ) -> Result<(), StoreError> {
        for dataset in Dataset::all_builtin().iter().filter(|d| d.is_of_devices()) {
            let group = GroupId::of_source(dataset, origin);
            // An import makes the group before it looks for fences.
            if self.group(organization, &group).await?.is_none() {
                continue;
            }
            stream::iter(0..=u8::MAX)
                .map(|bucket| self.note_erasure(organization, &group, bucket))
                .buffer_unordered(COUNTERS_IN_FLIGHT)
                .try_collect::<()>()
                .await?;
        }
        Ok(())
    }

    /// Removes all meters of a customer, with their memberships.
    pub async fn remove_meters(
        &self,
        customer: &CustomerUid,
    ) -> Result<RemovedCustomer, StoreError> {
        let meters = self.meter_ids(customer).await?;
        let removed: Vec<Option<u64>> = stream::iter(meters)
            .map(|id| async move { self.remove_record(&id, None).await })
            .buffer_unordered(METERS_IN_FLIGHT)
            .try_collect()
            .await?;
        Ok(RemovedCustomer {
            record: false,
            meters: removed.iter().flatten().count() as u64,
            memberships: removed.iter().flatten().sum(),
        })
    }

    /// The meters at a customer, strongly consistent.
    pub async fn meter_ids(&self, customer: &CustomerUid) -> Result<Vec<RecordId>, StoreError> {
        let (pk, prefix) = layout::meters(customer);
        let items = self.items_beginning(pk, prefix).await?;
        let id = |item: &Item| {
            let id = layout::record_id(&Key::of(item)?);
            id.ok_or(StoreError::corrupt("meter", SK))
        };
        items.iter().map(id).collect()
    }
}
