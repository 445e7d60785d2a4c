//! Who may call a local stack: its own ES256 key, and the tokens signed with it.

use std::time::Duration;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use clientele::{config::JwtConfig, identity::OrganizationId};
use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use serde::Serialize;
use thiserror::Error;

use crate::data_dir::{DataDir, DataDirError, read_or_create_secret};

/// The `iss` of local tokens. It has no port, so a token outlives a change of `--port`.
pub const ISSUER: &str = "http://127.0.0.1/clientele-local";
/// The `aud` of local tokens.
pub const AUDIENCE: &str = "clientele";
/// Every scope there is.
pub const ALL_SCOPES: &str = "records:read records:write records:delete pii:reveal workspace:admin";

/// Why no token can be signed.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The key's file cannot be read or written.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The random source failed.
    #[error("no signing key could be generated")]
    Generate,
    /// The key's file holds something else.
    #[error("jwt-key.der in the data folder is not an ES256 key: {0}")]
    Key(#[source] jsonwebtoken::errors::Error),
    /// Signing failed.
    #[error("a token could not be signed: {0}")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

/// The key pair that signs a local stack's tokens.
pub struct SigningKey {
    private: EncodingKey,
    public: Jwk,
    id: String,
}

impl SigningKey {
    /// Reads the data folder's key, or makes it on first use.
    pub fn of(data: &DataDir) -> Result<Self, IdentityError> {
        let pkcs8 = read_or_create_secret(&data.jwt_key(), || {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .map(|document| document.as_ref().to_vec())
                .map_err(|_| IdentityError::Generate)
        })?;
        let private = EncodingKey::from_ec_der(&pkcs8);
        let mut public =
            Jwk::from_encoding_key(&private, Algorithm::ES256).map_err(IdentityError::Key)?;
        let id = public
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(IdentityError::Key)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self {
            private,
            public,
            id,
        })
    }

    /// What the functions must be told to believe this key.
    pub fn jwt_config(&self) -> JwtConfig {
        let keys = JwkSet {
            keys: vec![self.public.clone()],
        };
        JwtConfig {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            scope_prefix: String::new(),
            jwks: serde_json::json!(keys).to_string(),
        }
    }

    /// Signs a token that is valid from now on.
    pub fn token(&self, request: &TokenRequest) -> Result<String, IdentityError> {
        let now = Timestamp::now().as_second();
        let lifetime = i64::try_from(request.ttl.as_secs()).unwrap_or(i64::MAX);
        let claims = Claims {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: &request.user,
            organization_id: request.organization.get(),
            scope: &request.scope,
            groups: request.groups.as_deref(),
            iat: now,
            nbf: now,
            exp: now.saturating_add(lifetime),
        };
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, &claims, &self.private).map_err(IdentityError::Sign)
    }
}

/// Whom a token speaks for, and for how long.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// The organisation.
    pub organization: OrganizationId,
    /// The `sub` claim.
    pub user: String,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// The only groups that the token may see; `None` for all.
    pub groups: Option<Vec<String>>,
    /// How long the token is valid.
    pub ttl: Duration,
}

impl TokenRequest {
    /// Every scope in an organisation, for 30 days.
    pub fn for_everything_in(organization: OrganizationId) -> Self {
        Self {
            organization,
            user: "local".to_owned(),
            scope: ALL_SCOPES.to_owned(),
            groups: None,
            ttl: Duration::from_secs(30 * 24 * 60 * 60),
        }
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    organization_id: u64,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<&'a [String]>,
    iat: i64,
    nbf: i64,
    exp: i64,
}
