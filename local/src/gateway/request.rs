//! The event that an HTTP API sends for a request.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use std::{borrow::Cow, net::IpAddr};

use axum::http::{HeaderMap, HeaderName, header, request::Parts};
use data_encoding::BASE64;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

/// A request as API Gateway has read it.
pub(super) struct ProxyRequest<'a> {
    pub(super) parts: &'a Parts,
    pub(super) body: &'a [u8],
    pub(super) peer: IpAddr,
    pub(super) route_key: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'a str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    query_string_parameters: Map<String, Value>,
    request_context: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

impl ProxyRequest<'_> {
    /// The event as JSON.
    pub(super) fn to_event(&self, request_id: &str) -> String {
        let uri = &self.parts.uri;
        // An HTTP API hands over the path decoded, but the query as it came.
        let path = percent_decode_str(uri.path()).decode_utf8_lossy();
        let query = uri.query().unwrap_or_default();
        let (body, is_base64_encoded) = match self.body_text() {
            _ if self.body.is_empty() => (None, false),
            Some(text) => (Some(Cow::Borrowed(text)), false),
            None => (Some(Cow::Owned(BASE64.encode(self.body))), true),
        };
        let event = Event {
            version: "2.0",
            route_key: self.route_key,
            raw_path: &path,
            raw_query_string: query,
            cookies: self.cookies(),
            headers: self.headers(),
            query_string_parameters: joined(form_urlencoded::parse(query.as_bytes())),
            request_context: self.context(&path, request_id),
            body,
            is_base64_encoded,
        };
        json!(event).to_string()
    }

    fn context(&self, path: &str, request_id: &str) -> Value {
        let now = Timestamp::now();
        // HTTP/1.0 knows no host. API Gateway needs one to tell its APIs apart; there is only one here.
        let host = match text(&self.parts.headers, header::HOST) {
            host if host.is_empty() => Cow::Borrowed("localhost"),
            host => host,
        };
        let domain = host.split(':').next().unwrap_or_default();
        json!({
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": domain,
            "domainPrefix": domain.split('.').next().unwrap_or_default(),
            "http": {
                "method": self.parts.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", self.parts.version),
                "sourceIp": self.peer,
                "userAgent": text(&self.parts.headers, header::USER_AGENT),
            },
            "requestId": request_id,
            "routeKey": self.route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        })
    }

    /// Names in lower case, repeated headers joined by commas, cookies apart.
    fn headers(&self) -> Map<String, Value> {
        let headers = &self.parts.headers;
        // The gateway says itself how it was called, whatever the client says.
        let is_sent = |name: &HeaderName| *name != header::COOKIE && *name != "x-forwarded-proto";
        let pairs = headers.iter().filter(|(name, _)| is_sent(name));
        let sent = pairs.map(|(name, value)| {
            (
                name.as_str().into(),
                String::from_utf8_lossy(value.as_bytes()),
            )
        });
        let added = [
            ("x-forwarded-for", self.peer.to_string()),
            ("x-forwarded-proto", "http".to_owned()),
        ];
        joined(sent.chain(added.map(|(name, value)| (name.into(), value.into()))))
    }

    fn cookies(&self) -> Vec<String> {
        let headers = self.parts.headers.get_all(header::COOKIE);
        let all = headers.iter().flat_map(|value| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let cookies = value.split(';').map(|cookie| cookie.trim().to_owned());
            cookies.collect::<Vec<_>>()
        });
        all.filter(|cookie| !cookie.is_empty()).collect()
    }

    /// The body if its type is one that API Gateway takes for text; forms, files and
    /// unknown types travel as base64 even when they are text.
    fn body_text(&self) -> Option<&str> {
        let content_type = text(&self.parts.headers, header::CONTENT_TYPE).to_ascii_lowercase();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let is_text = media_type.starts_with("text/")
            || media_type.ends_with("+json")
            || media_type.ends_with("+xml")
            || matches!(
                media_type,
                "application/json" | "application/javascript" | "application/xml"
            );
        is_text
            .then(|| std::str::from_utf8(self.body).ok())
            .flatten()
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Cow<'_, str> {
    let value = headers.get(name);
    value.map_or(Cow::Borrowed(""), |value| {
        String::from_utf8_lossy(value.as_bytes())
    })
}

/// An object with one member a name; the values of a repeated name joined by commas.
fn joined<'a>(pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in pairs {
        match object.get_mut(&*name) {
            Some(Value::String(values)) => {
                values.push(',');
                values.push_str(&value);
            }
            _ => {
                object.insert(name.into_owned(), Value::String(value.into_owned()));
            }
        }
    }
    object
}
