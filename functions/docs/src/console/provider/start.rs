//! `GET /console/sign-in/provider`: off to the identity provider.

use clientele::web::Reply;
use http::header;
use oauth2::{CsrfToken, PkceCodeChallenge, Scope};

use super::{CALLBACK, attempt::Attempt, client::client};
use crate::{
    console::sign_in,
    site::{Page, redirect},
    visit::Visit,
};

/// Leads to the provider's own page, if it can be found.
pub(crate) async fn start(visit: &Visit<'_>) -> Reply {
    let unreachable = || Some(Page::public(&visit.place).say("sign-in-provider-away"));
    let Some(provider) = &visit.docs.settings.provider else {
        return sign_in::page(visit, None);
    };
    let found = visit
        .docs
        .discovery
        .endpoints(&visit.docs.api, &provider.issuer)
        .await;
    let endpoints = match found {
        Ok(endpoints) => endpoints,
        Err(error) => {
            tracing::error!(%error, request_id = visit.request_id, "nobody can sign in");
            return sign_in::page(visit, unreachable());
        }
    };
    let redirect_url = format!("{}{CALLBACK}", visit.origin());
    let client = match client(provider, endpoints, redirect_url) {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, request_id = visit.request_id, "nobody can sign in");
            return sign_in::page(visit, unreachable());
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
        home: visit.place.link("/console"),
    };
    let mut response = redirect(url.as_str())?;
    if let Some(cookie) = attempt.set_cookie(visit) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
