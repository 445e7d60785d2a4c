//! A request without its transport, and the reply to it.

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
};

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::{AuditLine, Problem};
use crate::{language::Language, rate::Quota};

/// What a route answers.
pub type Reply = Result<Response<String>, Problem>;

/// The host that a client called: `clientele` where it does not say, which no API Gateway passes
/// on.
pub fn host(headers: &HeaderMap) -> &str {
    let host = headers.get(header::HOST);
    host.and_then(|host| host.to_str().ok())
        .unwrap_or("clientele")
}

/// A request, decoded.
pub struct Call<'r> {
    /// The method.
    pub method: &'r Method,
    /// The path, without stage and without slashes at its ends.
    pub path: &'r str,
    /// The query's first value by name, URL-decoded.
    pub query: HashMap<String, String>,
    /// The headers.
    pub headers: &'r HeaderMap,
    /// The body.
    pub body: &'r [u8],
    /// Lambda's id for the request.
    pub request_id: &'r str,
    audit: Mutex<AuditLine>,
    /// What the caller may still do, once it is known.
    pub(super) quota: OnceLock<Quota>,
    /// The job id that belongs to the call's idempotency key.
    pub(super) claimed_job_id: OnceLock<Uuid>,
}

impl<'r> Call<'r> {
    /// A request as an HTTP library has it.
    pub fn new(parts: &'r http::request::Parts, body: &'r [u8], request_id: &'r str) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        let mut values = HashMap::new();
        for (name, value) in pairs {
            values
                .entry(name.into_owned())
                .or_insert_with(|| value.into_owned());
        }
        Self {
            method: &parts.method,
            path: parts.uri.path().trim_matches('/'),
            query: values,
            headers: &parts.headers,
            body,
            request_id,
            audit: Mutex::default(),
            quota: OnceLock::new(),
            claimed_job_id: OnceLock::new(),
        }
    }

    /// The same at a path as the gateway has decoded it: one that holds a `#` or a `?`, which end
    /// the path of an address.
    pub fn at(mut self, path: &'r str) -> Self {
        if !path.is_empty() {
            self.path = path.trim_matches('/');
        }
        self
    }

    /// The language that the client reads.
    pub fn language(&self) -> Language {
        let header = self.headers.get(header::ACCEPT_LANGUAGE);
        let header = header.and_then(|value| value.to_str().ok());
        header.map_or(Language::English, Language::negotiate)
    }

    /// The id for what the call registers: a job, a token. A call that repeats one which died has
    /// the same, so that what is registered already is found instead of made again. It tells when
    /// the request first came (RFC 9562, version 7).
    pub fn new_id(&self) -> Uuid {
        let claimed = self.claimed_job_id.get().copied();
        claimed.unwrap_or_else(Uuid::now_v7)
    }

    /// Adds to what the audit will say of the call.
    pub fn audit<T>(&self, say: impl FnOnce(&mut AuditLine) -> T) -> T {
        let mut line = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        say(&mut line)
    }

    /// The host that the client called.
    pub fn host(&self) -> &str {
        host(self.headers)
    }

    /// The content type, with its parameters.
    pub fn content_type(&self) -> Option<&str> {
        let value = self.headers.get(header::CONTENT_TYPE);
        value.and_then(|value| value.to_str().ok())
    }

    /// The media type of the body in lower case, if the client says one.
    pub fn media_type(&self) -> Option<String> {
        let media_type = self.content_type()?.split(';').next()?.trim();
        (!media_type.is_empty()).then(|| media_type.to_ascii_lowercase())
    }

    /// Whether the client has compressed the body.
    fn is_compressed(&self) -> bool {
        self.is_encoded_but_by(&["", "identity"])
    }

    /// Whether the client has compressed the body by other means than gzip.
    pub fn is_compressed_but_by_gzip(&self) -> bool {
        self.is_encoded_but_by(&["", "identity", "gzip", "x-gzip"])
    }

    fn is_encoded_but_by(&self, known: &[&str]) -> bool {
        let codings = self.headers.get_all(header::CONTENT_ENCODING).iter();
        let codings = codings.map(|coding| coding.as_bytes().trim_ascii());
        let is_known = |coding: &[u8]| {
            known
                .iter()
                .any(|known| coding.eq_ignore_ascii_case(known.as_bytes()))
        };
        codings.into_iter().any(|coding| !is_known(coding))
    }

    /// Whether the body is JSON, as far as the client says what it is.
    pub fn is_json(&self) -> bool {
        self.media_type()
            .is_none_or(|of| of == "application/json" || of.ends_with("+json"))
    }

    /// Refuses a body of which the client says that it is not plain JSON.
    pub fn check_json(&self) -> Result<(), Problem> {
        if !self.is_json() {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Unsupported media type",
                "send the body as application/json",
            ));
        }
        match self.is_compressed() {
            true => Err(Problem::compressed_body()),
            false => Ok(()),
        }
    }

    /// The body as a JSON object of a shape. An array would pass for a struct, its elements
    /// for the fields: it is refused.
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.check_json()?;
        // RFC 8259, section 8.1 lets it be ignored; some frameworks write it.
        let text = self.body.strip_prefix(b"\xef\xbb\xbf");
        let text = text.unwrap_or(self.body);
        let shape = serde_json::from_slice(text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let detail = match error.classify() {
                // The parser's message may repeat a value.
                serde_json::error::Category::Data => {
                    format!("the body is not of the expected shape, at {place}")
                }
                _ => format!("the body is not JSON, at {place}"),
            };
            Problem::bad_request("invalid_body", detail)
        })?;
        match text.trim_ascii_start().first() {
            Some(b'{') => Ok(shape),
            _ => Err(Problem::bad_request(
                "invalid_body",
                "the body must be a JSON object",
            )),
        }
    }

    /// Refuses a query with other names than these: where leaving a parameter out does more than
    /// giving it, a typing error must not pass for leaving it out.
    pub fn takes_query(&self, names: &[&str]) -> Result<(), Problem> {
        let is_unknown = |name: &&String| !names.contains(&name.as_str());
        match self.query.keys().any(|name| is_unknown(&name)) {
            false => Ok(()),
            true => Err(Problem::bad_request(
                "invalid_query",
                format!("the query may hold {} alone", names.join(", ")),
            )),
        }
    }

    /// A whole number in the query, within bounds, or its default.
    pub fn number(&self, name: &str, default: u64, most: u64) -> Result<u64, Problem> {
        let Some(text) = self.query.get(name) else {
            return Ok(default);
        };
        match text.parse() {
            Ok(number) if (1..=most).contains(&number) => Ok(number),
            _ => Err(Problem::bad_request(
                "invalid_query",
                format!("{name} must be a whole number from 1 to {most}"),
            )),
        }
    }
}

/// Bytes that a JSON text takes in the envelope in which a function hands its reply to Lambda:
/// there, quotes and backslashes are escaped once more. The envelope has at most 6,291,556 bytes.
pub fn enveloped_len(json: &str) -> usize {
    let escaped = json.bytes().filter(|b| matches!(b, b'"' | b'\\')).count();
    json.len() + escaped
}

/// A reply with a JSON body.
pub fn json(status: StatusCode, body: &Value) -> Response<String> {
    let mut response = Response::new(body.to_string());
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}
