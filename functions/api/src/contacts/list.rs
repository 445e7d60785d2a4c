//! `GET /external/v1/customers`.

use clientele::{
    Registry,
    identity::RecordId,
    protection::OrganizationKeys,
    store::StoredRecord,
    web::{Call, Principal, Reply, Scope, json, record_body, revealed_body},
};
use http::StatusCode;
use serde_json::json;

use super::{
    Place,
    detail::{Detail, unprocessable},
};
use crate::shown::shown;

const DEFAULT_SIZE: u64 = 20;
const MAX_SIZE: u64 = 1_000;
/// More pages than there can be.
const MAX_PAGE: u64 = 1_000_000_000;

/// A page of the contacts. Who may see personal data sees it in clear.
pub(crate) async fn list(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let place = Place::of(caller)?;
    call.audit(|line| line.group(&place.group));
    let page = number(call, "page", 1, MAX_PAGE);
    let size = number(call, "page_size", DEFAULT_SIZE, MAX_SIZE);
    let (page, size) = match (page, size) {
        (Ok(page), Ok(size)) => (page, size),
        (page, size) => {
            let details = [page.err(), size.err()].into_iter().flatten();
            return Ok(unprocessable(details.collect()));
        }
    };
    let organization = caller.organization;
    let (found, total) = registry
        .store
        .page_at(organization, &place.group, (page - 1) * size, size)
        .await?;
    let reveal = caller.may(Scope::PiiReveal);
    let dataset = &place.dataset;
    let show = |keys: Option<&OrganizationKeys>, id: &RecordId, record: &StoredRecord| match keys {
        Some(keys) if reveal => revealed_body(dataset, keys, id, record),
        keys => record_body(dataset, keys, id, record),
    };
    let Some(data) = shown(registry, organization, &found.records, show).await? else {
        let msg = "the page would be larger than the 6 MB of a reply; ask for a smaller one";
        let loc = [json!("query"), json!("page_size")];
        return Ok(unprocessable(vec![Detail::value_error(&loc, msg)]));
    };
    call.audit(|line| {
        line.count("records", data.len() as u64);
        if reveal {
            line.reveal();
        }
    });
    let pages = total.div_ceil(size);
    let body = json!({
        "data": data,
        "total": total,
        "page": page,
        "page_size": size,
        "total_pages": pages,
        "has_next": page < pages,
        "has_previous": page > 1,
    });
    Ok(json(StatusCode::OK, &body))
}

/// A whole number in the query, from 1 to a limit.
fn number(call: &Call<'_>, name: &str, default: u64, most: u64) -> Result<u64, Detail> {
    let loc = [json!("query"), json!(name)];
    let Some(text) = call.query.get(name) else {
        return Ok(default);
    };
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let msg = "Input should be a valid integer, unable to parse string as an integer";
        return Err(Detail::new(&loc, "int_parsing", msg));
    }
    if text.starts_with('-') || digits.bytes().all(|byte| byte == b'0') {
        let msg = "Input should be greater than or equal to 1";
        return Err(Detail::new(&loc, "greater_than_equal", msg));
    }
    match digits.parse() {
        Ok(number) if number <= most => Ok(number),
        _ => {
            let msg = format!("Input should be less than or equal to {most}");
            Err(Detail::new(&loc, "less_than_equal", msg))
        }
    }
}
