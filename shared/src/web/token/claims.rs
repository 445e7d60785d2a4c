//! What a token says, once its signature is known to be right.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Refusal, members::Members};
use crate::{
    identity::OrganizationId,
    web::{Principal, Scope},
};

/// How far clocks may differ, in seconds.
const LEEWAY: i64 = 60;
/// The longest subject, in bytes: OpenID Connect allows 255 characters.
const MAX_SUBJECT_BYTES: usize = 255;

/// The claims that are read (RFC 7519, section 4.1); others are ignored. Times are seconds since
/// 1970 without fractions: the standard has fractions, which no issuer uses.
#[derive(Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    exp: Seconds,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<Seconds>,
    #[serde(default, deserialize_with = "present")]
    iat: Option<Seconds>,
    organization_id: OrganizationId,
    /// Absent for no scope.
    #[serde(default)]
    scope: String,
    /// Absent for every group.
    #[serde(default, deserialize_with = "present")]
    groups: Option<BTreeSet<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// A time that a clock can show: until the end of the year 9999.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "i64")]
struct Seconds(i64);

impl TryFrom<i64> for Seconds {
    type Error = jiff::Error;

    fn try_from(seconds: i64) -> Result<Self, Self::Error> {
        Timestamp::from_second(seconds).map(|time| Self(time.as_second()))
    }
}

/// A claim that may be left out but not be null.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// What a token has to say.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) audience: &'e str,
    /// Before the names of scopes.
    pub(super) scope_prefix: &'e str,
    /// When it has to be valid.
    pub(super) now: Timestamp,
}

impl Claims {
    pub(super) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        let members = Members::parse(json).ok_or(Refusal::Claims)?;
        // The parser's message may repeat a value.
        serde_json::from_value(Value::Object(members)).map_err(|_| Refusal::Claims)
    }

    /// The principal, if the token is what is expected.
    pub(super) fn principal(self, expected: Expected<'_>) -> Result<Principal, Refusal> {
        let now = expected.now.as_second();
        let is_later = |Seconds(time): Seconds| time > now.saturating_add(LEEWAY);
        if self.iss != expected.issuer {
            return Err(Refusal::Claim("iss"));
        }
        if !self.aud.names(expected.audience) {
            return Err(Refusal::Claim("aud"));
        }
        if self.exp.0.saturating_add(LEEWAY) <= now {
            return Err(Refusal::Claim("exp"));
        }
        if self.nbf.is_some_and(is_later) {
            return Err(Refusal::Claim("nbf"));
        }
        if self.iat.is_some_and(is_later) {
            return Err(Refusal::Claim("iat"));
        }
        if self.sub.is_empty() || self.sub.len() > MAX_SUBJECT_BYTES {
            return Err(Refusal::Claim("sub"));
        }
        Ok(Principal {
            organization: self.organization_id,
            scopes: Scope::named_in(&self.scope, expected.scope_prefix),
            subject: self.sub,
            groups: self.groups,
            source: None,
        })
    }
}

impl Audience {
    fn names(&self, audience: &str) -> bool {
        match self {
            Self::One(name) => name == audience,
            Self::Several(names) => names.iter().any(|name| name == audience),
        }
    }
}
