//! A caller's quota in the headers of every reply, as the IETF's draft "RateLimit header fields
//! for HTTP" (draft-ietf-httpapi-ratelimit-headers) writes it.

use http::{HeaderMap, HeaderValue};

use crate::rate::{Quota, WINDOW_SECONDS};

/// Says what the limit is, what is left of it, and in how many seconds there is more.
pub(super) fn insert_headers(headers: &mut HeaderMap, quota: Quota) {
    let Quota {
        limit,
        remaining,
        reset,
    } = quota;
    let fields = [
        (
            "ratelimit-policy",
            format!("\"default\";q={limit};w={WINDOW_SECONDS}"),
        ),
        ("ratelimit", format!("\"default\";r={remaining};t={reset}")),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}
