//! `POST /v1/customer`.

use std::{collections::BTreeMap, sync::Arc};

use clientele::{
    Registry,
    dataset::Dataset,
    identity::RecordId,
    named::{NamedError, members_named},
    protection::{CipherError, KeyError, OrganizationKeys},
    store::{Cursor, Group, PAGE_SIZE, Page, StoredRecord},
    web::{Call, Principal, Problem, Reply, Scope, customer_group, enveloped_len, json},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// The largest body, in bytes: what is cut off comes with the next cursor.
const MAX_BODY_BYTES: usize = 5_000_000;
/// The largest body as Lambda carries it, which leaves room for the rest of the envelope.
const MAX_ENVELOPED_BYTES: usize = 6_200_000;

#[derive(Deserialize)]
struct Request {
    customer_group_id: Option<String>,
    page: Option<u64>,
    cursor: Option<String>,
    customer_id: Option<String>,
    #[serde(default)]
    reveal: bool,
}

/// A page of a group by its number, the records after a cursor, or those that an id names.
pub(crate) async fn customers(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let request: Request = call.object()?;
    if request.reveal && !caller.may(Scope::PiiReveal) {
        return Err(Problem::forbidden(Scope::PiiReveal.as_str()));
    }
    let group = customer_group(registry, call, caller, request.customer_group_id).await?;
    let dataset = registry
        .store
        .dataset(caller.organization, &group.dataset)
        .await?
        .ok_or_else(Problem::missing_workspace)?;
    let keys = match registry.keys.existing(caller.organization).await {
        // Nothing was ever written.
        Err(KeyError::None) => return Err(Problem::no_customers()),
        keys => keys?,
    };
    let (page, total) = match (request.page, request.cursor, &request.customer_id) {
        (Some(number), None, None) => numbered(registry, caller, &group, number).await?,
        (None, Some(cursor), None) => continued(registry, caller, &group, &cursor, &keys).await?,
        (None, None, Some(id)) => {
            let is_of_devices = dataset.is_of_devices();
            let found = named(registry, caller, &group, id, &keys, is_of_devices).await?;
            let digests = found.0.records.iter();
            let digests = digests.map(|(id, _)| keys.uid_digest(id.customer()).to_string());
            call.audit(|line| line.uid_digests(digests));
            found
        }
        _ => return Err(Problem::missing_fields()),
    };
    let fitting = |keys: &OrganizationKeys| {
        let reader = ProfileReader {
            dataset: Arc::clone(&dataset),
            keys,
            reveal: request.reveal,
        };
        fit(&page, &group, &reader)
    };
    let organization = caller.organization;
    let (customers, next) = registry.keys.reading(organization, fitting).await?;
    if request.customer_id.is_some() && customers.len() < page.records.len() {
        return Err(too_many_named());
    }
    call.audit(|line| {
        line.count("records", customers.len() as u64);
        if request.reveal {
            line.reveal();
        }
    });
    let body = json!({
        "page": request.page,
        "pages": total.div_ceil(PAGE_SIZE),
        "customers": customers,
        "next_cursor": next.map(|cursor| cursor.encode(&keys)),
    });
    Ok(json(StatusCode::OK, &body))
}

async fn numbered(
    registry: &Registry,
    caller: &Principal,
    group: &Group,
    number: u64,
) -> Result<(Page, u64), Problem> {
    let rank = number.saturating_mul(PAGE_SIZE);
    let organization = caller.organization;
    let (page, total) = registry
        .store
        .page_at(organization, &group.id, rank, PAGE_SIZE)
        .await?;
    match total {
        0 => Err(Problem::no_customers()),
        total => Ok((page, total)),
    }
}

async fn continued(
    registry: &Registry,
    caller: &Principal,
    group: &Group,
    cursor: &str,
    keys: &OrganizationKeys,
) -> Result<(Page, u64), Problem> {
    let cursor = Cursor::decode(cursor, &group.id, keys)
        .map_err(|error| Problem::bad_request("invalid_cursor", error.to_string()))?;
    let organization = caller.organization;
    let page = registry
        .store
        .page_after(organization, &group.id, &cursor, PAGE_SIZE)
        .await?;
    match registry.store.member_count(organization, &group.id).await? {
        0 => Err(Problem::no_customers()),
        total => Ok((page, total)),
    }
}

/// The members that an id names, as a page of their own.
async fn named(
    registry: &Registry,
    caller: &Principal,
    group: &Group,
    id: &str,
    keys: &OrganizationKeys,
    is_of_devices: bool,
) -> Result<(Page, u64), Problem> {
    let organization = caller.organization;
    let store = &registry.store;
    let records = members_named(store, organization, group, id, keys, is_of_devices).await;
    let records = records.map_err(|error| match error {
        NamedError::Store(error) => error.into(),
        NamedError::TooManySources(_) => too_many_named(),
    })?;
    match store.member_count(organization, &group.id).await? {
        0 => Err(Problem::no_customers()),
        total => Ok((
            Page {
                records,
                next: None,
            },
            total,
        )),
    }
}

fn too_many_named() -> Problem {
    let detail = "customer_id names more than a reply holds; name one by its uid, or ask in the group of one source";
    Problem::bad_request("too_many_customers", detail)
}

/// What it takes to show customers.
struct ProfileReader<'k> {
    dataset: Arc<Dataset>,
    keys: &'k OrganizationKeys,
    /// Whether encrypted values are shown in clear.
    reveal: bool,
}

/// As many of a page's customers as a body holds, and where reading goes on.
fn fit(
    page: &Page,
    group: &Group,
    reader: &ProfileReader<'_>,
) -> Result<(Vec<Value>, Option<Cursor>), CipherError> {
    let mut customers = Vec::with_capacity(page.records.len());
    let (mut bytes, mut enveloped) = (0, 0);
    let mut last: Option<&RecordId> = None;
    for (id, record) in &page.records {
        let customer = reader.customer(id, record)?;
        let text = customer.to_string();
        bytes += text.len() + 1;
        enveloped += enveloped_len(&text) + 1;
        if bytes > MAX_BODY_BYTES || enveloped > MAX_ENVELOPED_BYTES {
            return Ok((customers, last.map(|id| Cursor::after(&group.id, id))));
        }
        customers.push(customer);
        last = Some(id);
    }
    Ok((customers, page.next.clone()))
}

impl ProfileReader<'_> {
    fn customer(&self, id: &RecordId, record: &StoredRecord) -> Result<Value, CipherError> {
        let uid = id.to_string();
        let shown = match self.reveal {
            true => record.revealed(&self.dataset, &uid, self.keys)?,
            false => record.shown(&self.dataset),
        };
        let mut profile: BTreeMap<String, Value> = shown.into_iter().collect();
        if let Some(custom) = record.custom() {
            let columns = self.keys.open_custom(&uid, custom)?;
            profile.insert("custom".to_owned(), columns.into_iter().collect());
        }
        Ok(json!({
            "customer_id": id.customer().external_id(),
            "uid": uid,
            "extended_profile": profile,
            "created_at": record.created_at,
            "updated_at": record.updated_at,
        }))
    }
}
