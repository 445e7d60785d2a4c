//! How the functions reach the stack's own AWS services.

use std::error::Error;

use aws_sdk_s3::config::Credentials;
use clientele::aws::{AwsConnection, TrustedRoots};

/// The region that every local client names.
pub const REGION: &str = "us-east-1";
const ACCESS_KEY_ID: &str = "clientele";
const SECRET_ACCESS_KEY: &str = "clientele-local";

/// What local clients sign with. It guards nothing: the endpoints listen on the
/// loopback address unless told otherwise, and the data is as open as the folder it lies in.
#[derive(Debug, Clone)]
pub(crate) struct LocalCredentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
}

impl LocalCredentials {
    /// A fixed pair, so that a user's AWS profile works with every data folder.
    pub(crate) fn for_embedded_servers() -> Self {
        Self {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
        }
    }

    /// The environment's pair, where another server may know who calls.
    pub(crate) fn for_other_servers() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        match (
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
        ) {
            (Some(access_key_id), Some(secret_access_key)) => Self {
                access_key_id,
                secret_access_key,
            },
            _ => Self::for_embedded_servers(),
        }
    }

    /// A connection to DynamoDB and S3 at these URLs. There is no KMS: a file wraps the keys.
    pub(crate) fn connection(&self, dynamodb: &str, s3: &str) -> AwsConnection {
        AwsConnection {
            region: REGION.to_owned(),
            credentials: Credentials::new(
                &self.access_key_id,
                &self.secret_access_key,
                None,
                None,
                "clientele-local",
            ),
            dynamodb_endpoint: Some(dynamodb.to_owned()),
            s3_endpoint: Some(s3.to_owned()),
            kms_endpoint: None,
            // Other servers than the embedded ones can be anybody's.
            trusted_roots: TrustedRoots::of_the_system(),
        }
    }
}

/// An SDK error with its causes in one line: the SDK's own message says only at
/// which stage a call failed.
pub fn explain(error: impl Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
