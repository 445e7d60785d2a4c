//! The `api` function: writes and record reads over HTTP.

mod dataset_in;
mod dataset_out;
mod jobs;
mod rejected;
mod report;
mod uploads;

use clientele::{
    Registry,
    dataset::Dataset,
    identity::DataOrigin,
    web::{Call, Problem, Reply, finish},
};
use http::{Method, header};
use lambda_http::{Body, IntoResponse, Request, RequestExt, Response};
use std::{future::ready, pin::Pin, sync::Arc};

/// Answers one request.
pub async fn handle(registry: &Registry, request: Request) -> Response<Body> {
    let request_id = request
        .lambda_context_ref()
        .map(|context| context.request_id.clone());
    let (parts, body) = request.into_parts();
    let call = Call::new(&parts, &body);
    let reply = route(registry, &call).await;
    let request_id = request_id.unwrap_or_default();
    in_transport(finish(reply, &registry.config.docs_url, &request_id))
}

/// A reply whose body travels as [`handle`] made it. By itself, `lambda_http` reads the body of
/// every text type as text again, which takes the byte order mark off a csv.
pub struct AsMade(pub Response<Body>);

impl IntoResponse for AsMade {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}

/// A csv travels as base64: how much that adds does not depend on what is in it, as the escapes
/// of Lambda's JSON envelope do.
fn in_transport(response: Response<String>) -> Response<Body> {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_csv = content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/csv"));
    response.map(|body| match is_csv {
        true => Body::Binary(body.into_bytes()),
        false => Body::Text(body),
    })
}

async fn route(registry: &Registry, call: &Call<'_>) -> Reply {
    let segments: Vec<&str> = call.path.split('/').collect();
    match (call.method, segments.as_slice()) {
        (&Method::POST, ["api", "v1", "in", dataset]) => {
            dataset_in::import(registry, call, dataset).await
        }
        (&Method::POST, ["api", "v1", "in", dataset, "check"]) => {
            dataset_in::check(registry, call, dataset).await
        }
        (&Method::GET, ["api", "v1", "out", dataset]) => {
            dataset_out::page(registry, call, dataset).await
        }
        (&Method::GET, ["v1", "jobs"]) => jobs::list(registry, call).await,
        (&Method::POST, ["v1", "jobs", id @ .., "cancel"]) => {
            jobs::cancel(registry, call, &id.join("/")).await
        }
        (&Method::GET, ["v1", "jobs", id @ .., "report"]) => {
            report::report(registry, call, &id.join("/")).await
        }
        (&Method::GET, ["v1", "jobs", id @ .., "rejected.csv"]) => {
            rejected::rejected(registry, call, &id.join("/")).await
        }
        (&Method::GET, ["v1", "jobs", id @ ..]) => jobs::one(registry, call, &id.join("/")).await,
        (&Method::POST, ["v1", "uploads"]) => uploads::announce(registry, call).await,
        (_, ["v1", "jobs", _, .., "cancel"] | ["v1", "uploads"])
        | (_, ["api", "v1", "in", _] | ["api", "v1", "in", _, "check"])
        // The pages function answers these; what it does not take comes here.
        | (_, ["v1", "customer"] | ["v1", "customer", "pages"]) => {
            Err(Problem::method_not_allowed("POST"))
        }
        (_, ["api", "v1", "out", _] | ["v1", "jobs", ..]) => {
            Err(Problem::method_not_allowed("GET"))
        }
        _ => Err(Problem::not_found("route")),
    }
}

/// The built-in dataset in a path.
fn dataset_named(name: &str) -> Result<Arc<Dataset>, Problem> {
    Dataset::builtin(name).ok_or_else(|| Problem::not_found("dataset"))
}

/// The source that a user's request is about.
fn source_named(call: &Call<'_>) -> Result<DataOrigin, Problem> {
    source(call.query.get("source").map_or("api", String::as_str))
}

fn source(name: &str) -> Result<DataOrigin, Problem> {
    let origin: DataOrigin =
        name.parse()
            .map_err(|error: clientele::identity::IdentityError| {
                Problem::bad_request("invalid_source", error.to_string())
            })?;
    match origin.is_reserved() {
        true => Err(Problem::bad_request(
            "reserved_source",
            "this source is kept for the records of another interface; name another one",
        )),
        false => Ok(origin),
    }
}
