//! The `docs` function: documentation that anyone may read, and the console.
//!
//! It has neither the table nor the bucket nor a key. The console is a client of the API like any
//! other, with the token of whoever has signed in; pages are rendered here, so that no script in
//! a browser ever holds a token.

mod api;
mod console;
pub mod datasets;
pub mod errors;
mod published;
mod reference;
mod schemas;
mod settings;
mod site;
mod transport;
mod visit;

use clientele::web::Problem;
use http::{HeaderValue, Method, StatusCode, header::X_CONTENT_TYPE_OPTIONS};
use lambda_http::{Body, Request, RequestExt, Response};

pub use settings::{Docs, DocsSettings, ProviderSettings};
use site::{asset, failure_page, no_store};
pub use transport::AsMade;
use transport::compressed;
use visit::Visit;

/// The paths that it answers, as API Gateway has them.
pub const PATHS: [&str; 10] = [
    "/schemas/{file}",
    "/openapi.json",
    "/docs",
    "/docs/{path+}",
    "/{language}/docs",
    "/{language}/docs/{path+}",
    "/console",
    "/console/{path+}",
    "/{language}/console",
    "/{language}/console/{path+}",
];

/// Answers one request.
pub async fn handle(docs: &Docs, request: Request) -> Response<Body> {
    let context = request.lambda_context_ref();
    let request_id = context.map(|context| context.request_id.clone());
    let request_id = request_id.unwrap_or_default();
    let (parts, body) = request.into_parts();
    let visit = Visit::new(docs, &parts, &body, &request_id);
    let mut response = match answer(&visit).await {
        Ok(response) => response,
        Err(problem) => failed(&visit, problem).map(Body::Text),
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", id);
    }
    let nosniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, nosniff);
    let mut response = compressed(response, &parts.headers);
    if parts.method == Method::HEAD {
        *response.body_mut() = Body::Empty;
    }
    response
}

async fn answer(visit: &Visit<'_>) -> Result<Response<Body>, Problem> {
    let path: Vec<&str> = visit.place.path.trim_matches('/').split('/').collect();
    let headers = &visit.parts.headers;
    let reply = match *path.as_slice() {
        ["console", ref rest @ ..] => return console::answer(visit, rest).await,
        _ if !visit.is_read() => Err(Problem::method_not_allowed("GET, HEAD")),
        ["schemas", file] => schemas::schema(file, headers),
        ["openapi.json"] => reference::document(visit),
        ["docs", "api"] => reference::viewer(&visit.place),
        ["docs", "assets", version, file] => return asset(version, file, headers),
        ["docs"] => datasets::index(visit),
        ["docs", "errors"] => errors::index(visit),
        ["docs", "errors", code] => errors::page(visit, code),
        ["docs", dataset] => datasets::page(visit, dataset),
        ["docs", dataset, file] => return datasets::download(dataset, file),
        _ => Err(Problem::not_found("route")),
    };
    Ok(reply?.map(Body::Text))
}

/// An error: a page for people, problem details (RFC 9457) for programs.
fn failed(visit: &Visit<'_>, problem: Problem) -> Response<String> {
    let status = problem.status();
    let docs_url = visit.docs.settings.docs_url.for_host(visit.host());
    let response = problem.into_response(&docs_url, visit.request_id);
    if !visit.wants_html() {
        return no_store(response);
    }
    let allow = response.headers().get(http::header::ALLOW).cloned();
    match failure_page(&visit.place, status, visit.request_id) {
        Ok(mut page) => {
            page.headers_mut()
                .extend(allow.map(|allow| (http::header::ALLOW, allow)));
            page
        }
        Err(_) if status == StatusCode::INTERNAL_SERVER_ERROR => response,
        Err(problem) => problem.into_response(&docs_url, visit.request_id),
    }
}
