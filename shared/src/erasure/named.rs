//! Whom the ids of a request name.

use std::collections::HashMap;

use super::ErasureError;
use crate::{
    identity::{CustomerUid, OrganizationId, RecordId},
    named::{candidates, sources_of},
    protection::{OrganizationKeys, UidDigest},
    store::{Group, Standing, Store, StoreError},
};

/// The most customers that are looked for: ids times sources.
const MAX_CANDIDATES: usize = 20_000;

/// A customer whom ids of a request name.
pub(super) struct Named {
    /// The ids, as they were sent.
    pub(super) ids: Vec<String>,
    pub(super) customer: CustomerUid,
    pub(super) digest: UidDigest,
    /// Of a customer who is no member of the group any more: the erasure, which may have been cut
    /// off before it got to the meters.
    pub(super) erased: Option<Standing>,
}

/// Finds whom ids name in a group: each is a uid, or the external_id of a customer of any source
/// who is in the group. In a source's own group, external_ids are that source's.
///
/// An id that names two members is refused, since nothing says which of them is meant.
pub(super) async fn named(
    store: &Store,
    organization: OrganizationId,
    group: &Group,
    ids: &[&String],
    keys: &OrganizationKeys,
) -> Result<Vec<Named>, ErasureError> {
    let origins = sources_of(store, organization, group).await?;
    if ids.len().saturating_mul(origins.len()) > MAX_CANDIDATES {
        return Err(ErasureError::TooManySources(origins.len()));
    }
    let meant: Vec<Vec<CustomerUid>> = ids
        .iter()
        .map(|id| candidates(organization, &origins, id, keys))
        .collect();
    let all: Vec<RecordId> = meant
        .iter()
        .flatten()
        .cloned()
        .map(RecordId::Customer)
        .collect();
    let members = store.members_among(organization, &group.id, &all).await?;
    let is_member =
        |customer: &CustomerUid| members.contains(&RecordId::Customer(customer.clone()));
    let (mut found, mut ambiguous) = (Vec::new(), Vec::new());
    let mut gone = Vec::new();
    for (position, (id, meant)) in ids.iter().zip(meant).enumerate() {
        let (mut of_group, others): (Vec<_>, Vec<_>) = meant.into_iter().partition(is_member);
        match (of_group.pop(), of_group.is_empty()) {
            (None, _) => gone.extend(others.into_iter().map(|customer| (id, customer))),
            (Some(customer), true) => found.push(Named {
                ids: vec![id.to_string()],
                digest: keys.uid_digest(&customer),
                customer,
                erased: None,
            }),
            (Some(_), false) => ambiguous.push(position),
        }
    }
    if !ambiguous.is_empty() {
        return Err(ErasureError::Ambiguous(ambiguous));
    }
    found.extend(erased_before(store, organization, group, gone, keys).await?);
    Ok(once_each(found))
}

/// Puts the ids of one customer together.
fn once_each(found: Vec<Named>) -> Vec<Named> {
    let mut places: HashMap<CustomerUid, usize> = HashMap::new();
    let mut customers: Vec<Named> = Vec::with_capacity(found.len());
    for named in found {
        let known = places.get(&named.customer).copied();
        match known.and_then(|place| customers.get_mut(place)) {
            Some(known) => known.ids.extend(named.ids),
            None => {
                places.insert(named.customer.clone(), customers.len());
                customers.push(named);
            }
        }
    }
    customers
}

/// The customers among those who are no members who were erased from this group.
async fn erased_before(
    store: &Store,
    organization: OrganizationId,
    group: &Group,
    gone: Vec<(&&String, CustomerUid)>,
    keys: &OrganizationKeys,
) -> Result<Vec<Named>, StoreError> {
    let digests: Vec<_> = gone
        .iter()
        .map(|(_, customer)| keys.uid_digest(customer))
        .collect();
    let fences = store.fences(organization, &digests).await?;
    let named = |((id, customer), digest): ((&&String, CustomerUid), UidDigest)| {
        let fence = fences.get(&digest)?;
        fence.groups.contains(group.id.as_str()).then(|| Named {
            ids: vec![id.to_string()],
            customer,
            digest,
            erased: Some(fence.clone()),
        })
    };
    let gone = gone.into_iter().zip(digests);
    Ok(gone.filter_map(named).collect())
}
