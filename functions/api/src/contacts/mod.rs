//! `/external/v1/customers`, and the same once more below `/external/v1`: contacts are made, one
//! or several at once, and listed.

mod body;
mod checked;
mod detail;
mod list;
mod store;

use clientele::{
    Registry,
    dataset::Dataset,
    identity::{CustomerUid, DataOrigin, RecordId, UidPart},
    store::GroupId,
    web::{Call, Principal, Problem, REPLAYED, Reply, json},
};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) use list::list;

use self::{
    body::Contacts,
    checked::Checks,
    detail::unprocessable,
    store::{Made, accepted, make},
};
use crate::{dataset_in::check_group, dataset_named, source_of_files};

/// The dataset of contacts.
const CONTACTS: &str = "contacts";

/// What contacts are, for somebody who may reach them.
struct Place {
    dataset: Arc<Dataset>,
    origin: DataOrigin,
    group: GroupId,
}

impl Place {
    fn of(caller: &Principal) -> Result<Self, Problem> {
        let dataset = dataset_named(CONTACTS)?;
        let origin = source_of_files(caller, &dataset, None)?;
        check_group(caller, &dataset, &origin)?;
        Ok(Self {
            group: GroupId::of_source(&dataset, &origin),
            dataset,
            origin,
        })
    }
}

/// Makes a contact.
pub(crate) async fn create_one(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let place = Place::of(caller)?;
    call.check_json()?;
    let contacts = match Contacts::one(call) {
        Ok(contacts) => contacts,
        Err(detail) => return Ok(unprocessable(vec![detail])),
    };
    create(registry, call, caller, place, &contacts).await
}

/// Makes up to a hundred contacts, all of them or none.
pub(crate) async fn create_many(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let place = Place::of(caller)?;
    call.check_json()?;
    let contacts = match Contacts::many(call) {
        Ok(contacts) => contacts,
        Err(detail) => return Ok(unprocessable(vec![detail])),
    };
    create(registry, call, caller, place, &contacts).await
}

async fn create(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    place: Place,
    contacts: &Contacts<'_>,
) -> Reply {
    call.audit(|line| line.group(&place.group));
    let checks = Checks::of(registry, caller.organization, place).await?;
    let made = match contacts.texts.is_empty() {
        true => Made::Contacts(Vec::new()),
        false => match Box::pin(make(registry, call, &checks, contacts)).await? {
            Ok(made) => made,
            Err(details) => return Ok(unprocessable(details)),
        },
    };
    let mut customers = match made {
        Made::Contacts(customers) => customers,
        Made::Later(job, ids) => return Ok(accepted(&job, &ids)),
    };
    call.audit(|line| line.count("created", customers.len() as u64));
    let body = match (contacts.is_list, customers.pop()) {
        (false, Some(customer)) => customer,
        (_, last) => {
            customers.extend(last);
            json!({"created": customers.len(), "customers": customers})
        }
    };
    Ok(json(StatusCode::CREATED, &body))
}

/// A reply, unless it is a kept one and somebody whom it tells of was deleted since.
pub(crate) async fn unless_deleted(
    registry: &Registry,
    caller: &Principal,
    reply: Response<String>,
) -> Reply {
    let is_kept = reply.headers().contains_key(REPLAYED);
    if !is_kept || reply.status() != StatusCode::CREATED {
        return Ok(reply);
    }
    let place = Place::of(caller)?;
    let body: Value = serde_json::from_str(reply.body()).map_err(Problem::internal)?;
    let listed = body.get("customers").and_then(Value::as_array);
    let told = listed.map_or(std::slice::from_ref(&body), Vec::as_slice);
    let id = |contact: &Value| {
        let external_id = UidPart::parse(contact.get("customer_id")?.as_str()?).ok()?;
        let customer = CustomerUid::new(caller.organization, place.origin.clone(), external_id);
        Some(RecordId::Customer(customer))
    };
    let ids: Vec<RecordId> = told.iter().filter_map(id).collect();
    let found = registry.store.records(&ids).await?;
    match found.iter().any(Option::is_none) {
        true => Err(deleted_since()),
        false => Ok(reply),
    }
}

/// 409: contacts are gone that a request has made before.
fn deleted_since() -> Problem {
    let detail = "contacts of this request were deleted since it was first made";
    Problem::conflict("deleted_since", detail)
}
