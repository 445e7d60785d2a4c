//! `DELETE /v1/customer` and `POST /v1/fences/release`.

use clientele::{
    Registry,
    erasure::{self, ErasureError, MAX_CUSTOMERS},
    identity::{CustomerUid, DataOrigin, OrganizationId, UidPart},
    web::{Call, Principal, Problem, Reply, customer_group, json},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Delete {
    customer_group_id: Option<String>,
    #[serde(default)]
    customer_ids: Vec<Id>,
}

#[derive(Deserialize)]
struct Release {
    #[serde(default)]
    uids: Vec<Id>,
    #[serde(default)]
    customer_ids: Vec<Id>,
    source: Option<String>,
}

/// Clients send ids as they have them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(u64),
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        match id {
            Id::Text(text) => text,
            Id::Number(number) => number.to_string(),
        }
    }
}

/// Removes customers of a group for good.
pub(crate) async fn delete(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let body: Delete = call.object()?;
    let group = customer_group(registry, call, caller, body.customer_group_id).await?;
    let ids = counted(body.customer_ids)?;
    let request = erasure::Request {
        organization: caller.organization,
        principal: &caller.subject,
        group: &group,
        ids: &ids,
    };
    // However it ends: what it removes before it fails is removed.
    call.audit(|line| line.deletion());
    let erased = Box::pin(erasure::erase(registry, &request))
        .await
        .map_err(problem)?;
    call.audit(|line| {
        line.count("deleted", erased.deleted);
        line.count("not_found", erased.not_found.len() as u64);
        let subjects = erased.receipt.iter().flat_map(|receipt| &receipt.erased);
        line.uid_digests(subjects.map(|subject| subject.uid_digest.to_string()));
    });
    let body = json!({
        "deleted": erased.deleted,
        "not_found": erased.not_found,
        "erased_before": erased.erased_before,
        "receipt": erased.receipt,
    });
    Ok(json(StatusCode::OK, &body))
}

/// Lets erased customers come back with the next import.
pub(crate) async fn release(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let body: Release = call.object()?;
    // A fence tells of no group that could be checked.
    if caller.is_bound_to_groups() {
        return Err(Problem::not_found("fence"));
    }
    let organization = caller.organization;
    let origin = body.source.as_deref().map(origin).transpose()?;
    if origin.is_none() && !body.customer_ids.is_empty() {
        return Err(Problem::missing_fields());
    }
    let is_uid = std::iter::repeat_n(true, body.uids.len())
        .chain(std::iter::repeat_n(false, body.customer_ids.len()));
    let is_uid: Vec<bool> = is_uid.collect();
    let ids = counted(body.uids.into_iter().chain(body.customer_ids))?;
    let named: Vec<(String, Option<CustomerUid>)> = ids
        .into_iter()
        .zip(is_uid)
        .map(|(id, is_uid)| {
            let customer = match is_uid {
                true => uid(organization, &id),
                false => origin
                    .as_ref()
                    .and_then(|origin| of_source(organization, origin, &id)),
            };
            (id, customer)
        })
        .collect();
    let released = erasure::release(registry, organization, &caller.subject, &named)
        .await
        .map_err(problem)?;
    call.audit(|line| {
        line.count("released", released.released.len() as u64);
        line.count("not_found", released.not_found.len() as u64);
        line.uid_digests(released.released.iter().map(ToString::to_string));
    });
    let body = json!({
        "released": released.released.len(),
        "not_found": released.not_found,
    });
    Ok(json(StatusCode::OK, &body))
}

fn uid(organization: OrganizationId, id: &str) -> Option<CustomerUid> {
    CustomerUid::parse(id).filter(|uid| uid.organization() == organization)
}

fn of_source(organization: OrganizationId, origin: &DataOrigin, id: &str) -> Option<CustomerUid> {
    let external_id = UidPart::parse(id).ok()?;
    Some(CustomerUid::new(organization, origin.clone(), external_id))
}

fn origin(name: &str) -> Result<DataOrigin, Problem> {
    name.parse()
        .map_err(|error: clientele::identity::IdentityError| {
            Problem::bad_request("invalid_source", error.to_string())
        })
}

/// The ids of a request, as many as one may have.
fn counted(ids: impl IntoIterator<Item = Id>) -> Result<Vec<String>, Problem> {
    let ids: Vec<String> = ids.into_iter().map(String::from).collect();
    match ids.len() {
        0 => Err(Problem::missing_fields()),
        1..=MAX_CUSTOMERS => Ok(ids),
        found => Err(Problem::bad_request(
            "too_many_customers",
            format!("a request names at most {MAX_CUSTOMERS} customers, and this one {found}"),
        )),
    }
}

fn problem(error: ErasureError) -> Problem {
    let positions = match error {
        ErasureError::Ambiguous(positions) => positions,
        ErasureError::TooManySources(sources) => {
            return Problem::bad_request(
                "too_many_customers",
                format!(
                    "the ids could be of {sources} sources; name fewer customers at a time, or the group of one source"
                ),
            );
        }
        error => return Problem::internal(error),
    };
    let detail = "some ids name several customers of the group; nothing was deleted: name those customers by their uids";
    let named = |position: &usize| -> Value {
        json!({
            "row": position + 1,
            "code": "ambiguous_customer_id",
            "message": "several customers of the group have this id at their sources",
        })
    };
    Problem::conflict("ambiguous_customer_id", detail)
        .with_errors(positions.iter().map(named).collect())
}
