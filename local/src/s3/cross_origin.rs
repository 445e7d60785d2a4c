//! What browsers may do: the same as on the deployed bucket, whose rules the template has.

use std::time::Duration;

use axum::http::{Method, header};
use tower_http::cors::{Any, CorsLayer};

/// How long a browser need not ask again.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// Lets scripts put files to presigned addresses (CORS, <https://fetch.spec.whatwg.org/#http-cors-protocol>).
///
/// From any origin, for the address is the permission: a browser has no cookie or password for this
/// endpoint that a foreign script could misuse, and what is not signed is refused.
pub(super) fn uploads() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::PUT])
        .allow_headers([header::CONTENT_TYPE, header::IF_NONE_MATCH])
        .expose_headers([header::ETAG])
        .max_age(MAX_AGE)
}
