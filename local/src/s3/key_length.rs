//! A limit on keys that `s3s-fs` has and does not tell of.
//!
//! It keeps an object's metadata in a file named after the key in base64, and file
//! systems allow names of 255 bytes. With a longer key it would store the object,
//! fail to store the metadata, and answer with an internal error, so that a client
//! tries again and again and each try is imported.

use axum::{
    extract::Request,
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;

/// The longest key, in bytes, whose metadata can be kept; S3 itself allows 1,024.
const MAX_KEY: usize = 153;

const TOO_LONG: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    <Error><Code>KeyTooLongError</Code>\
    <Message>The local S3 allows keys of 153 bytes</Message></Error>";

/// Refuses to create an object whose key is too long.
pub(super) async fn refuse_long_keys(request: Request, next: Next) -> Response {
    let creates = matches!(*request.method(), Method::PUT | Method::POST);
    if creates && key_length(request.uri().path()) > MAX_KEY {
        let content_type = [(header::CONTENT_TYPE, "application/xml")];
        return (StatusCode::BAD_REQUEST, content_type, TOO_LONG).into_response();
    }
    next.run(request).await
}

/// Of a path in path style, `/bucket/key`.
fn key_length(path: &str) -> usize {
    let key = path.trim_start_matches('/').split_once('/');
    key.map_or(0, |(_, key)| percent_decode_str(key).count())
}
