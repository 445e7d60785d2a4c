//! The HTTP response that a function's reply stands for.

use std::collections::HashMap;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use data_encoding::BASE64;
use serde::Deserialize;
use thiserror::Error;

/// Headers that belong to the connection, which is API Gateway's.
const OF_THE_CONNECTION: [&str; 4] = [
    "connection",
    "content-length",
    "keep-alive",
    "transfer-encoding",
];

/// Why a reply stands for no response.
#[derive(Debug, Error)]
pub(super) enum ReplyError {
    #[error("it is not in payload format 2.0: {0}")]
    Format(#[from] serde_json::Error),
    #[error("its body is not base64: {0}")]
    Base64(#[from] data_encoding::DecodeError),
    #[error("{0}")]
    Http(#[from] axum::http::Error),
}

/// A reply in payload format 2.0. API Gateway ignores `multiValueHeaders` in it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply {
    status_code: u16,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    cookies: Vec<String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Reads a reply as API Gateway does.
pub(super) fn from_reply(reply: &str, request_id: &str) -> Result<Response, ReplyError> {
    let reply: Reply = serde_json::from_str(reply)?;
    let status = StatusCode::from_u16(reply.status_code).map_err(axum::http::Error::from)?;
    let mut response = Response::builder()
        .status(status)
        .header("apigw-requestid", request_id);
    for (name, value) in &reply.headers {
        if !OF_THE_CONNECTION.contains(&name.to_ascii_lowercase().as_str()) {
            // From bytes: a function may send UTF-8 where only ASCII is meant.
            let value = HeaderValue::from_bytes(value.as_bytes());
            response = response.header(name, value.map_err(axum::http::Error::from)?);
        }
    }
    for cookie in reply.cookies {
        response = response.header(header::SET_COOKIE, cookie);
    }
    let body = reply.body.unwrap_or_default();
    let body = if reply.is_base64_encoded {
        Body::from(BASE64.decode(body.as_bytes())?)
    } else {
        Body::from(body)
    };
    Ok(response.body(body)?)
}
