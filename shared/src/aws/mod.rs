//! The connections to AWS, made from what Lambda puts in the environment.
//!
//! Lambda gives a function its region and credentials as variables that hold for
//! the life of the process, so the SDK's provider chain has nothing to find.

mod https;
mod roots;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig,
};

use crate::config::ConfigError;
pub use roots::{CaBundleError, TrustedRoots};

/// Where AWS is and who calls it.
#[derive(Debug, Clone)]
pub struct AwsConnection {
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    pub credentials: Credentials,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, else `AWS_ENDPOINT_URL`: another server than AWS's.
    pub dynamodb_endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_S3`, else `AWS_ENDPOINT_URL`.
    pub s3_endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_KMS`, else `AWS_ENDPOINT_URL`.
    pub kms_endpoint: Option<String>,
    /// Amazon's, or the system's in regions that Amazon does not certify, and besides those in
    /// the file that `AWS_CA_BUNDLE` names: PEM, for servers other than AWS's that are reached
    /// over https. The file adds to the others; with AWS's own tools it replaces them.
    pub trusted_roots: TrustedRoots,
}

impl AwsConnection {
    /// Reads Lambda's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        let optional = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let required = |name: &'static str| optional(name).ok_or(ConfigError::Missing(name));
        let endpoint = |name: &str| optional(name).or_else(|| optional("AWS_ENDPOINT_URL"));
        let region = required("AWS_REGION")?;
        let bundle = optional("AWS_CA_BUNDLE").map(PathBuf::from);
        Ok(Self {
            trusted_roots: TrustedRoots::new(&region, bundle)?,
            region,
            credentials: Credentials::new(
                required("AWS_ACCESS_KEY_ID")?,
                required("AWS_SECRET_ACCESS_KEY")?,
                optional("AWS_SESSION_TOKEN"),
                None,
                "environment",
            ),
            dynamodb_endpoint: endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
            s3_endpoint: endpoint("AWS_ENDPOINT_URL_S3"),
            kms_endpoint: endpoint("AWS_ENDPOINT_URL_KMS"),
        })
    }

    /// One client per service over one shared HTTP connection pool.
    pub fn clients(&self) -> AwsClients {
        let http_client = https::client(&self.trusted_roots);
        let region = Region::new(self.region.clone());
        // Throttling and timeouts are the SDK's to retry; conflicts between
        // transactions and unprocessed items are not, see `store::retry`.
        let retries = RetryConfig::standard().with_max_attempts(6);
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(20))
            .build();

        let mut dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .credentials_provider(self.credentials.clone())
            .http_client(http_client.clone())
            .retry_config(retries.clone())
            .timeout_config(timeouts.clone());
        dynamodb.set_endpoint_url(self.dynamodb_endpoint.clone());

        // A download lasts as long as its file, so only its connection is timed.
        let mut s3 = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .credentials_provider(self.credentials.clone())
            .http_client(http_client.clone())
            .retry_config(retries.clone())
            // Servers other than AWS's seldom resolve bucket names as hosts.
            .force_path_style(self.s3_endpoint.is_some());
        s3.set_endpoint_url(self.s3_endpoint.clone());

        let mut kms = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .credentials_provider(self.credentials.clone())
            .http_client(http_client)
            .retry_config(retries)
            .timeout_config(timeouts);
        kms.set_endpoint_url(self.kms_endpoint.clone());

        AwsClients {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            kms: aws_sdk_kms::Client::from_conf(kms.build()),
        }
    }
}

/// The SDK clients that the functions use.
#[derive(Debug, Clone)]
pub struct AwsClients {
    /// The table.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The bucket.
    pub s3: aws_sdk_s3::Client,
    /// What wraps the organisations' keys.
    pub kms: aws_sdk_kms::Client,
}
