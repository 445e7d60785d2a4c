//! One request for an issuer's keys.

use std::{error::Error, sync::OnceLock, time::Duration};

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use thiserror::Error;
use url::{Host, Url};

use super::{VerifierError, key::KeySet};

/// How long everything may take, from the connection to the last byte.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest key set, in bytes: a hundred keys with their certificates.
const MAX_BYTES: usize = 256 * 1024;

/// Why an issuer's keys could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FetchError {
    /// The server does not answer, or breaks off.
    #[error("their server cannot be reached: {0}")]
    Connection(String),
    /// The server is too slow.
    #[error("their server takes longer than {} s", PATIENCE.as_secs())]
    Timeout,
    /// Anything but the keys, a redirect too: it would let another server name the keys.
    #[error("their server answers with status {0}")]
    Status(u16),
    /// More than any issuer has.
    #[error("their document is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Something else.
    #[error("their document is not a JSON Web Key Set")]
    NotAKeySet,
}

/// Where an issuer publishes its keys.
pub(super) struct KeySource {
    address: Url,
    /// The SDK's own connection over the SDK's own TLS, made when it is first needed.
    connector: OnceLock<Connector>,
}

impl KeySource {
    /// An https address, or an http one of this machine.
    pub(super) fn new(address: &str) -> Result<Self, VerifierError> {
        let address = Url::parse(address).map_err(|_| VerifierError::Address)?;
        let is_trusted = match (address.scheme(), address.host()) {
            ("https", Some(_)) => true,
            ("http", Some(Host::Domain(name))) => name == "localhost",
            ("http", Some(Host::Ipv4(ip))) => ip.is_loopback(),
            ("http", Some(Host::Ipv6(ip))) => ip.is_loopback(),
            _ => false,
        };
        match is_trusted {
            true => Ok(Self {
                address,
                connector: OnceLock::new(),
            }),
            false => Err(VerifierError::Address),
        }
    }

    /// Asks for the keys once.
    pub(super) async fn fetch(&self) -> Result<KeySet, FetchError> {
        let document = tokio::time::timeout(PATIENCE, self.download()).await;
        let document = document.map_err(|_| FetchError::Timeout)??;
        KeySet::from_json(&document).map_err(|_| FetchError::NotAKeySet)
    }

    async fn download(&self) -> Result<Vec<u8>, FetchError> {
        let mut request = HttpRequest::get(&self.address)
            .map_err(|error| FetchError::Connection(error.to_string()))?;
        request.headers_mut().insert("accept", "application/json");
        request.headers_mut().insert("user-agent", "clientele");
        let connector = self.connector.get_or_init(|| {
            Connector::builder()
                // The next request is an hour away.
                .pool_max_idle_per_host(0)
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .build()
        });
        let response = connector
            .call(request)
            .await
            .map_err(|error| FetchError::Connection(with_causes(&error)))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(FetchError::Status(status));
        }
        let mut body = ByteStream::new(response.into_body());
        let mut document = Vec::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| FetchError::Connection(error.to_string()))?;
            if document.len() + chunk.len() > MAX_BYTES {
                return Err(FetchError::TooLarge);
            }
            document.extend_from_slice(&chunk);
        }
        Ok(document)
    }
}

/// An error and what it comes from, as a line of the log.
fn with_causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    line
}
