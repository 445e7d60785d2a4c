//! The `pages` function: page counts and pages of a group, in the customer management dialect.

mod count;
mod page;

use clientele::{
    Registry,
    store::{Group, GroupId},
    web::{Call, Principal, Problem, Reply, Scope, finish},
};
use http::{Method, StatusCode};
use lambda_http::{Body, Request, RequestExt, Response};

/// Answers one request.
pub async fn handle(registry: &Registry, request: Request) -> Response<Body> {
    let request_id = request
        .lambda_context_ref()
        .map(|context| context.request_id.clone());
    let (parts, body) = request.into_parts();
    let call = Call::new(&parts, &body);
    let reply = route(registry, &call).await;
    let request_id = request_id.unwrap_or_default();
    finish(reply, &registry.config.docs_url, &request_id).map(Body::from)
}

async fn route(registry: &Registry, call: &Call<'_>) -> Reply {
    match (call.method, call.path) {
        (&Method::POST, "v1/customer/pages") => count::pages(registry, call).await,
        (&Method::POST, "v1/customer") => page::customers(registry, call).await,
        (_, "v1/customer/pages" | "v1/customer") => Err(Problem::method_not_allowed("POST")),
        _ => Err(Problem::not_found("route")),
    }
}

/// The caller, who may read records. This dialect's clients know 403 as "not signed in".
fn reader(registry: &Registry, call: &Call<'_>) -> Result<Principal, Problem> {
    call.principal(&registry.verifier, Scope::RecordsRead)
        .map_err(|problem| problem.with_status(StatusCode::FORBIDDEN))
}

/// A group of the caller's. One that is unknown, or that the caller may not reach, is to this
/// dialect's clients one without customers.
async fn group(
    registry: &Registry,
    principal: &Principal,
    id: Option<String>,
) -> Result<Group, Problem> {
    let id = id.filter(|id| !id.is_empty()).ok_or_else(missing_fields)?;
    let id: GroupId = id.parse().map_err(|_| no_customers())?;
    if !principal.may_reach(&id) {
        return Err(no_customers());
    }
    let group = registry.store.group(principal.organization, &id).await?;
    group.ok_or_else(no_customers)
}

fn missing_fields() -> Problem {
    Problem::bad_request("missing_fields", "missing required fields")
}

fn no_customers() -> Problem {
    let status = StatusCode::UNAUTHORIZED;
    Problem::new(status, "no_customers", "No customers", "No customers found")
}
