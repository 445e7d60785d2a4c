//! The API's reference: `/openapi.json` (OpenAPI 3.1), and the page that shows it.
//!
//! Routes, scopes and paths come from the API's own table, fields from the datasets' files; what a
//! route takes and answers is said here, area by area. A route that nobody describes does not
//! compile. The document is written with types of its own, since those of crates (aide, oas3,
//! utoipa) hold schemas in ones that lose keywords or the order of fields.

mod contacts;
mod customers;
mod dataset_api;
mod document;
mod events;
mod groups;
mod jobs;
mod keys;
mod public;
mod replies;
mod settings;
mod shapes;
mod sources;
mod uploads;
mod viewer;
mod workspace;

use clientele::{
    dataset::{
        Dataset,
        schema::{Codes, Members, Schema, lists},
        workspace::definition_schema,
    },
    web::{ENDPOINTS, Endpoint, Operation as Route, Problem, Reply},
};
use serde_json::{Value, json};

use document::{
    Components, Document, Info, OPENAPI, Operation, Parameter, RequestBody, Response, Server, Tag,
};

pub(crate) use viewer::viewer;

use crate::{published::published, schemas::this_year, visit::Visit};

/// Where the document has its schemas.
const SCHEMAS: &str = "#/components/schemas/";

const INTRODUCTION: &str = "\
Takes in customers and meters, contacts and events, keeps one record per uid, and protects what is personal.

**Signing in.** `Authorization: Bearer …` with a JSON Web Token of your identity provider, or with the token of a source \
(`POST /v1/sources`). Each operation names the scope that it needs. What belongs to another organization answers as something \
that does not exist.

**Errors** are problem details (RFC 9457); `type` leads to a page about the error. A method that a path does not take is \
answered with 405 and `Allow`, a path that there is not with 404.

**Limits.** 300 requests in any 60 seconds, unless your deployment has another limit: the reply after that is 429 with \
`Retry-After`. Every reply says in `RateLimit` what is left. Requests and replies have at most 6 MB, requests with files, NDJSON or gzip 4.5 MB.

**Repeating.** With an `Idempotency-Key`, a POST or PATCH that is sent again is answered with the first reply, and nothing is \
done twice.";

/// What a route is for, what it takes and what it answers.
struct Description {
    tag: &'static str,
    summary: &'static str,
    text: &'static str,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    replies: Vec<(u16, Response)>,
}

impl Description {
    fn new(tag: &'static str, summary: &'static str, text: &'static str) -> Self {
        Self {
            tag,
            summary,
            text,
            parameters: Vec::new(),
            body: None,
            replies: Vec::new(),
        }
    }

    fn takes(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    fn with_body(mut self, body: RequestBody) -> Self {
        self.body = Some(body);
        self
    }

    /// The messages of its replies come in two languages.
    fn speaks(self) -> Self {
        self.takes(replies::accept_language())
    }

    fn answers(mut self, status: u16, reply: Response) -> Self {
        self.replies.push((status, reply));
        self
    }

    /// A problem that is said with a status.
    fn refuses(self, status: u16, description: &'static str) -> Self {
        self.answers(status, replies::refused(description))
    }
}

/// `GET /openapi.json`. The API is where the document is, and so at the origin that a page of the
/// document may send requests to.
pub(crate) fn document(visit: &Visit<'_>) -> Reply {
    let api_url = visit.origin();
    let document = openapi(&api_url, this_year()).map_err(Problem::internal)?;
    let headers = &visit.parts.headers;
    Ok(published(document, "application/json", headers))
}

/// The document as JSON, for an API at an address without a slash at its end.
fn openapi(api_url: &str, this_year: i16) -> Result<String, serde_json::Error> {
    let document = Document {
        openapi: OPENAPI,
        info: Info {
            title: "Clientele",
            version: env!("CARGO_PKG_VERSION"),
            summary: "A serverless registry of customers.",
            description: INTRODUCTION,
            license: json!({"name": "Apache-2.0", "identifier": "Apache-2.0"}),
        },
        servers: vec![Server {
            url: api_url.to_owned(),
        }],
        tags: tags(),
        paths: paths(),
        components: Components {
            schemas: schemas(this_year)?,
            responses: named(replies::responses()),
            headers: named(replies::headers()),
            security_schemes: named(security_schemes()),
        },
    };
    serde_json::to_string(&document)
}

/// How a caller says who they are. The viewer shows them in this order.
fn security_schemes() -> Vec<(&'static str, Value)> {
    vec![
        (
            "token",
            json!({
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "A user's or a service's JSON Web Token.",
            }),
        ),
        (
            "sourceToken",
            json!({
                "type": "http", "scheme": "bearer",
                "description": "A source's own token, from POST /v1/sources.",
            }),
        ),
    ]
}

fn tags() -> Vec<Tag> {
    [
        ("Datasets", "Rows of the built-in datasets, in and out."),
        (
            "Customers",
            "Customers of groups: upload, read page by page, change, delete.",
        ),
        ("Groups", "Sets of records of one dataset."),
        ("Jobs", "What imports are doing and what became of them."),
        ("Uploads", "Files of any size, straight to the bucket."),
        ("Contacts", "People who got in touch."),
        ("Events", "CUSTOMER events."),
        (
            "Workspace",
            "The fields of an organization's own customers.",
        ),
        (
            "Organization",
            "Settings, encryption keys, and what protection does.",
        ),
        (
            "Sources",
            "Where data comes from, and tokens to push it with.",
        ),
        ("Documentation", "Open to everyone."),
    ]
    .map(|(name, description)| Tag { name, description })
    .into()
}

fn paths() -> Members<Members<Operation>> {
    let mut paths = Members::<Members<Operation>>(Vec::new());
    let mut add = |path: &str, method: String, operation: Operation| {
        // OpenAPI has no parameter of several segments: a job's long id is sent percent-encoded.
        let path = path.replace("+}", "}");
        let at = paths.0.iter().position(|(known, _)| *known == path);
        match at.and_then(|at| paths.0.get_mut(at)) {
            Some((_, operations)) => operations.0.push((method.into(), operation)),
            None => paths
                .0
                .push((path.into(), Members(vec![(method.into(), operation)]))),
        }
    };
    for endpoint in ENDPOINTS {
        for (at, path) in endpoint.paths().enumerate() {
            let method = endpoint.method.as_str().to_lowercase();
            add(path, method, operation(endpoint, at));
        }
    }
    for (path, operation) in public::operations() {
        add(path, "get".to_owned(), operation);
    }
    paths
}

/// A route as an operation; `at` counts the paths that lead to it.
fn operation(endpoint: &Endpoint, at: usize) -> Operation {
    let Description {
        tag,
        summary,
        text,
        mut parameters,
        body,
        replies,
    } = describe(endpoint.operation);
    let mut replies: Vec<(u16, Response)> = replies
        .into_iter()
        .map(|(status, reply)| (status, replies::counted(reply)))
        .collect();
    if replies::keeps_replies(endpoint) {
        parameters.push(replies::idempotency_key());
        let mut add = |status: u16, reply: Response| {
            if replies.iter().all(|(known, _)| *known != status) {
                replies.push((status, replies::counted(reply)));
            }
        };
        add(400, replies::refused("The Idempotency-Key is not valid."));
        add(
            409,
            replies::conflict(
                "The first request with this Idempotency-Key is still being answered.",
            ),
        );
        add(
            422,
            replies::refused("The Idempotency-Key was sent with another request."),
        );
        for (_, reply) in &mut replies {
            replies::mark_replayed(reply);
        }
    }
    for (status, reply) in replies::common(endpoint, body.is_some()) {
        if replies.iter().all(|(known, _)| *known != status) {
            replies.push((status, reply));
        }
    }
    replies.sort_by_key(|(status, _)| *status);
    let responses = replies
        .into_iter()
        .map(|(status, reply)| (status.to_string().into(), reply));
    Operation {
        tags: [tag],
        summary,
        description: described(endpoint, text),
        operation_id: operation_id(endpoint.operation, at),
        parameters,
        request_body: body,
        responses: Members(responses.collect()),
        security: security(endpoint),
        scope: Some(endpoint.scope.as_str()),
    }
}

fn described(endpoint: &Endpoint, text: &str) -> String {
    let scope = endpoint.scope.as_str();
    let sources = match endpoint.operation.is_open_to_sources() {
        true => " A source may do it with a token of its own.",
        false => "",
    };
    format!("{text}\n\nNeeds the scope `{scope}`.{sources}")
}

fn security(endpoint: &Endpoint) -> Vec<Value> {
    let mut schemes = vec![json!({"token": [endpoint.scope.as_str()]})];
    if endpoint.operation.is_open_to_sources() {
        schemes.push(json!({"sourceToken": []}));
    }
    schemes
}

/// `pushRows` of `PushRows`, and another name for each further path.
fn operation_id(route: Route, at: usize) -> String {
    let name = format!("{route:?}");
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    let name: String = first.into_iter().chain(letters).collect();
    match at {
        0 => name,
        1 => format!("{name}ByOldPath"),
        at => format!("{name}ByOldPath{at}"),
    }
}

fn describe(route: Route) -> Description {
    match route {
        Route::PushRows => dataset_api::push(),
        Route::CheckRows => dataset_api::check(),
        Route::ReadRows => dataset_api::read(),
        Route::PushEvents => events::push(),
        Route::CountPages => customers::count_pages(),
        Route::ReadCustomers => customers::read(),
        Route::CheckCustomers => customers::check(),
        Route::UpdateCustomers => customers::update(),
        Route::DeleteCustomers => customers::delete(),
        Route::ReleaseFences => customers::release(),
        Route::CreateContact => contacts::create(),
        Route::CreateContacts => contacts::create_many(),
        Route::ListContacts => contacts::list(),
        Route::ListGroups => groups::list(),
        Route::CreateGroup => groups::create(),
        Route::RenameGroup => groups::rename(),
        Route::DeleteGroup => groups::delete(),
        Route::AnnounceUpload => uploads::announce(),
        Route::ReadFields => workspace::read(),
        Route::ReplaceFields => workspace::replace(),
        Route::ListKeys => keys::list(),
        Route::RotateKeys => keys::rotate(),
        Route::RewrapRecords => keys::rewrap(),
        Route::ReadSettings => settings::read(),
        Route::ChangeSettings => settings::change(),
        Route::ExplainProtection => settings::explain(),
        Route::GrantSourceToken => sources::grant(),
        Route::ListSources => sources::list(),
        Route::RevokeSourceTokens => sources::revoke(),
        Route::ListJobs => jobs::list(),
        Route::CancelJob => jobs::cancel(),
        Route::ReadReport => jobs::report(),
        Route::ReadRejected => jobs::rejected(),
        Route::ReadJob => jobs::read(),
    }
}

/// A schema of the document by its name.
fn component(name: &str) -> Schema {
    Schema::at(format!("{SCHEMAS}{name}"))
}

fn schemas(this_year: i16) -> Result<Members<Schema>, serde_json::Error> {
    let codes = Codes { base: SCHEMAS };
    let mut schemas = Vec::new();
    for dataset in Dataset::all_builtin() {
        let sent = dataset.sent_schema(this_year, codes)?;
        schemas.push((sent_name(dataset).into(), sent));
        let record = dataset.record_schema().closed();
        schemas.push((record_name(dataset).into(), record));
    }
    schemas.push(("WorkspaceFieldsRequest".into(), definition_schema()));
    let areas = [
        dataset_api::schemas(),
        customers::schemas(),
        contacts::schemas(),
        events::schemas(),
        groups::schemas(),
        jobs::schemas(),
        workspace::schemas(),
        replies::schemas(),
    ];
    let areas = areas.into_iter().flatten();
    schemas.extend(areas.map(|(name, schema)| (name.into(), schema)));
    schemas.extend(lists().0);
    Ok(Members(schemas))
}

fn named<T>(members: Vec<(&'static str, T)>) -> Members<T> {
    let members = members.into_iter();
    Members(
        members
            .map(|(name, member)| (name.into(), member))
            .collect(),
    )
}

/// What one row or event of a dataset is called.
fn sent_name(dataset: &Dataset) -> String {
    let kind = if dataset.event().is_some() {
        "Event"
    } else {
        "Row"
    };
    format!("{}{kind}", capitalized(dataset.name()))
}

/// What a record of a dataset is called.
fn record_name(dataset: &Dataset) -> String {
    format!("{}Record", capitalized(dataset.name()))
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
