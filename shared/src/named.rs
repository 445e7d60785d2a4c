//! Whom the ids of a request name in a group.

use futures::{StreamExt, TryStreamExt, stream};
use thiserror::Error;

use crate::{
    dataset::workspace::WORKSPACE,
    identity::{CustomerUid, DataOrigin, OrganizationId, RecordId, UidPart},
    protection::OrganizationKeys,
    store::{Group, Store, StoreError, StoredRecord},
};

/// The most sources whose customers are looked for: each takes a read, or of meters a query.
const MAX_QUERIED_SOURCES: usize = 1_000;
/// Queries under way at once.
const QUERIES_IN_FLIGHT: usize = 16;

/// Why nobody can be looked for.
#[derive(Debug, Error)]
pub enum NamedError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The id could be that of customers of too many sources.
    #[error("the id could be of {0} sources")]
    TooManySources(usize),
}

/// The sources that an external_id in a group may be of: in a source's own group, that source.
pub(crate) async fn sources_of(
    store: &Store,
    organization: OrganizationId,
    group: &Group,
) -> Result<Vec<DataOrigin>, StoreError> {
    match group.id.source() {
        Some(origin) => Ok(vec![origin]),
        None if group.dataset == WORKSPACE => Ok(vec![DataOrigin::workspace()]),
        None => store.data_origins(organization).await,
    }
}

/// The customers whom an id may mean: by their uid, by their external_id at each of some sources,
/// or by a workspace's unique identifier that is personal.
pub(crate) fn candidates(
    organization: OrganizationId,
    origins: &[DataOrigin],
    id: &str,
    keys: &OrganizationKeys,
) -> Vec<CustomerUid> {
    let uid = CustomerUid::parse(id).filter(|uid| uid.organization() == organization);
    let external_id = UidPart::parse(id).ok();
    let of_origin = |origin: &DataOrigin| {
        let external_id = external_id.clone()?;
        Some(CustomerUid::new(organization, origin.clone(), external_id))
    };
    let mut candidates: Vec<_> = origins.iter().filter_map(of_origin).collect();
    let of_identifier = |customer: &CustomerUid| by_identifier(customer, keys);
    candidates.extend(candidates.clone().iter().filter_map(of_identifier));
    candidates.extend(uid);
    candidates
}

/// The customer of a workspace whose unique identifier is personal, if what stands in the place
/// of the external_id is that identifier and not the digest that it became.
pub(crate) fn by_identifier(
    customer: &CustomerUid,
    keys: &OrganizationKeys,
) -> Option<CustomerUid> {
    let workspace = DataOrigin::workspace();
    if *customer.origin() != workspace {
        return None;
    }
    let identifier = UidPart::parse(customer.external_id()).ok()?;
    let external_id = keys.external_id(&identifier);
    Some(CustomerUid::new(
        customer.organization(),
        workspace,
        external_id,
    ))
}

/// The members of a group whom an id names, strongly consistent: of a group of meters, those at
/// the customer, or the one meter of that uid. An external_id names a customer of each source.
///
/// # Errors
///
/// [`NamedError`] of the table, and where the id could be of over 1,000 sources.
pub async fn members_named(
    store: &Store,
    organization: OrganizationId,
    group: &Group,
    id: &str,
    keys: &OrganizationKeys,
    is_of_devices: bool,
) -> Result<Vec<(RecordId, StoredRecord)>, NamedError> {
    let origins = sources_of(store, organization, group).await?;
    let mut customers = candidates(organization, &origins, id, keys);
    customers.sort_unstable_by_key(ToString::to_string);
    customers.dedup();
    let customers = customers.into_iter().map(RecordId::Customer);
    let ids: Vec<RecordId> = match is_of_devices {
        _ if customers.len() > MAX_QUERIED_SOURCES => {
            return Err(NamedError::TooManySources(origins.len()));
        }
        false => customers.collect(),
        true => {
            let meter = RecordId::parse_meter(id);
            let meter = meter.filter(|id| id.customer().organization() == organization);
            let of_customers: Vec<Vec<_>> = stream::iter(customers)
                .map(|customer| async move { store.meters_of(&customer).await })
                .buffered(QUERIES_IN_FLIGHT)
                .try_collect()
                .await?;
            let of_customers = of_customers.into_iter().flatten().map(|(id, _)| id);
            of_customers.chain(meter).collect()
        }
    };
    let members = store.members_among(organization, &group.id, &ids).await?;
    let mut members: Vec<RecordId> = members.into_iter().collect();
    members.sort_unstable_by_key(ToString::to_string);
    let records = store.records(&members).await?;
    let found = members.into_iter().zip(records);
    Ok(found
        .filter_map(|(id, record)| Some((id, record?)))
        .collect())
}
