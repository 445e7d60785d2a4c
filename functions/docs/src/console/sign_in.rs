//! Signing in with a token, and out.

use askama::Template;
use clientele::web::Reply;
use http::{StatusCode, header};

use super::{
    session::{MAX_TOKEN_BYTES, Session, forget_cookie},
    stop::Stop,
    user::{is_accepted, segment},
};
use crate::{
    site::{Page, Place, html, no_store, redirect},
    visit::Visit,
};

const HOME: &str = "/console";
/// What a browser is to keep of a page until somebody has signed in elsewhere: a cookie has 4,096
/// bytes, in which each of these may take three.
const MAX_PAGE_BYTES: usize = 1_000;

#[derive(Template)]
#[template(path = "console/sign_in.html")]
struct SignIn {
    page: Page,
    error: Option<String>,
    /// The way to the identity provider, if it can be asked.
    provider: Option<String>,
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
        true => own_page(&place.here()),
        false => own_page(&visit.form("next").unwrap_or_default()),
    };
    let page = Page::public(place);
    let (status, message) = match why {
        Why::Asked if is_for_signing_in => (StatusCode::OK, None),
        Why::Asked => (StatusCode::UNAUTHORIZED, None),
        Why::Ended => (StatusCode::UNAUTHORIZED, Some("sign-in-ended")),
        Why::Refused(message) => (StatusCode::UNAUTHORIZED, Some(message)),
        Why::Unknown(message) => (StatusCode::SERVICE_UNAVAILABLE, Some(message)),
    };
    let provider = visit.docs.settings.provider.as_ref();
    let sign_in = SignIn {
        error: message.map(|message| page.say(message)),
        page,
        provider: provider.map(|_| provider_path(place, &next)),
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
    let next = own_page(&visit.form("next").unwrap_or_default());
    let mut response = redirect(&visit.place.link(&next))?;
    if let Some(cookie) = session.set_cookie(visit) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Where somebody wanted to go, without the language: a page of the console, nowhere else.
pub(super) fn own_page(next: &str) -> String {
    let is_plain = next
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_ours = next.starts_with("/console/") && next.len() <= MAX_PAGE_BYTES;
    let is_sign_in = next.starts_with("/console/sign-");
    match is_plain && is_ours && !is_sign_in {
        true => next.to_owned(),
        false => HOME.to_owned(),
    }
}

/// Off to the provider, and then on to a page.
fn provider_path(place: &Place, next: &str) -> String {
    let path = place.link("/console/sign-in/provider");
    match next {
        HOME => path,
        next => format!("{path}?next={}", segment(next)),
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
