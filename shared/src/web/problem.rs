//! Errors as `application/problem+json` (RFC 9457).

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::Refusal;
use crate::{
    protection::{CipherError, KeyError},
    store::StoreError,
};

/// What a client is told, and what the log is told.
#[derive(Debug)]
pub struct Problem(Box<Details>);

#[derive(Debug)]
struct Details {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<Value>,
    /// Members besides those of every problem.
    members: Vec<(&'static str, Value)>,
    allow: Option<String>,
    accept_encoding: Option<&'static str>,
    /// In seconds.
    retry_after: Option<u64>,
    /// For the log only.
    cause: Option<String>,
}

impl Problem {
    /// A problem of the client's making. `code` names its page in the documentation.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Details {
            status,
            code,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            members: Vec::new(),
            allow: None,
            accept_encoding: None,
            retry_after: None,
            cause: None,
        }))
    }

    /// 400: the request is not what the route takes.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, "Bad request", detail)
    }

    /// 401: nobody known calls.
    pub fn unauthenticated(cause: impl ToString) -> Self {
        let detail = "send a valid token as Authorization: Bearer …";
        let mut problem = Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            "Not signed in",
            detail,
        );
        problem.0.cause = Some(cause.to_string());
        problem
    }

    /// 403: the caller may not.
    pub fn forbidden(scope: &'static str) -> Self {
        let detail = format!("this needs the scope {scope}");
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not allowed", detail)
    }

    /// 404: there is no such thing, or it is somebody else's.
    pub fn not_found(what: &str) -> Self {
        let detail = format!("there is no such {what}");
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", detail)
    }

    /// 405: the route takes other methods.
    pub fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("this route takes {allow}");
        let code = "method_not_allowed";
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            code,
            "Method not allowed",
            detail,
        );
        problem.0.allow = Some(allow.to_owned());
        problem
    }

    /// 415: the body is compressed. What may come instead is in the header that RFC 9110, section
    /// 12.5.3 has for this.
    pub fn compressed_body() -> Self {
        let code = "unsupported_media_type";
        let title = "Unsupported media type";
        let detail = "send the body as it is, without a content encoding";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let mut problem = Self::new(status, code, title, detail);
        problem.0.accept_encoding = Some("identity");
        problem
    }

    /// 400: a body of the customer management interface lacks something.
    pub fn missing_fields() -> Self {
        Self::bad_request("missing_fields", "missing required fields")
    }

    /// 400: the organisation has not defined the fields of its workspace.
    pub fn missing_workspace() -> Self {
        Self::bad_request("missing_workspace", "missing valid workspace")
    }

    /// 401: a group has no customers, is unknown or somebody else's. Clients of the customer
    /// management interface know this status.
    pub fn no_customers() -> Self {
        let status = StatusCode::UNAUTHORIZED;
        Self::new(status, "no_customers", "No customers", "No customers found")
    }

    /// 409: what is asked does not go with how things stand.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, "Conflict", detail)
    }

    /// 429: the caller may come again in some seconds.
    pub fn too_many_requests(limit: u32, retry_after: u64) -> Self {
        let detail = format!("at most {limit} requests in any 60 seconds; wait {retry_after} s");
        let title = "Too many requests";
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new(status, "too_many_requests", title, detail).retry_after(retry_after)
    }

    /// Says in how many seconds the same request may succeed.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// 500: the log knows what happened, the client only that it did.
    pub fn internal(cause: impl ToString) -> Self {
        let detail = "something went wrong; try again, and quote the request id if it stays so";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let mut problem = Self::new(status, "internal", "Internal error", detail);
        problem.0.cause = Some(cause.to_string());
        problem
    }

    /// 503: somebody that this depends on does not answer, which the log knows more about.
    pub fn unavailable(cause: impl ToString) -> Self {
        let detail = "who calls cannot be told at the moment; try again";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let mut problem = Self::new(status, "unavailable", "Not available", detail);
        problem.0.cause = Some(cause.to_string());
        problem.retry_after(5)
    }

    /// The same problem under another status, for dialects that have their own.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What the log is told.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Adds errors of rows.
    pub fn with_errors(mut self, errors: Vec<Value>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Adds a member of this kind of problem's own.
    pub fn with_member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.push((name, value.into()));
        self
    }

    /// The reply, and a line in the log where the log should know.
    pub fn into_response(self, docs_url: &str, request_id: &str) -> Response<String> {
        match &self.0.cause {
            Some(cause) if self.0.status.is_server_error() => {
                tracing::error!(request_id, cause, "a request failed");
            }
            Some(cause) => tracing::warn!(request_id, cause, "a request was refused"),
            None => {}
        }
        let mut body = Map::from_iter([
            (
                "type".to_owned(),
                json!(format!("{docs_url}/errors/{}", self.0.code)),
            ),
            ("title".to_owned(), json!(self.0.title)),
            ("status".to_owned(), json!(self.0.status.as_u16())),
            ("detail".to_owned(), json!(self.0.detail)),
            ("request_id".to_owned(), json!(request_id)),
            // Clients of the customer management interface look here.
            ("message".to_owned(), json!(self.0.detail)),
        ]);
        if !self.0.errors.is_empty() {
            body.insert("errors".to_owned(), Value::Array(self.0.errors));
        }
        for (name, value) in self.0.members {
            body.insert(name.to_owned(), value);
        }
        let mut response = Response::new(Value::Object(body).to_string());
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(allow) = self.0.allow.and_then(|allow| allow.parse().ok()) {
            headers.insert(header::ALLOW, allow);
        }
        if let Some(codings) = self.0.accept_encoding {
            let codings = HeaderValue::from_static(codings);
            headers.insert(header::ACCEPT_ENCODING, codings);
        }
        if let Some(seconds) = self.0.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.0.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // Not the caller's fault, and a 401 would have it sign in again.
            Refusal::NoKeys(_) => Self::unavailable(refusal),
            _ => Self::unauthenticated(refusal),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        Self::internal(error)
    }
}

impl From<CipherError> for Problem {
    fn from(error: CipherError) -> Self {
        Self::internal(error)
    }
}

impl From<crate::bucket::BucketError> for Problem {
    fn from(error: crate::bucket::BucketError) -> Self {
        Self::internal(error)
    }
}

impl From<crate::import::rejected::RejectedError> for Problem {
    fn from(error: crate::import::rejected::RejectedError) -> Self {
        Self::internal(error)
    }
}
