//! The `pages` function: page counts and pages of a group, in the customer management dialect.

mod count;
mod page;

use clientele::{
    Registry,
    web::{Call, Operation, Problem, Reply, Route, door},
};
use lambda_http::{Body, Request, RequestExt, Response};

/// Answers one request.
pub async fn handle(registry: &Registry, request: Request) -> Response<Body> {
    let context = request.lambda_context_ref();
    let request_id = context.map(|context| context.request_id.clone());
    let request_id = request_id.unwrap_or_default();
    let path = request.raw_http_path().to_owned();
    let (parts, body) = request.into_parts();
    let call = Call::new(&parts, &body, &request_id).at(&path);
    let reply = answer(registry, &call).await;
    door::settle(registry, &call, reply).map(Body::from)
}

async fn answer(registry: &Registry, call: &Call<'_>) -> Reply {
    let route = Route::of(call.method, call.path)?;
    let caller = door::admit(registry, call, route.endpoint).await?;
    match route.endpoint.operation {
        Operation::CountPages => count::pages(registry, call, &caller).await,
        Operation::ReadCustomers => page::customers(registry, call, &caller).await,
        // The api function's.
        _ => Err(Problem::not_found("route")),
    }
}
