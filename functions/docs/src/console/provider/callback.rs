//! `GET /console/sign-in/callback`: back from the identity provider.

use askama::Template;
use clientele::web::Reply;
use http::{Response, header};
use oauth2::{AuthorizationCode, HttpRequest, HttpResponse, PkceCodeVerifier, TokenResponse};
use thiserror::Error;
use tokio::time::Instant;

use super::{
    attempt::{Attempt, forget_cookie},
    client::{ClientError, client_of},
};
use crate::{
    api::{Api, Question, Unreachable},
    console::{
        session::Session,
        sign_in::{self, Why},
        user::is_accepted,
    },
    site::{Page, Place, html, no_store},
    visit::Visit,
};

/// Why somebody who comes back is not signed in. Only the log is told which it is.
#[derive(Debug, Error)]
enum Failure {
    #[error("no attempt of this browser is answered")]
    Attempt,
    #[error("the answer is of another issuer")]
    Issuer,
    #[error("the provider refuses")]
    Refused,
    #[error(transparent)]
    Client(#[from] ClientError),
    // The error may repeat what the provider says, which is more than the log is to hold.
    #[error("the provider gives no token")]
    Token,
    #[error("the provider's token is not one that the API believes")]
    Unbelieved,
}

#[derive(Template)]
#[template(path = "console/signed_in.html")]
struct SignedIn {
    page: Page,
    next: String,
}

/// Trades the provider's code for a token, and signs in with that.
pub(crate) async fn callback(visit: &Visit<'_>) -> Reply {
    let state = visit.query("state").unwrap_or_default();
    let attempt = Attempt::of(visit, &state);
    let next = attempt
        .as_ref()
        .map_or_else(|| "/console".to_owned(), |its| its.next.clone());
    let place = Place::of(&next, visit.header(header::ACCEPT_LANGUAGE));
    let mut response = match token(visit, attempt).await {
        Ok(session) => signed_in(visit, &place, next, &session)?,
        Err(error) => {
            tracing::warn!(%error, request_id = visit.request_id, "somebody could not sign in");
            sign_in::page(visit, &place, Why::Refused("sign-in-provider-failed"))?
        }
    };
    if let Some(cookie) = forget_cookie(visit) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// A page that goes on by itself: the session's cookie is not sent where another site has led, and
/// that a redirect would still be.
fn signed_in(visit: &Visit<'_>, place: &Place, next: String, session: &Session) -> Reply {
    let page = Page::public(place);
    let mut response = no_store(html(&SignedIn { page, next })?);
    if let Some(cookie) = session.set_cookie(visit) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn token(visit: &Visit<'_>, attempt: Option<Attempt>) -> Result<Session, Failure> {
    let attempt = attempt.ok_or(Failure::Attempt)?;
    let provider = visit
        .docs
        .settings
        .provider
        .as_ref()
        .ok_or(Failure::Attempt)?;
    // RFC 9207: another provider's code is not to be sent to this one.
    if visit.query("iss").is_some_and(|iss| iss != provider.issuer) {
        return Err(Failure::Issuer);
    }
    let code = visit.query("code").ok_or(Failure::Refused)?;
    let client = client_of(visit, provider).await?;
    let (api, deadline) = (&visit.docs.api, visit.deadline);
    let answered = client
        .exchange_code(AuthorizationCode::new(code))
        .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier))
        .request_async(&|request| asked(api.clone(), request, deadline))
        .await;
    let answered = answered.map_err(|_| Failure::Token)?;
    let session = Session::new(answered.access_token().secret()).ok_or(Failure::Unbelieved)?;
    match is_accepted(visit, session.token()).await {
        Ok(true) => Ok(session),
        _ => Err(Failure::Unbelieved),
    }
}

async fn asked(
    api: Api,
    request: HttpRequest,
    deadline: Instant,
) -> Result<HttpResponse, Unreachable> {
    let (parts, body) = request.into_parts();
    let text = |value: &http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = parts.headers.iter();
    let question = Question {
        method: parts.method,
        url: parts.uri.to_string(),
        headers: headers
            .map(|(name, value)| (name.to_string(), text(value).into()))
            .collect(),
        body,
    };
    let answer = api.ask(question, deadline).await?;
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    if let Ok(content_type) = answer.content_type.parse() {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
    }
    Ok(response)
}
