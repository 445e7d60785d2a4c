//! Addresses of the documentation and the console as people type them, which come here because
//! API Gateway's routes cannot end in a slash.

use clientele::web::Call;
use http::{HeaderValue, Method, Response, StatusCode, header};

/// Where a browser is to go instead (308, RFC 9110, 15.4.9), if a page is meant.
pub(crate) fn page_meant(call: &Call<'_>) -> Option<Response<String>> {
    if !matches!(*call.method, Method::GET | Method::HEAD) {
        return None;
    }
    let location = match call.path {
        "" => "/docs".to_owned(),
        path if is_page(path) => format!("/{path}"),
        _ => return None,
    };
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let location = HeaderValue::from_str(&location).ok()?;
    response.headers_mut().insert(header::LOCATION, location);
    Some(response)
}

fn is_page(path: &str) -> bool {
    let below_language = path
        .strip_prefix("en/")
        .or_else(|| path.strip_prefix("fr/"));
    let path = below_language.unwrap_or(path);
    let first = path.split('/').next().unwrap_or_default();
    // `//host` would be another host's address.
    matches!(first, "docs" | "console") && !path.contains("//")
}
