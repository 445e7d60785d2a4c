//! `POST /v1/customer/pages`.

use clientele::{
    Registry,
    store::PAGE_SIZE,
    web::{Call, Reply, json},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Count {
    customer_group_id: Option<String>,
}

/// How many pages a group has: the same cost whatever its size.
pub(crate) async fn pages(registry: &Registry, call: &Call<'_>) -> Reply {
    let principal = crate::reader(registry, call)?;
    let body: Count = call.body()?;
    let group = crate::group(registry, &principal, body.customer_group_id).await?;
    let organization = principal.organization;
    let customers = registry.store.member_count(organization, &group.id).await?;
    if customers == 0 {
        return Err(crate::no_customers());
    }
    let body = json!({
        "pages": customers.div_ceil(PAGE_SIZE),
        "customers": customers,
        "page_size": PAGE_SIZE,
    });
    Ok(json(StatusCode::OK, &body))
}
