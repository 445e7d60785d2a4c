//! The registry's own API, as the console calls it: with the visitor's token, over HTTP. The
//! console may so do what its user may, and nothing more; the function has no right of its own.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, OnceLock},
};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::time::Instant;

/// The largest answer in bytes; the API's own limit is Lambda's 6 MB.
const MAX_BYTES: usize = 7 * 1024 * 1024;

/// An HTTP client, whose connection is made when it is first needed.
#[derive(Clone, Default)]
pub(crate) struct Api(Arc<OnceLock<Connector>>);

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Api")
    }
}

/// The API gave no answer.
#[derive(Debug, Error)]
#[error("the API cannot be reached: {0}")]
pub(crate) struct Unreachable(String);

impl Unreachable {
    /// Something answered, but not as the API does.
    pub(crate) fn answered(status: StatusCode) -> Self {
        Self(format!("it answers with status {}", status.as_u16()))
    }
}

/// One request.
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    /// The whole address, percent-encoded where need be.
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, Cow<'a, str>)>,
    pub(crate) body: Vec<u8>,
}

impl Question<'static> {
    /// A file for the bucket, at an address that was signed together with some headers.
    pub(crate) fn put(url: String, signed: Map<String, Value>, content: Vec<u8>) -> Self {
        let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
        let signed = signed
            .into_iter()
            .map(|(name, value)| (name, text(value).into()));
        Self {
            method: Method::PUT,
            url,
            headers: signed.collect(),
            body: content,
        }
    }
}

/// What the API answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The media type.
    pub(crate) content_type: String,
    /// The name of a file to save.
    pub(crate) content_disposition: String,
    /// How many files there are of which this is one; empty where that is not said.
    pub(crate) parts: String,
    pub(crate) request_id: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON of a shape.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Unreachable> {
        // The parser's message may repeat a value.
        let unreadable = |error: serde_json::Error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            Unreachable(format!("it answers with something else at {place}"))
        };
        serde_json::from_slice(&self.body).map_err(unreadable)
    }
}

impl Api {
    /// Asks once, for an answer by some time. A request that failed on its way may have been
    /// carried out all the same.
    pub(crate) async fn ask(
        &self,
        question: Question<'_>,
        deadline: Instant,
    ) -> Result<Answer, Unreachable> {
        let asked = tokio::time::timeout_at(deadline, self.ask_patiently(question)).await;
        asked.unwrap_or_else(|_| Err(Unreachable("it takes too long".to_owned())))
    }

    async fn ask_patiently(&self, question: Question<'_>) -> Result<Answer, Unreachable> {
        let is_read = question.method == Method::GET;
        let request = request(question)?;
        let connector = self.0.get_or_init(|| {
            let provider = Provider::Rustls(CryptoMode::AwsLc);
            Connector::builder().tls_provider(provider).build()
        });
        // A connection that this function kept while it was frozen may have ended meanwhile.
        let again = match is_read {
            true => request.try_clone(),
            false => None,
        };
        let mut response = connector.call(request).await;
        if let (Err(_), Some(again)) = (&response, again) {
            response = connector.call(again).await;
        }
        let response = response.map_err(|error| Unreachable(error.to_string()))?;
        let status = StatusCode::from_u16(response.status().as_u16());
        let header = |name| response.headers().get(name).unwrap_or_default().to_owned();
        let mut answer = Answer {
            status: status.map_err(|error| Unreachable(error.to_string()))?,
            content_type: header("content-type"),
            content_disposition: header("content-disposition"),
            parts: header("x-parts"),
            request_id: header("x-request-id"),
            body: Vec::new(),
        };
        let mut body = ByteStream::new(response.into_body());
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| Unreachable(error.to_string()))?;
            if answer.body.len() + chunk.len() > MAX_BYTES {
                return Err(Unreachable(format!(
                    "it answers with over {MAX_BYTES} bytes"
                )));
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}

fn request(question: Question<'_>) -> Result<HttpRequest, Unreachable> {
    let unusable = |error: &dyn fmt::Display| Unreachable(error.to_string());
    let mut request = HttpRequest::new(SdkBody::from(question.body));
    request
        .set_method(question.method.as_str())
        .map_err(|error| unusable(&error))?;
    request
        .set_uri(question.url)
        .map_err(|error| unusable(&error))?;
    let headers = request.headers_mut();
    headers.insert("user-agent", "clientele-console");
    for (name, value) in question.headers {
        // Neither is repeated in the error: one may be a token.
        headers
            .try_insert(name, value.into_owned())
            .map_err(|_| Unreachable("a header cannot be sent".to_owned()))?;
    }
    Ok(request)
}
