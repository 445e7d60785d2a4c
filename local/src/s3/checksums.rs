//! Checksums of objects, which this endpoint does not tell.
//!
//! `s3s-fs` checks what is put, and keeps the checksum in a file beside the object, written after
//! it. Whoever reads between the two, or after two who put one object at once, gets the checksum of
//! other bytes, and the SDK breaks the download off. S3 has both change as one.

use axum::{http::HeaderMap, response::Response};

/// Names of the headers begin with it.
const PREFIX: &str = "x-amz-checksum-";

/// Takes the checksums off a reply.
pub(super) async fn withhold(mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    let names: Vec<_> = headers.keys().cloned().collect();
    for name in names {
        if name.as_str().starts_with(PREFIX) {
            headers.remove(name);
        }
    }
    response
}
