//! The console as a client of the identity provider.

use oauth2::{
    AuthUrl, ClientId, EndpointNotSet, EndpointSet, RedirectUrl, TokenUrl, basic::BasicClient,
    url::ParseError,
};
use thiserror::Error;

use super::{CALLBACK, discovery::DiscoveryError};
use crate::{settings::ProviderSettings, visit::Visit};

/// A client that can lead to the provider, and ask it for a token.
pub(super) type Client =
    BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Why there is no client.
#[derive(Debug, Error)]
pub(super) enum ClientError {
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    #[error("an address of the identity provider cannot be used: {0}")]
    Address(#[from] ParseError),
}

/// A public client, which says its id in the form (RFC 6749, 3.2.1), of the provider's endpoints.
pub(super) async fn client_of(
    visit: &Visit<'_>,
    provider: &ProviderSettings,
) -> Result<Client, ClientError> {
    let docs = visit.docs;
    let endpoints = docs
        .discovery
        .endpoints(&docs.api, &provider.issuer, visit.deadline)
        .await?;
    let authorization = AuthUrl::new(endpoints.authorization_endpoint.clone())?;
    let token = TokenUrl::new(endpoints.token_endpoint.clone())?;
    let redirect = RedirectUrl::new(format!("{}{CALLBACK}", visit.origin()))?;
    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_auth_uri(authorization)
        .set_token_uri(token)
        .set_redirect_uri(redirect);
    Ok(client)
}
