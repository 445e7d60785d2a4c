//! How replies travel: compressed if the client can read that, as Lambda's limit of 6 MB and a
//! phone's connection are both small.

use std::{
    future::{Future, ready},
    io::Write,
    pin::Pin,
};

use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, Response, header};
use lambda_http::{Body, IntoResponse};

/// What is smaller gains nothing.
const MIN_BYTES: usize = 1_024;

/// A reply whose body travels as [`handle`](crate::handle) made it: by itself, `lambda_http` reads
/// every text again, which takes the byte order mark off a csv.
pub struct AsMade(pub Response<Body>);

impl IntoResponse for AsMade {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}

/// Compresses a text if the client takes gzip (RFC 9110, 12.5.3).
pub(crate) fn compressed(response: Response<Body>, request: &HeaderMap) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let text = match body {
        Body::Text(text) if text.len() >= MIN_BYTES => text,
        body => return Response::from_parts(parts, body),
    };
    vary_by_encoding(&mut parts.headers);
    let packed = takes_gzip(request).then(|| packed(&text)).flatten();
    let Some(packed) = packed else {
        return Response::from_parts(parts, Body::Text(text));
    };
    let gzip = HeaderValue::from_static("gzip");
    parts.headers.insert(header::CONTENT_ENCODING, gzip);
    // Other bytes than those that a strong tag stands for.
    if let Some(tag) = parts.headers.get(header::ETAG) {
        let weak = tag
            .to_str()
            .map(|tag| format!("W/{tag}"))
            .unwrap_or_default();
        if let Ok(weak) = HeaderValue::from_str(&weak) {
            parts.headers.insert(header::ETAG, weak);
        }
    }
    Response::from_parts(parts, Body::Binary(packed))
}

/// Adds to what the reply depends on. API Gateway takes one header of a name alone.
pub(crate) fn vary_by_encoding(headers: &mut HeaderMap) {
    let others = headers
        .get(header::VARY)
        .and_then(|value| value.to_str().ok());
    let all = match others {
        Some(others) if others.contains("Accept-Encoding") => return,
        Some(others) => format!("{others}, Accept-Encoding"),
        None => "Accept-Encoding".to_owned(),
    };
    if let Ok(all) = HeaderValue::from_str(&all) {
        headers.insert(header::VARY, all);
    }
}

/// A text in gzip's format. Memory cannot fail as a writer, so there is always one.
pub(crate) fn packed(text: &str) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).ok()?;
    encoder.finish().ok()
}

pub(crate) fn takes_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(header::ACCEPT_ENCODING).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|coding| {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = parameters.trim().strip_prefix("q=");
        let is_refused = quality.and_then(|q| q.trim().parse::<f32>().ok()) == Some(0.0);
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}
