//! Erasing customers of a group.

use std::collections::{BTreeSet, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{
    CUSTOMERS_IN_FLIGHT, ErasureError, Receipt, Subject,
    journal::{Entry, Listed, Matter},
    named::{Named, named},
    receipt::BACKUPS,
};
use crate::{
    Registry,
    identity::{CustomerUid, DataOrigin, OrganizationId},
    protection::{KeyError, UidDigest},
    store::{Erasure, Group, GroupId, RemovedCustomer, Store, StoreError},
};

/// What is asked for.
pub struct Request<'r> {
    /// Whose customers.
    pub organization: OrganizationId,
    /// Who asks: the subject of the token.
    pub principal: &'r str,
    /// The group that the customers are in.
    pub group: &'r Group,
    /// Uids or external_ids.
    pub ids: &'r [String],
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Erased {
    /// How many customers were removed.
    pub deleted: u64,
    /// The ids that name nobody in the group, each once.
    pub not_found: Vec<String>,
    /// What was removed, if anything was.
    pub receipt: Option<Receipt>,
    /// Ids among those not found whose customers an earlier request has erased from the group: one
    /// whose reply was lost, perhaps.
    pub erased_before: Vec<ErasedBefore>,
}

/// An erasure in the past.
#[derive(Debug, Clone, Serialize)]
pub struct ErasedBefore {
    /// The id, as it was sent.
    pub customer_id: String,
    /// The customer, as receipts name one.
    pub uid_digest: UidDigest,
    /// The id of the receipt.
    pub receipt: Uuid,
    /// When it was asked for.
    pub time: Timestamp,
}

/// Removes customers with all their memberships and meters, and leaves their fences.
///
/// Every step may be cut off and the same request sent again. Customers whose records went
/// before count as not found, unless there still are meters of theirs to remove.
pub async fn erase(registry: &Registry, request: &Request<'_>) -> Result<Erased, ErasureError> {
    let Registry {
        store,
        bucket,
        keys,
        ..
    } = registry;
    let organization = request.organization;
    let mut seen = HashSet::new();
    let ids: Vec<&String> = request.ids.iter().filter(|id| seen.insert(*id)).collect();
    let keys = match keys.existing(organization).await {
        Ok(keys) => keys,
        // Nothing was ever written.
        Err(KeyError::None) => return Ok(Erased::of(&ids, &[], None)),
        Err(error) => return Err(error.into()),
    };
    let named = named(store, organization, request.group, &ids, &keys).await?;

    let members = named.iter().filter(|named| named.erased.is_none());
    let listed = |named: &Named| {
        let group = GroupId::of_source_named(&request.group.dataset, named.customer.origin());
        let group = group.map_err(|_| StoreError::corrupt("group", "dataset"))?;
        Ok(Listed::new(&named.customer, named.digest, &group))
    };
    let listed: Result<Vec<Listed>, StoreError> = members.map(listed).collect();
    let listed = listed?;
    let is_anybody_found = !listed.is_empty();
    let entry = Entry::new(organization, request.principal, Matter::Erased(listed));
    if is_anybody_found {
        entry.keep(bucket).await?;
    }
    let targets = named.iter().map(|named| {
        let erasure = Erasure {
            digest: named.digest,
            group: Some(request.group.id.clone()),
            receipt: entry.id,
            at: entry.time,
        };
        (named.customer.clone(), erasure)
    });
    // Before: what is removed by a call that does not end is in the audit, too.
    let digests = named.iter().map(|named| named.digest.to_string());
    tracing::warn!(
        target: "clientele::audit",
        action = "records.erase", organization = organization.get(), principal = request.principal,
        group = %request.group.id, receipt = %entry.id,
        uid_digests = digests.collect::<Vec<_>>().join(" "),
        "customers are about to be erased"
    );
    let removed = remove(store, organization, &targets.collect::<Vec<_>>()).await?;
    let removed: Vec<(&Named, RemovedCustomer)> = named.iter().zip(removed).collect();
    Ok(Erased::of(&ids, &removed, Some((request, &entry))))
}

/// Removes customers with their meters. The order matters: see the store's side.
pub(super) async fn remove(
    store: &Store,
    organization: OrganizationId,
    targets: &[(CustomerUid, Erasure)],
) -> Result<Vec<RemovedCustomer>, StoreError> {
    let mut removed: Vec<RemovedCustomer> = stream::iter(targets.to_vec())
        .map(|(customer, erasure)| async move { store.erase_customer(&customer, &erasure).await })
        .buffered(CUSTOMERS_IN_FLIGHT)
        .try_collect()
        .await?;
    let origins: BTreeSet<&DataOrigin> = targets
        .iter()
        .map(|(customer, _)| customer.origin())
        .collect();
    for origin in origins {
        store.note_erasures_of_meters(organization, origin).await?;
    }
    let meters: Vec<RemovedCustomer> = stream::iter(targets.to_vec())
        .map(|(customer, _)| async move { store.remove_meters(&customer).await })
        .buffered(CUSTOMERS_IN_FLIGHT)
        .try_collect()
        .await?;
    for (removed, meters) in removed.iter_mut().zip(meters) {
        removed.meters += meters.meters;
        removed.memberships += meters.memberships;
    }
    Ok(removed)
}

impl ErasedBefore {
    fn of(named: &Named) -> Vec<Self> {
        let Some(fence) = &named.erased else {
            return Vec::new();
        };
        let of_id = |id: &String| Self {
            customer_id: id.clone(),
            uid_digest: named.digest,
            receipt: fence.receipt,
            time: fence.at,
        };
        named.ids.iter().map(of_id).collect()
    }
}

impl Erased {
    fn of(
        ids: &[&String],
        removed: &[(&Named, RemovedCustomer)],
        asked: Option<(&Request<'_>, &Entry)>,
    ) -> Self {
        let erased_before = removed
            .iter()
            .filter(|(_, removed)| removed.is_nothing())
            .flat_map(|(named, _)| ErasedBefore::of(named))
            .collect();
        let removed = removed.iter().filter(|(_, removed)| !removed.is_nothing());
        let found: HashSet<&String> = removed.clone().flat_map(|(named, _)| &named.ids).collect();
        let erased: Vec<Subject> = removed
            .map(|(named, removed)| Subject::of(named.digest, removed))
            .collect();
        let not_found = ids.iter().filter(|id| !found.contains(**id));
        Self {
            erased_before,
            deleted: erased.len() as u64,
            not_found: not_found.map(|id| id.to_string()).collect(),
            receipt: asked
                .filter(|_| !erased.is_empty())
                .map(|(request, entry)| Receipt {
                    id: entry.id,
                    time: entry.time,
                    principal: entry.principal.clone(),
                    organization_id: entry.organization_id,
                    group: request.group.id.to_string(),
                    erased,
                    backups: BACKUPS,
                }),
        }
    }
}
