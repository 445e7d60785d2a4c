//! The `api` function: writes and record reads over HTTP.

mod contacts;
mod customers;
mod dataset_in;
mod dataset_out;
mod erasure;
mod events;
mod explain;
mod fields;
mod groups;
mod jobs;
mod organization_keys;
mod registration;
mod rejected;
mod report;
mod settings;
mod shown;
mod site;
mod sources;
mod staging;
mod uploads;

use clientele::{
    Registry,
    dataset::Dataset,
    identity::DataOrigin,
    web::{Call, Operation, Principal, Problem, Reply, Route, door},
};
use http::header;
use lambda_http::{Body, IntoResponse, Request, RequestExt, Response};
use std::{future::ready, pin::Pin, sync::Arc};

/// Answers one request.
pub async fn handle(registry: &Registry, request: Request) -> Response<Body> {
    let context = request.lambda_context_ref();
    let request_id = context.map(|context| context.request_id.clone());
    let request_id = request_id.unwrap_or_default();
    let path = request.raw_http_path().to_owned();
    let (parts, body) = request.into_parts();
    let call = Call::new(&parts, &body, &request_id).at(&path);
    let reply = answer(registry, &call).await;
    in_transport(door::settle(registry, &call, reply))
}

async fn answer(registry: &Registry, call: &Call<'_>) -> Reply {
    if let Some(elsewhere) = site::page_meant(call) {
        return Ok(elsewhere);
    }
    let route = Route::of(call.method, call.path)?;
    let caller = door::admit(registry, call, route.endpoint).await?;
    // What some routes do is large.
    let work = Box::pin(work(registry, call, &caller, &route));
    let reply = door::once(registry, call, route.endpoint, &caller, work).await?;
    match route.endpoint.operation {
        Operation::CreateContact | Operation::CreateContacts => {
            contacts::unless_deleted(registry, &caller, reply).await
        }
        _ => Ok(reply),
    }
}

async fn work(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    route: &Route<'_>,
) -> Reply {
    let parameter = route.parameter;
    match route.endpoint.operation {
        Operation::ReadFields => fields::read(registry, call, caller).await,
        Operation::ReplaceFields => fields::replace(registry, call, caller).await,
        Operation::DeleteCustomers => erasure::delete(registry, call, caller).await,
        Operation::ReleaseFences => erasure::release(registry, call, caller).await,
        Operation::ListKeys => organization_keys::list(registry, call, caller).await,
        Operation::RotateKeys => organization_keys::rotate(registry, call, caller).await,
        Operation::RewrapRecords => organization_keys::rewrap(registry, call, caller).await,
        Operation::PushRows => dataset_in::import(registry, call, caller, parameter).await,
        Operation::PushEvents => events::push(registry, call, caller).await,
        Operation::CheckRows => dataset_in::check(registry, call, caller, parameter).await,
        Operation::ReadRows => dataset_out::page(registry, call, caller, parameter).await,
        Operation::CheckCustomers => customers::check(registry, call, caller).await,
        Operation::UpdateCustomers => customers::update(registry, call, caller).await,
        Operation::CreateContact => contacts::create_one(registry, call, caller).await,
        Operation::CreateContacts => contacts::create_many(registry, call, caller).await,
        Operation::ListContacts => contacts::list(registry, call, caller).await,
        Operation::ListGroups => groups::list(registry, call, caller).await,
        Operation::CreateGroup => groups::create(registry, call, caller).await,
        Operation::RenameGroup => groups::rename(registry, call, caller, parameter).await,
        Operation::DeleteGroup => groups::delete(registry, call, caller, parameter).await,
        Operation::AnnounceUpload => uploads::announce(registry, call, caller).await,
        Operation::ReadSettings => settings::read(registry, call, caller).await,
        Operation::ChangeSettings => settings::change(registry, call, caller).await,
        Operation::ExplainProtection => explain::explain(registry, call, caller).await,
        Operation::GrantSourceToken => sources::grant(registry, call, caller).await,
        Operation::ListSources => sources::list(registry, call, caller).await,
        Operation::RevokeSourceTokens => sources::revoke(registry, call, caller, parameter).await,
        Operation::ListJobs => jobs::list(registry, call, caller).await,
        Operation::ReadJob => jobs::one(registry, call, caller, parameter).await,
        Operation::CancelJob => jobs::cancel(registry, call, caller, parameter).await,
        Operation::ReadReport => report::report(registry, call, caller, parameter).await,
        Operation::ReadRejected => rejected::rejected(registry, call, caller, parameter).await,
        // Another function's.
        Operation::CountPages | Operation::ReadCustomers => Err(Problem::not_found("route")),
    }
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

/// The built-in dataset in a path.
fn dataset_named(name: &str) -> Result<Arc<Dataset>, Problem> {
    Dataset::builtin(name).ok_or_else(|| Problem::not_found("dataset"))
}

/// A dataset that files may be of: a built-in one, or the organisation's own.
async fn dataset_of_files(
    registry: &Registry,
    caller: &Principal,
    name: &str,
) -> Result<Arc<Dataset>, Problem> {
    let found = registry.store.dataset(caller.organization, name).await?;
    found.ok_or_else(|| match Dataset::is_name(name) {
        true => Problem::missing_workspace(),
        false => Problem::not_found("dataset"),
    })
}

/// The source of a dataset's records: the one that it has, or the caller's own, or what a user
/// names.
fn source_of_files(
    caller: &Principal,
    dataset: &Dataset,
    named: Option<&str>,
) -> Result<DataOrigin, Problem> {
    let Some(only) = dataset.source() else {
        return source_of(caller, named);
    };
    if caller.source().is_some_and(|own| own != only) {
        return Err(Problem::not_found("source"));
    }
    match named.is_none_or(|name| name == only.as_str()) {
        true => Ok(only.clone()),
        false => Err(Problem::bad_request(
            "source_of_dataset",
            format!("records of this dataset have the source {only}; leave it out"),
        )),
    }
}

/// The source that a request is about: the caller's own, or what a user names.
fn source_of(caller: &Principal, named: Option<&str>) -> Result<DataOrigin, Problem> {
    match (caller.source(), named) {
        (Some(own), None) => Ok(own.clone()),
        (Some(own), Some(named)) if own.as_str() == named => Ok(own.clone()),
        // To a source, there are no others.
        (Some(_), Some(_)) => Err(Problem::not_found("source")),
        (None, named) => source(named.unwrap_or("api")),
    }
}

/// The source of a dataset's records that a query names, or the caller's.
fn source_named(
    call: &Call<'_>,
    caller: &Principal,
    dataset: &Dataset,
) -> Result<DataOrigin, Problem> {
    let named = call.query.get("source").map(String::as_str);
    source_of_files(caller, dataset, named)
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
