//! What a token says about its bearer, for showing: whether it is true, the API decides.

use std::collections::BTreeSet;

use clientele::web::Scope;
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

/// Who has signed in, as far as the token tells.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    /// The organization's id; none in a source's token, which is opaque.
    pub(crate) organization: Option<String>,
    /// The scopes of this registry's.
    pub(crate) scopes: BTreeSet<Scope>,
}

impl Claims {
    /// Reads a JSON Web Token's claims (RFC 7519), in which a prefix stands before each scope. Any
    /// other token says nothing.
    pub(crate) fn of(token: &str, scope_prefix: &str) -> Self {
        Self::read(token, scope_prefix).unwrap_or_default()
    }

    fn read(token: &str, scope_prefix: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        // Without the claim, a token is good for nothing.
        let scopes = claims.get("scope").and_then(Value::as_str);
        Some(Self {
            organization: claims.get("organization_id").map(Value::to_string),
            scopes: Scope::named_in(scopes.unwrap_or_default(), scope_prefix),
        })
    }

    /// Whether the bearer has a scope; a source's token may, for all one can tell.
    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.organization.is_none() || self.scopes.contains(&scope)
    }
}
