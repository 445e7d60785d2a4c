//! The `docs` function: what anyone may read. It asks nobody who they are, and has neither the
//! table nor the bucket nor a key.

pub mod datasets;
mod published;
mod schemas;

use clientele::{
    config::DocsUrl,
    web::{Problem, Reply, host},
};
use http::{HeaderValue, Method, request::Parts};
use lambda_http::{Body, Request, RequestExt, Response};

/// The paths that it answers, as API Gateway has them.
pub const PATHS: [&str; 1] = ["/schemas/{file}"];

/// Answers one request. Error types link below `docs_url`.
pub fn handle(docs_url: &DocsUrl, request: Request) -> Response<Body> {
    let context = request.lambda_context_ref();
    let request_id = context.map(|context| context.request_id.clone());
    let request_id = request_id.unwrap_or_default();
    let (parts, _) = request.into_parts();
    let mut response = match answer(&parts) {
        Ok(response) => response,
        Err(problem) => {
            let docs_url = docs_url.for_host(host(&parts.headers));
            problem.into_response(&docs_url, &request_id)
        }
    };
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", id);
    }
    if parts.method == Method::HEAD {
        response.body_mut().clear();
    }
    response.map(Body::from)
}

fn answer(parts: &Parts) -> Reply {
    let path = parts.uri.path().trim_matches('/');
    let file = path.strip_prefix("schemas/");
    let file = file.filter(|file| !file.contains('/'));
    let file = file.ok_or_else(|| Problem::not_found("route"))?;
    match parts.method {
        Method::GET | Method::HEAD => schemas::schema(file, &parts.headers),
        _ => Err(Problem::method_not_allowed("GET, HEAD")),
    }
}
