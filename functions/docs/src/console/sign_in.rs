//! Signing in with a token, and out.

use askama::Template;
use clientele::web::Reply;
use http::{StatusCode, header};

use super::{
    session::{MAX_TOKEN_BYTES, Session, forget_cookie},
    stop::Stop,
    user::is_accepted,
};
use crate::{
    site::{Page, Place, html, no_store, redirect},
    visit::Visit,
};

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignIn {
    page: Page,
    error: Option<String>,
    /// Whether the identity provider can be asked.
    provider: bool,
    /// The path to go on to.
    next: String,
}

/// Why the form is shown; messages by their ids.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Why {
    /// Nobody has signed in.
    Asked,
    /// The session's token is no longer believed.
    Ended,
    /// What somebody signed in with is not good.
    Refused(&'static str),
    /// Whether it is good cannot be told.
    Unknown(&'static str),
}

/// The form, in the place of the page that was asked for.
pub(crate) fn page(visit: &Visit<'_>, place: &Place, why: Why) -> Reply {
    let is_for_signing_in = matches!(visit.place.path.as_str(), "/console" | "/console/sign-in");
    let next = match visit.is_read() {
        true if visit.place.path.starts_with("/console/sign-") => "/console".to_owned(),
        true => visit.place.here(),
        false => visit.form("next").unwrap_or_default(),
    };
    let page = Page::public(place);
    let (status, message) = match why {
        Why::Asked if is_for_signing_in => (StatusCode::OK, None),
        Why::Asked => (StatusCode::UNAUTHORIZED, None),
        Why::Ended => (StatusCode::UNAUTHORIZED, Some("sign-in-ended")),
        Why::Refused(message) => (StatusCode::UNAUTHORIZED, Some(message)),
        Why::Unknown(message) => (StatusCode::SERVICE_UNAVAILABLE, Some(message)),
    };
    let sign_in = SignIn {
        error: message.map(|message| page.say(message)),
        page,
        provider: visit.docs.settings.provider.is_some(),
        next,
    };
    let mut response = no_store(html(&sign_in)?);
    *response.status_mut() = status;
    if let (Why::Ended, Some(cookie)) = (why, forget_cookie(visit)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Takes a pasted token, if the API does.
pub(crate) async fn with_token(visit: &Visit<'_>) -> Reply {
    let refused = |message| page(visit, &visit.place, Why::Refused(message));
    let pasted = visit.form("token").unwrap_or_default();
    // Long tokens are pasted with the line breaks of a terminal.
    let token: String = pasted.split_whitespace().collect();
    if token.len() > MAX_TOKEN_BYTES {
        return refused("sign-in-too-long");
    }
    let Some(session) = Session::new(&token) else {
        return refused("sign-in-wrong");
    };
    match is_accepted(visit, session.token()).await {
        Ok(true) => {}
        Err(Stop::Unreachable(error)) => {
            tracing::error!(%error, request_id = visit.request_id, "nobody can sign in");
            return page(visit, &visit.place, Why::Unknown("sign-in-unreachable"));
        }
        Ok(false) | Err(_) => return refused("sign-in-wrong"),
    }
    let mut response = redirect(&visit.place.link(&next(visit)))?;
    if let Some(cookie) = session.set_cookie(visit) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Where somebody wanted to go: a page of the console, nowhere else.
fn next(visit: &Visit<'_>) -> String {
    let next = visit.form("next").unwrap_or_default();
    let is_plain = next
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_ours = next.starts_with("/console/");
    let is_sign_in = next.starts_with("/console/sign-");
    match is_plain && is_ours && !is_sign_in {
        true => next,
        false => "/console".to_owned(),
    }
}

/// Has the browser forget the token.
pub(crate) fn out(visit: &Visit<'_>) -> Reply {
    let mut response = redirect(&visit.place.link("/console"))?;
    if let Some(cookie) = forget_cookie(visit) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
