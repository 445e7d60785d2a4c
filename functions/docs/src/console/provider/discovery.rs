//! Where the identity provider has what (OpenID Connect Discovery 1.0, section 4).

use http::Method;
use serde::Deserialize;
use thiserror::Error;
use tokio::{sync::OnceCell, time::Instant};

use crate::api::{Api, Question, Unreachable};

/// What the provider's document says, read when somebody first signs in through it. It is kept as
/// long as this process lives, some hours at most.
#[derive(Debug, Default)]
pub(crate) struct Discovery(OnceCell<Endpoints>);

/// The part of the document that is used here.
#[derive(Debug, Deserialize)]
pub(crate) struct Endpoints {
    issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
}

/// Why nobody can sign in through the provider.
#[derive(Debug, Error)]
pub(crate) enum DiscoveryError {
    #[error("the identity provider's document: {0}")]
    Unreachable(#[from] Unreachable),
    #[error("the identity provider's document is answered with status {0}")]
    Status(u16),
    #[error("the document is of another issuer than JWT_ISSUER")]
    Issuer,
    #[error("the provider's {0} is no https address")]
    Address(&'static str),
}

impl Discovery {
    /// The provider's endpoints; a failure is not kept.
    pub(crate) async fn endpoints(
        &self,
        api: &Api,
        issuer: &str,
        deadline: Instant,
    ) -> Result<&Endpoints, DiscoveryError> {
        self.0
            .get_or_try_init(|| discover(api, issuer, deadline))
            .await
    }
}

async fn discover(api: &Api, issuer: &str, deadline: Instant) -> Result<Endpoints, DiscoveryError> {
    let base = issuer.trim_end_matches('/');
    let answer = api
        .ask(
            Question {
                method: Method::GET,
                url: format!("{base}/.well-known/openid-configuration"),
                headers: vec![("accept".to_owned(), "application/json".into())],
                body: Vec::new(),
            },
            deadline,
        )
        .await?;
    if !answer.status.is_success() {
        return Err(DiscoveryError::Status(answer.status.as_u16()));
    }
    let endpoints: Endpoints = answer.json()?;
    if endpoints.issuer != issuer {
        return Err(DiscoveryError::Issuer);
    }
    for (name, address) in [
        ("authorization_endpoint", &endpoints.authorization_endpoint),
        ("token_endpoint", &endpoints.token_endpoint),
    ] {
        // http is for providers on this machine, whose issuer says so.
        let is_safe = address.starts_with("https://") || issuer.starts_with("http://");
        if !is_safe {
            return Err(DiscoveryError::Address(name));
        }
    }
    Ok(endpoints)
}
