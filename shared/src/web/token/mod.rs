//! JSON Web Tokens (RFC 7519), checked here and not by a gateway in front.
//!
//! ```text
//! Authorization ─▶ Jws ─▶ Header ─▶ key of that id ─▶ signature ─▶ Claims ─▶ Principal
//! ```
//!
//! Nothing in a token says how to check it: its `kid` chooses among the issuer's keys, and the
//! key chooses the algorithm. What is unusual is refused (RFC 8725), even where the standards
//! would let it pass.

mod claims;
mod download;
mod fetched;
mod jws;
mod key;
mod members;
mod roca;

use std::{io, path::Path, sync::Arc};

use jiff::Timestamp;
use thiserror::Error;

use super::Principal;
use crate::config::JwtConfig;
use claims::{Claims, Expected};
pub use download::FetchError;
use fetched::FetchedKeys;
use jws::Jws;
use key::{Key, KeySet, KeySetError};

/// The longest token, in bytes. API Gateway itself takes 10 KB of headers.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// A token that is not believed. Clients are not told why; the log is, without any value of
/// the token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Longer than any issuer makes them.
    #[error("the token is longer than {MAX_TOKEN_BYTES} bytes")]
    TooLong,
    /// Not three parts of unpadded base64url (RFC 7515, section 3.1).
    #[error("the token is not a signed token in compact form")]
    Form,
    /// A header that is no object, names something twice, or has members of other types.
    #[error("the token's header cannot be read")]
    Header,
    /// A header that brings its own key, or asks for something that is not done here.
    #[error("the token's header has {0:?}, which is not taken")]
    HeaderMember(&'static str),
    /// Made for another use, such as telling of a logout.
    #[error("the token is not of type JWT or at+jwt")]
    Type,
    /// Signed with a key that the issuer does not publish (any more).
    #[error("the token's key id is unknown")]
    UnknownKey,
    /// Signed with another algorithm than the key's.
    #[error("the token's algorithm is not its key's")]
    Algorithm,
    /// Not signed by that key.
    #[error("the token's signature is wrong")]
    Signature,
    /// Claims that are no object, name something twice, lack something, or have other types.
    #[error("the token's claims cannot be read, or one is missing")]
    Claims,
    /// Somebody else's, or not valid now.
    #[error("the token's claim {0} is not acceptable")]
    Claim(&'static str),
    /// Nobody can be believed, for want of the issuer's keys: the client should try again.
    #[error("the issuer's keys are not to be had: {0}")]
    NoKeys(FetchError),
}

/// A key set that cannot be used.
#[derive(Debug, Error)]
pub enum VerifierError {
    /// Neither a key set nor an address.
    #[error("JWKS is neither a JSON Web Key Set nor the https address of one")]
    NotAKeySet(#[source] KeySetError),
    /// A file that is looked for beside whatever folder the function starts in.
    #[error("JWKS names the file {0} by a relative path: file:// is followed by an absolute one")]
    RelativeFile(String),
    /// A file that cannot be read.
    #[error("JWKS names the file {0}, which cannot be read: {1}")]
    File(String, #[source] io::Error),
    /// A file of something else.
    #[error("JWKS names the file {0}, which is not a JSON Web Key Set")]
    FileIsNotAKeySet(String),
    /// An address that keys must not come from.
    #[error("JWKS is not an address that starts with https:// (http:// on this machine)")]
    Address,
}

/// Checks tokens against an issuer, an audience and a set of public keys.
pub struct Verifier {
    issuer: String,
    audience: String,
    scope_prefix: String,
    keys: Keys,
}

enum Keys {
    Literal(KeySet),
    Fetched(FetchedKeys),
}

impl Verifier {
    /// A verifier for the configured issuer. Nothing is fetched yet.
    pub fn new(config: &JwtConfig) -> Result<Self, VerifierError> {
        let jwks = &config.jwks;
        let keys = match jwks.strip_prefix("file://") {
            Some(path) => Keys::Literal(from_file(path)?),
            None if jwks.starts_with("http") => Keys::Fetched(FetchedKeys::at(jwks)?),
            None => {
                let keys = KeySet::from_json(jwks.as_bytes());
                Keys::Literal(keys.map_err(VerifierError::NotAKeySet)?)
            }
        };
        Ok(Self {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            scope_prefix: config.scope_prefix.clone(),
            keys,
        })
    }

    /// The principal that a token speaks for.
    pub async fn verify(&self, token: &str) -> Result<Principal, Refusal> {
        self.verify_at(token, Timestamp::now()).await
    }

    async fn verify_at(&self, token: &str, now: Timestamp) -> Result<Principal, Refusal> {
        let jws = Jws::parse(token)?;
        let key = self.key(&jws.header.kid, now).await?;
        let payload = jws.verified_payload(&key)?;
        Claims::parse(&payload)?.principal(Expected {
            issuer: &self.issuer,
            audience: &self.audience,
            scope_prefix: &self.scope_prefix,
            now,
        })
    }

    async fn key(&self, kid: &str, now: Timestamp) -> Result<Arc<Key>, Refusal> {
        let key = match &self.keys {
            Keys::Literal(keys) => keys.get(kid),
            Keys::Fetched(keys) => keys.get(kid, now).await.map_err(Refusal::NoKeys)?,
        };
        key.ok_or(Refusal::UnknownKey)
    }
}

fn from_file(path: &str) -> Result<KeySet, VerifierError> {
    if !Path::new(path).is_absolute() {
        return Err(VerifierError::RelativeFile(path.to_owned()));
    }
    let document = std::fs::read(path);
    let document = document.map_err(|error| VerifierError::File(path.to_owned(), error))?;
    KeySet::from_json(&document).map_err(|_| VerifierError::FileIsNotAKeySet(path.to_owned()))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
