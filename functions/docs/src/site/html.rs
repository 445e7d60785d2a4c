//! Pages as HTTP responses, with what a browser is to allow them.

use askama::Template;
use clientele::web::{Problem, Reply};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

/// How long a public page may be shown without asking again; a deployment changes it at most.
const PUBLIC: &str = "public, max-age=300";

/// A page that anyone may keep for a while.
pub(crate) fn html(template: &impl Template) -> Reply {
    let body = template.render().map_err(Problem::internal)?;
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(PUBLIC));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    secure(headers);
    Ok(response)
}

/// The same page, which is for one person: nobody keeps it, the browser neither.
pub(crate) fn no_store<B>(mut response: Response<B>) -> Response<B> {
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    response
}

/// 303: the browser goes on with a GET, so that reloading does not send a form again.
pub(crate) fn redirect(location: &str) -> Reply {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(location).map_err(Problem::internal)?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(no_store(response))
}

/// What pages may do: load this registry's own files, and send forms to it. Scripts and styles
/// within pages, frames and other hosts are refused.
fn secure(headers: &mut HeaderMap) {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                  connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Addresses of pages hold ids of groups and jobs. Forms of the same origin still say theirs.
        (header::REFERRER_POLICY, "same-origin"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let isolated = HeaderValue::from_static("same-origin");
    headers.insert("cross-origin-opener-policy", isolated.clone());
    headers.insert("cross-origin-resource-policy", isolated);
}

/// Lets a page's script send files to the bucket, whose origin is none of the page's own.
pub(crate) fn allow_uploads(mut response: Response<String>, origin: &str) -> Response<String> {
    let headers = response.headers_mut();
    let policy = headers.get(header::CONTENT_SECURITY_POLICY);
    let policy = policy
        .and_then(|policy| policy.to_str().ok())
        .unwrap_or_default();
    let wider = policy.replace(
        "connect-src 'self'",
        &format!("connect-src 'self' {origin}"),
    );
    if let Ok(wider) = HeaderValue::from_str(&wider) {
        headers.insert(header::CONTENT_SECURITY_POLICY, wider);
    }
    response
}
