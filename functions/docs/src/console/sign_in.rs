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
    site::{Page, html, no_store, redirect},
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

/// The form, in the place of the page that was asked for.
pub(crate) fn page(visit: &Visit<'_>, error: Option<String>) -> Reply {
    let next = match visit.is_read() {
        true if visit.place.path.starts_with("/console/sign-") => "/console".to_owned(),
        true => visit.place.path.clone(),
        false => visit.form("next").unwrap_or_default(),
    };
    let is_refused = error.is_some();
    let sign_in = SignIn {
        page: Page::public(&visit.place),
        error,
        provider: visit.docs.settings.provider.is_some(),
        next,
    };
    let mut response = no_store(html(&sign_in)?);
    if is_refused {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        // A session that has ended is of no more use.
        if let Some(cookie) = forget_cookie(visit) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    Ok(response)
}

/// Takes a pasted token, if the API does.
pub(crate) async fn with_token(visit: &Visit<'_>) -> Reply {
    let say = |id| Some(Page::public(&visit.place).say(id));
    let pasted = visit.form("token").unwrap_or_default();
    // Long tokens are pasted with the line breaks of a terminal.
    let token: String = pasted.split_whitespace().collect();
    if token.len() > MAX_TOKEN_BYTES {
        return page(visit, say("sign-in-too-long"));
    }
    let Some(session) = Session::new(&token) else {
        return page(visit, say("sign-in-wrong"));
    };
    match is_accepted(visit, session.token()).await {
        Ok(true) => {}
        Err(Stop::Unreachable(error)) => {
            tracing::error!(%error, request_id = visit.request_id, "nobody can sign in");
            return page(visit, say("sign-in-unreachable"));
        }
        Ok(false) | Err(_) => return page(visit, say("sign-in-wrong")),
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
