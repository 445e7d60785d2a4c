//! `GET /api/v1/out/{dataset}`.

use clientele::{
    Registry,
    dataset::Dataset,
    identity::{CustomerUid, DataOrigin, OrganizationId, RecordId, UidPart},
    protection::OrganizationKeys,
    store::{GroupId, StoreError, StoredRecord},
    web::{Call, Principal, Problem, Reply, json, record_body},
};
use http::StatusCode;
use serde_json::json;

use crate::{
    dataset_named,
    shown::{Records, shown},
    source_named,
};

const DEFAULT_SIZE: u64 = 50;
const MAX_SIZE: u64 = 1_000;
/// More pages than any source has.
const MAX_PAGE: u64 = 1_000_000_000;

/// A page of a source's records, or those that a filter names.
pub(crate) async fn page(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    dataset: &str,
) -> Reply {
    let dataset = dataset_named(dataset)?;
    let origin = source_named(call, caller, &dataset)?;
    let page = call.number("page", 1, MAX_PAGE)?;
    let size = call.number("size", DEFAULT_SIZE, MAX_SIZE)?;
    let group = GroupId::of_source(&dataset, &origin);
    if !caller.may_reach(&group) {
        return Err(Problem::not_found("source"));
    }
    let (records, total) = match filtered(registry, call, caller, &dataset, &origin).await? {
        Some(records) => {
            let total = records.len() as u64;
            let from = usize::try_from((page - 1) * size).unwrap_or(usize::MAX);
            let records: Records = records.into_iter().skip(from).take(size as usize).collect();
            (records, total)
        }
        None => {
            let rank = (page - 1) * size;
            let organization = caller.organization;
            let (page, total) = registry
                .store
                .page_at(organization, &group, rank, size)
                .await?;
            (page.records, total)
        }
    };
    call.audit(|line| {
        line.group(&group);
        line.count("records", records.len() as u64);
    });
    let show = |keys: Option<&OrganizationKeys>, id: &RecordId, record: &StoredRecord| {
        record_body(&dataset, keys, id, record)
    };
    let data = shown(registry, caller.organization, &records, show).await?;
    let data = data.ok_or_else(too_large)?;
    let body = json!({
        "data": data,
        "page": page,
        "pages": total.div_ceil(size),
        "total": total,
    });
    Ok(json(StatusCode::OK, &body))
}

fn too_large() -> Problem {
    Problem::bad_request(
        "page_too_large",
        "the page would be larger than the 6 MB of a reply; ask for a smaller size",
    )
}

/// The records that `q[uid_eq]` or `q[external_id_eq]` names; none without a filter. Both
/// together name what both name. In a dataset of devices, `external_id_eq` is the customer's.
async fn filtered(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    dataset: &Dataset,
    origin: &DataOrigin,
) -> Result<Option<Records>, Problem> {
    let known = ["q[uid_eq]", "q[external_id_eq]"];
    let unknown = |name: &&String| name.starts_with("q[") && !known.contains(&name.as_str());
    if call.query.keys().any(|name| unknown(&name)) {
        return Err(Problem::bad_request(
            "invalid_query",
            "records can be filtered by q[uid_eq] and q[external_id_eq] alone",
        ));
    }
    let (uid, external_id) = (
        call.query.get("q[uid_eq]"),
        call.query.get("q[external_id_eq]"),
    );
    if uid.is_none() && external_id.is_none() {
        return Ok(None);
    }
    let organization = caller.organization;
    let by_uid = uid.map(|uid| match dataset.is_of_devices() {
        true => RecordId::parse_meter(uid),
        false => CustomerUid::parse(uid).map(RecordId::Customer),
    });
    let customer = external_id.map(|text| {
        let part = UidPart::parse(text).ok()?;
        Some(CustomerUid::new(organization, origin.clone(), part))
    });
    let found = match (by_uid, &customer) {
        (Some(None), _) | (_, Some(None)) => Vec::new(),
        (Some(Some(id)), _) => found_one(registry, id).await?,
        (None, Some(Some(customer))) => {
            let id = RecordId::Customer(customer.clone());
            match dataset.is_of_devices() {
                true => registry.store.meters_of(&id).await?,
                false => found_one(registry, id).await?,
            }
        }
        (None, None) => Vec::new(),
    };
    let wanted = |(id, record): &(RecordId, StoredRecord)| {
        is_of_source(id, organization, origin)
            && record.dataset() == dataset.name()
            && customer
                .iter()
                .flatten()
                .all(|customer| id.customer() == customer)
    };
    Ok(Some(found.into_iter().filter(wanted).collect()))
}

async fn found_one(registry: &Registry, id: RecordId) -> Result<Records, StoreError> {
    let record = registry.store.record(&id).await?;
    Ok(record.map(|record| (id, record)).into_iter().collect())
}

/// Another organisation's records, and another source's, do not exist here.
fn is_of_source(id: &RecordId, organization: OrganizationId, origin: &DataOrigin) -> bool {
    let customer = id.customer();
    customer.organization() == organization && customer.origin() == origin
}
