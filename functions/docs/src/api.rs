//! The registry's own API, as the console calls it: with the visitor's token, over HTTP. The
//! console may so do what its user may, and nothing more; the function has no right of its own.

use std::{fmt, sync::OnceLock, time::Duration};

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use clientele::language::Language;
use http::{Method, StatusCode};
use serde_json::Value;
use thiserror::Error;

/// How long an answer may take: a little less than the 29 s that this function has itself.
const PATIENCE: Duration = Duration::from_secs(27);
/// The largest answer in bytes; the API's own limit is Lambda's 6 MB.
const MAX_BYTES: usize = 7 * 1024 * 1024;

/// An HTTP client, whose connection is made when it is first needed.
#[derive(Default)]
pub(crate) struct Api(OnceLock<Connector>);

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Api")
    }
}

/// The API gave no answer.
#[derive(Debug, Error)]
#[error("the API cannot be reached: {0}")]
pub(crate) struct Unreachable(String);

/// One request.
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    /// The whole address, percent-encoded where need be.
    pub(crate) url: String,
    /// Who asks; nobody if empty.
    pub(crate) token: &'a str,
    pub(crate) language: Language,
    /// A body and its media type.
    pub(crate) body: Option<(String, &'static str)>,
}

/// What the API answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The media type.
    pub(crate) content_type: String,
    pub(crate) request_id: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; `null` if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Api {
    /// Asks once. A request that failed on its way may have been carried out all the same.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<Answer, Unreachable> {
        let asked = tokio::time::timeout(PATIENCE, self.ask_patiently(question)).await;
        asked.unwrap_or_else(|_| {
            let seconds = PATIENCE.as_secs();
            Err(Unreachable(format!("it takes longer than {seconds} s")))
        })
    }

    async fn ask_patiently(&self, question: Question<'_>) -> Result<Answer, Unreachable> {
        let request = request(question)?;
        let connector = self.0.get_or_init(|| {
            let provider = Provider::Rustls(CryptoMode::AwsLc);
            Connector::builder().tls_provider(provider).build()
        });
        let response = connector.call(request).await;
        let response = response.map_err(|error| Unreachable(error.to_string()))?;
        let status = StatusCode::from_u16(response.status().as_u16());
        let header = |name| response.headers().get(name).unwrap_or_default().to_owned();
        let mut answer = Answer {
            status: status.map_err(|error| Unreachable(error.to_string()))?,
            content_type: header("content-type"),
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
    let (body, content_type) = question.body.unwrap_or_default();
    let is_empty = body.is_empty();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request
        .set_method(question.method.as_str())
        .map_err(|error| unusable(&error))?;
    request
        .set_uri(question.url)
        .map_err(|error| unusable(&error))?;
    let language = match question.language {
        Language::English => "en",
        Language::French => "fr",
    };
    let headers = request.headers_mut();
    headers.insert("accept", "*/*");
    headers.insert("accept-language", language);
    headers.insert("user-agent", "clientele-console");
    if !is_empty {
        headers.insert("content-type", content_type);
    }
    if !question.token.is_empty() {
        let authorization = format!("Bearer {}", question.token);
        headers
            .try_insert("authorization", authorization)
            .map_err(|_| Unreachable("the token cannot be sent".to_owned()))?;
    }
    Ok(request)
}
