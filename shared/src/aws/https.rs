//! The one way that all calls to AWS go.

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::{
    Connector,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{HttpClient, HttpConnectorSettings, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};
use std::time::Duration;

use super::roots::TrustedRoots;

/// How long a connection may take; within a region it takes milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A client whose users share its connections and its TLS settings.
///
/// The SDK's own makes both anew for each service, to see whether it can, and once more for each
/// combination of timeouts, and every time parses all roots.
pub(super) fn client(roots: &TrustedRoots) -> SharedHttpClient {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(roots.context())
        .build();
    SharedHttpClient::new(OneConnector(SharedHttpConnector::new(connector)))
}

#[derive(Debug)]
struct OneConnector(SharedHttpConnector);

impl HttpClient for OneConnector {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.clone()
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some("1.x".into())))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn random_numbers_wait_for_no_jitter_of_the_clock() {
        // AWS-LC was compiled with the same environment as this: see .cargo/config.toml.
        assert_eq!(option_env!("AWS_LC_SYS_NO_JITTER_ENTROPY"), Some("1"));
    }
}
