//! What the documentation and the console know of the deployment.

use clientele::config::DocsUrl;

use crate::api::Api;

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
}

impl DocsSettings {
    /// Reads the process environment.
    pub fn from_env() -> Self {
        let read = |name: &str| std::env::var(name).unwrap_or_default();
        Self {
            docs_url: DocsUrl::from_env(),
            api_url: read("API_URL").trim_end_matches('/').to_owned(),
            upload_origin: read("UPLOAD_ORIGIN"),
        }
    }
}

/// The documentation and the console.
#[derive(Debug)]
pub struct Docs {
    pub(crate) settings: DocsSettings,
    pub(crate) api: Api,
}

impl Docs {
    /// Opens no connection before one is needed.
    pub fn new(settings: DocsSettings) -> Self {
        Self {
            settings,
            api: Api::default(),
        }
    }
}
