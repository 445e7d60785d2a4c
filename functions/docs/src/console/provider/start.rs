//! `GET /console/sign-in/provider`: off to the identity provider.

use clientele::web::Reply;
use http::header;
use oauth2::{CsrfToken, PkceCodeChallenge, Scope};

use super::{attempt::Attempt, client::client_of};
use crate::{
    console::sign_in::{self, Why, own_page},
    site::{Place, redirect},
    visit::Visit,
};

/// Leads to the provider's own page, if it can be found.
pub(crate) async fn start(visit: &Visit<'_>) -> Reply {
    let Some(provider) = &visit.docs.settings.provider else {
        return sign_in::page(visit, &visit.place, Why::Asked);
    };
    let next = own_page(&visit.query("next").unwrap_or_default());
    let next = visit.place.link(&next);
    let client = match client_of(visit, provider).await {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, request_id = visit.request_id, "nobody can sign in");
            let place = Place::of(&next, visit.header(header::ACCEPT_LANGUAGE));
            return sign_in::page(visit, &place, Why::Unknown("sign-in-provider-away"));
        }
    };
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scopes = provider.scopes.split_whitespace();
    let (url, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(scopes.map(|scope| Scope::new(scope.to_owned())))
        // Providers that issue tokens for several APIs go by it; the others ignore it.
        .add_extra_param("audience", provider.audience.as_str())
        .set_pkce_challenge(challenge)
        .url();
    let attempt = Attempt {
        state: state.into_secret(),
        verifier: verifier.into_secret(),
        next,
    };
    let mut response = redirect(url.as_str())?;
    if let Some(cookie) = attempt.set_cookie(visit) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
