//! What a deployment sets: read once from the environment, failing by name.

mod docs_url;
mod event_sources;

use thiserror::Error;

use crate::aws::CaBundleError;
pub use docs_url::DocsUrl;
pub use event_sources::{EventSender, EventSources, EventSourcesError};

/// The settings of every function, one environment variable each.
#[derive(Debug, Clone)]
pub struct Config {
    /// `TABLE_NAME`: the DynamoDB table.
    pub table: String,
    /// `BUCKET_NAME`: the bucket that files are dropped in.
    pub bucket: String,
    /// `KMS_KEY_ID` or `MASTER_KEY_FILE`: what wraps the organisations' keys.
    pub key_wrapping: KeyWrapping,
    /// `JWT_ISSUER`, `JWT_AUDIENCE`, `JWKS`: whose tokens are believed.
    pub jwt: JwtConfig,
    /// `INBOX_RETENTION`: what becomes of an imported file, `delete` (default) or `keep`.
    pub inbox_retention: InboxRetention,
    /// `DOCS_URL`: where the documentation is served, which error types link to.
    pub docs_url: DocsUrl,
    /// `RATE_LIMIT_PER_MINUTE`: the requests that a principal may make in any 60 seconds, 300
    /// unless set, 1 to 1,000,000. There is no way to turn the limit off.
    pub rate_limit_per_minute: u32,
}

/// The requests that a principal may make in any 60 seconds, unless the deployment says otherwise.
pub const DEFAULT_RATE_LIMIT: u32 = 300;
/// The most that a deployment may say.
pub const MAX_RATE_LIMIT: u32 = 1_000_000;

/// What wraps the organisations' keys at rest.
#[derive(Debug, Clone)]
pub enum KeyWrapping {
    /// An AWS KMS key, by id, alias or ARN.
    Kms(String),
    /// A file with a 256-bit key, for the local stack.
    File(std::path::PathBuf),
}

/// Whose JSON Web Tokens are believed (RFC 7519).
#[derive(Debug, Clone)]
pub struct JwtConfig {
    /// The `iss` claim a token must have.
    pub issuer: String,
    /// The `aud` claim a token must have.
    pub audience: String,
    /// `JWT_SCOPE_PREFIX`: what stands before the names of this registry's scopes, such as
    /// `clientele/` where an issuer puts the resource server's name there, as Amazon Cognito does.
    /// Empty unless set.
    pub scope_prefix: String,
    /// The issuer's public keys: a JSON Web Key Set (RFC 7517) as a literal document, or the https
    /// address of one (http only on this machine), fetched when first needed and then every hour, or
    /// the `file://` address of one beside the function, with an absolute path, read at its start:
    /// the local stack's.
    pub jwks: String,
}

/// What becomes of a file in the inbox when its job has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InboxRetention {
    /// It is deleted.
    Delete,
    /// It stays until the bucket's lifecycle rule removes it.
    Keep,
}

const DELETE: &str = "delete";
const KEEP: &str = "keep";

impl InboxRetention {
    /// The value of `INBOX_RETENTION` that means this.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => DELETE,
            Self::Keep => KEEP,
        }
    }
}

/// A setting that is missing or cannot be read.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A required variable is not set.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// A variable has a value outside its list.
    #[error("the environment variable {name} must be one of {allowed}")]
    NotAllowed {
        /// The variable.
        name: &'static str,
        /// Its allowed values.
        allowed: &'static str,
    },
    /// `EVENT_SOURCES` has an entry that makes no sense.
    #[error("EVENT_SOURCES: {0}")]
    EventSources(#[from] EventSourcesError),
    /// `AWS_CA_BUNDLE` names a file that cannot be used.
    #[error("AWS_CA_BUNDLE: {0}")]
    CaBundle(#[from] CaBundleError),
}

impl Config {
    /// Reads the process environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads settings from any source of named values.
    pub fn from_lookup(
        lookup: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let required = |name| {
            lookup(name)
                .filter(|value| !value.is_empty())
                .ok_or(ConfigError::Missing(name))
        };
        let key_wrapping = match lookup("MASTER_KEY_FILE").filter(|path| !path.is_empty()) {
            Some(path) => KeyWrapping::File(path.into()),
            None => KeyWrapping::Kms(required("KMS_KEY_ID")?),
        };
        let rate_limit = lookup("RATE_LIMIT_PER_MINUTE").filter(|limit| !limit.is_empty());
        let rate_limit_per_minute = match rate_limit.map(|limit| limit.parse()) {
            None => DEFAULT_RATE_LIMIT,
            Some(Ok(limit @ 1..=MAX_RATE_LIMIT)) => limit,
            Some(_) => {
                return Err(ConfigError::NotAllowed {
                    name: "RATE_LIMIT_PER_MINUTE",
                    allowed: "the whole numbers from 1 to 1000000",
                });
            }
        };
        let inbox_retention = match lookup("INBOX_RETENTION").as_deref() {
            None | Some("" | DELETE) => InboxRetention::Delete,
            Some(KEEP) => InboxRetention::Keep,
            Some(_) => {
                return Err(ConfigError::NotAllowed {
                    name: "INBOX_RETENTION",
                    allowed: "delete, keep",
                });
            }
        };
        Ok(Self {
            table: required("TABLE_NAME")?,
            bucket: required("BUCKET_NAME")?,
            key_wrapping,
            jwt: JwtConfig {
                issuer: required("JWT_ISSUER")?,
                audience: required("JWT_AUDIENCE")?,
                scope_prefix: lookup("JWT_SCOPE_PREFIX").unwrap_or_default(),
                jwks: required("JWKS")?,
            },
            inbox_retention,
            docs_url: DocsUrl::from_lookup(&lookup),
            rate_limit_per_minute,
        })
    }
}
