//! The console as a client of the identity provider.

use oauth2::{
    AuthUrl, ClientId, EndpointNotSet, EndpointSet, RedirectUrl, TokenUrl, basic::BasicClient,
    url::ParseError,
};

use super::discovery::Endpoints;
use crate::settings::ProviderSettings;

/// A client that can lead to the provider, and ask it for a token.
pub(super) type Client =
    BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// A public client, which says its id in the form (RFC 6749, 3.2.1).
pub(super) fn client(
    provider: &ProviderSettings,
    endpoints: &Endpoints,
    redirect_url: String,
) -> Result<Client, ParseError> {
    let authorization = AuthUrl::new(endpoints.authorization_endpoint.clone())?;
    let token = TokenUrl::new(endpoints.token_endpoint.clone())?;
    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_auth_uri(authorization)
        .set_token_uri(token)
        .set_redirect_uri(RedirectUrl::new(redirect_url)?);
    Ok(client)
}
