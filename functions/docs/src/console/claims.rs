//! What a token says about its bearer, for showing: whether it is true, the API decides.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

/// Who has signed in, as far as the token tells.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// The organization's id; none in a source's token, which is opaque.
    pub(crate) organization: Option<String>,
    /// The scopes, without what an issuer writes before their names.
    pub(crate) scopes: Vec<String>,
}

impl Claims {
    /// Reads a JSON Web Token's claims (RFC 7519). Any other token says nothing.
    pub(crate) fn of(token: &str) -> Self {
        Self::read(token).unwrap_or_default()
    }

    fn read(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        // Without the claim, a token is good for nothing.
        let scopes = claims.get("scope").and_then(Value::as_str);
        let scopes = scopes.unwrap_or_default().split_whitespace();
        let scopes = scopes.map(|scope| scope.rsplit('/').next().unwrap_or(scope).to_owned());
        Some(Self {
            organization: claims.get("organization_id").map(Value::to_string),
            scopes: scopes.collect(),
        })
    }

    /// Whether the bearer has a scope; a source's token may, for all one can tell.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.organization.is_none() || self.scopes.iter().any(|its| its == scope)
    }
}
