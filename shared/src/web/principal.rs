//! Who calls: JSON Web Tokens (RFC 7519), checked here and not by a gateway in front.

use std::collections::{BTreeSet, HashMap};

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet},
};
use serde::Deserialize;
use thiserror::Error;

use crate::{caller::CallerId, config::JwtConfig, identity::OrganizationId, store::GroupId};

/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 60;
/// The longest token, in bytes. API Gateway itself takes 10 KB of headers.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// The longest subject, in bytes: OpenID Connect allows 255 characters.
const MAX_SUBJECT_BYTES: usize = 255;
/// The latest believable expiry: the end of the year 9999.
const LATEST_EXPIRY: u64 = 253_402_300_799;

/// What a principal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read records.
    RecordsRead,
    /// Write records.
    RecordsWrite,
    /// Delete records.
    RecordsDelete,
    /// See personal data in clear.
    PiiReveal,
    /// Change the organisation's settings.
    WorkspaceAdmin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [
        Self::RecordsRead,
        Self::RecordsWrite,
        Self::RecordsDelete,
        Self::PiiReveal,
        Self::WorkspaceAdmin,
    ];

    /// The scope as tokens name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RecordsRead => "records:read",
            Self::RecordsWrite => "records:write",
            Self::RecordsDelete => "records:delete",
            Self::PiiReveal => "pii:reveal",
            Self::WorkspaceAdmin => "workspace:admin",
        }
    }
}

/// Who calls.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Whose data it may reach.
    pub organization: OrganizationId,
    /// The user.
    pub subject: String,
    scopes: BTreeSet<Scope>,
    groups: Option<BTreeSet<String>>,
}

impl Principal {
    /// What stands for it where its name must not be.
    pub fn id(&self) -> CallerId {
        CallerId::of_user(self.organization, &self.subject)
    }

    /// Whether it may do something.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it may reach a group. A principal that is bound to groups may reach only those.
    pub fn may_reach(&self, group: &GroupId) -> bool {
        let bound = self.groups.as_ref();
        bound.is_none_or(|groups| groups.contains(group.as_str()))
    }

    /// Whether it is bound to groups, so that routes across them are closed to it.
    pub fn is_bound_to_groups(&self) -> bool {
        self.groups.is_some()
    }
}

/// A token that is not believed. Clients are not told why; the log is.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the token was refused: {reason}")]
pub struct Refusal {
    reason: String,
}

fn refusal(reason: impl ToString) -> Refusal {
    Refusal {
        reason: reason.to_string(),
    }
}

/// A key set that cannot be used.
#[derive(Debug, Error)]
pub enum VerifierError {
    /// Not a JSON Web Key Set.
    #[error("JWKS is not a JSON Web Key Set: {0}")]
    Syntax(#[from] serde_json::Error),
    /// A key that is of no use.
    #[error("JWKS has a key that cannot be used: {0}")]
    Key(#[from] jsonwebtoken::errors::Error),
}

/// Checks tokens against an issuer, an audience and a set of public keys.
pub struct Verifier {
    keys: HashMap<String, (DecodingKey, Validation)>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    organization_id: OrganizationId,
    #[serde(default)]
    scope: String,
    /// Absent for every group; a null is no list of groups.
    #[serde(default, deserialize_with = "present")]
    groups: Option<BTreeSet<String>>,
    /// A number without a fraction; the standard's fractions are nowhere in use.
    exp: u64,
}

fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

impl Verifier {
    /// A verifier for the configured issuer. Keys without an id, and keys of other kinds than
    /// ES256, RS256 and EdDSA, are left out: no token can name them.
    pub fn new(config: &JwtConfig) -> Result<Self, VerifierError> {
        let set: JwkSet = serde_json::from_str(&config.jwks)?;
        let mut keys = HashMap::new();
        for jwk in &set.keys {
            let (Some(kid), Some(algorithm)) = (&jwk.common.key_id, algorithm(jwk)) else {
                continue;
            };
            let key = DecodingKey::from_jwk(jwk)?;
            keys.insert(kid.clone(), (key, validation(config, algorithm)));
        }
        Ok(Self { keys })
    }

    /// The principal that a token speaks for.
    pub fn verify(&self, token: &str) -> Result<Principal, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(refusal("too long"));
        }
        let header = decode_header(token).map_err(refusal)?;
        if header.crit.is_some() || header.jwk.is_some() || header.jku.is_some() {
            return Err(refusal("the header asks for what is not understood"));
        }
        if header.x5u.is_some() || header.extras.inner().contains_key("b64") {
            return Err(refusal("the header asks for what is not understood"));
        }
        let kid = header.kid.ok_or_else(|| refusal("no key id"))?;
        // The algorithm comes from the key; the token's own word for it must agree.
        let (key, validation) = self
            .keys
            .get(&kid)
            .ok_or_else(|| refusal("unknown key id"))?;
        let claims = decode::<Claims>(token, key, validation)
            .map_err(refusal)?
            .claims;
        if claims.exp > LATEST_EXPIRY {
            return Err(refusal("expires too late"));
        }
        if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT_BYTES {
            return Err(refusal("the subject is empty or too long"));
        }
        let named: BTreeSet<&str> = claims.scope.split(' ').collect();
        Ok(Principal {
            organization: claims.organization_id,
            subject: claims.sub,
            scopes: Scope::ALL
                .into_iter()
                .filter(|s| named.contains(s.as_str()))
                .collect(),
            groups: claims.groups,
        })
    }
}

fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Some(Algorithm::ES256)
        }
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Some(Algorithm::EdDSA)
        }
        _ => None,
    }
}

fn validation(config: &JwtConfig, algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[&config.issuer]);
    validation.set_audience(&[&config.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY;
    validation
}
