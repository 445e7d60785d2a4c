//! What the documentation and the console know of the deployment.

use clientele::config::DocsUrl;

use crate::{api::Api, console::Discovery};

/// The `docs` function's settings, one environment variable each. All may be empty.
#[derive(Debug, Clone, Default)]
pub struct DocsSettings {
    /// `DOCS_URL`: where the documentation is served, which errors link to.
    pub docs_url: DocsUrl,
    /// `API_URL`: where the API is, without a slash at its end; empty for the host that was called.
    pub api_url: String,
    /// `UPLOAD_ORIGIN`: the scheme and host that presigned uploads go to, which pages may then
    /// send files to.
    pub upload_origin: String,
    /// `JWT_SCOPE_PREFIX`: what tokens have before the names of this registry's scopes.
    pub scope_prefix: String,
    /// `CONSOLE_CLIENT_ID` and what goes with it: how people sign in with their organization's
    /// account. Without it they paste tokens.
    pub provider: Option<ProviderSettings>,
}

/// The console as a client of the identity provider.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// `JWT_ISSUER`: the provider, whose OpenID Connect discovery document lies below it.
    pub issuer: String,
    /// `JWT_AUDIENCE`: the API that the tokens are to be for.
    pub audience: String,
    /// `CONSOLE_CLIENT_ID`: what the provider knows the console as. It is a public client.
    pub client_id: String,
    /// `CONSOLE_SCOPES`: what is asked for, separated by spaces; `openid` unless set.
    pub scopes: String,
}

impl DocsSettings {
    /// Reads the process environment.
    pub fn from_env() -> Self {
        let read = |name: &str| std::env::var(name).unwrap_or_default();
        let client_id = read("CONSOLE_CLIENT_ID");
        let scopes = read("CONSOLE_SCOPES");
        let provider = (!client_id.is_empty()).then(|| ProviderSettings {
            issuer: read("JWT_ISSUER"),
            audience: read("JWT_AUDIENCE"),
            client_id,
            scopes: if scopes.is_empty() {
                "openid".to_owned()
            } else {
                scopes
            },
        });
        Self {
            provider,
            docs_url: DocsUrl::from_env(),
            api_url: read("API_URL").trim_end_matches('/').to_owned(),
            upload_origin: read("UPLOAD_ORIGIN"),
            scope_prefix: read("JWT_SCOPE_PREFIX"),
        }
    }
}

/// The documentation and the console.
#[derive(Debug)]
pub struct Docs {
    pub(crate) settings: DocsSettings,
    pub(crate) api: Api,
    pub(crate) discovery: Discovery,
}

impl Docs {
    /// Opens no connection before one is needed.
    pub fn new(settings: DocsSettings) -> Self {
        Self {
            settings,
            api: Api::default(),
            discovery: Discovery::default(),
        }
    }
}
