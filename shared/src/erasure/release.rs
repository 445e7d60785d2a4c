//! Letting erased customers come back, on purpose.

use super::{
    CUSTOMERS_IN_FLIGHT, ErasureError,
    journal::{Entry, Matter},
};
use crate::{
    Registry,
    identity::{CustomerUid, OrganizationId},
    named::by_identifier,
    protection::{KeyError, OrganizationKeys, UidDigest},
};
use futures::{StreamExt, TryStreamExt, stream};

/// What became of a release.
#[derive(Debug, Default)]
pub struct Released {
    /// Whose fences were taken away.
    pub released: Vec<UidDigest>,
    /// The ids that have no fence.
    pub not_found: Vec<String>,
}

/// The digests by which a customer may be fenced.
fn digests(customer: Option<&CustomerUid>, keys: Option<&OrganizationKeys>) -> Vec<UidDigest> {
    let (Some(customer), Some(keys)) = (customer, keys) else {
        return Vec::new();
    };
    let mut digests = vec![keys.uid_digest(customer)];
    digests.extend(by_identifier(customer, keys).map(|customer| keys.uid_digest(&customer)));
    digests
}

/// Takes the fences of customers away: the next import of them is taken again. Nothing of what
/// was erased comes back by it. Customers come with the ids that the request named them by.
pub async fn release(
    registry: &Registry,
    organization: OrganizationId,
    principal: &str,
    named: &[(String, Option<CustomerUid>)],
) -> Result<Released, ErasureError> {
    let (store, bucket) = (&registry.store, &registry.bucket);
    let keys = match registry.keys.existing(organization).await {
        Ok(keys) => Some(keys),
        // Nothing was ever written.
        Err(KeyError::None) => None,
        Err(error) => return Err(error.into()),
    };
    let digests: Vec<Vec<UidDigest>> = named
        .iter()
        .map(|(_, uid)| digests(uid.as_ref(), keys.as_deref()))
        .collect();
    let known: Vec<UidDigest> = digests.iter().flatten().copied().collect();
    let fences = store.fences(organization, &known).await?;
    let mut released = Released::default();
    for ((id, _), digests) in named.iter().zip(digests) {
        match digests
            .into_iter()
            .find(|digest| fences.contains_key(digest))
        {
            Some(digest) => released.released.push(digest),
            None => released.not_found.push(id.clone()),
        }
    }
    released.released.sort_unstable();
    released.released.dedup();
    if released.released.is_empty() {
        return Ok(released);
    }
    let matter = Matter::Released(released.released.clone());
    let entry = Entry::new(organization, principal, matter);
    entry.keep(bucket).await?;
    stream::iter(released.released.clone())
        .map(|digest| store.release_fence(organization, digest))
        .buffer_unordered(CUSTOMERS_IN_FLIGHT)
        .try_collect::<Vec<bool>>()
        .await?;
    Ok(released)
}
