//! `POST /v1/customer/pages`.

use clientele::{
    Registry,
    store::PAGE_SIZE,
    web::{Call, Principal, Problem, Reply, customer_group, json},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Count {
    customer_group_id: Option<String>,
}

/// How many pages a group has: the same cost whatever its size.
pub(crate) async fn pages(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let body: Count = call.object()?;
    let group = customer_group(registry, call, caller, body.customer_group_id).await?;
    let organization = caller.organization;
    let customers = registry.store.member_count(organization, &group.id).await?;
    if customers == 0 {
        return Err(Problem::no_customers());
    }
    call.audit(|line| line.count("records", customers));
    let body = json!({
        "pages": customers.div_ceil(PAGE_SIZE),
        "customers": customers,
        "page_size": PAGE_SIZE,
    });
    Ok(json(StatusCode::OK, &body))
}
