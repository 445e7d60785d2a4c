//! Documents that clients may keep, and ask for only when they have changed (RFC 9110, 13.1.2).

use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use sha2::{Digest, Sha256};

/// A document changes with a deployment at most; this is how long nobody may notice.
const CACHE_CONTROL: &str = "public, max-age=300";

/// A document, or that the client has it already.
pub(crate) fn published(
    document: String,
    content_type: &'static str,
    request: &HeaderMap,
) -> Response<String> {
    let digest = HEXLOWER.encode(&Sha256::digest(&document));
    let tag = format!("\"{digest}\"");
    let is_known = knows(request, &tag);
    let mut response = Response::new(match is_known {
        true => String::new(),
        false => document,
    });
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(CACHE_CONTROL),
    );
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    match is_known {
        true => *response.status_mut() = StatusCode::NOT_MODIFIED,
        false => {
            let content_type = HeaderValue::from_static(content_type);
            headers.insert(header::CONTENT_TYPE, content_type);
        }
    }
    response
}

/// Whether the client names the document's tag among those that it has.
fn knows(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(header::IF_NONE_MATCH).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|known| {
        let known = known.trim();
        // A weak tag does as well: proxies that compress make weak ones of strong ones.
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}
