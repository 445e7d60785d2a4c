//! What a browser keeps between leaving for the identity provider and coming back.

use cookie::{Cookie, SameSite, time::Duration};
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq;

use crate::{
    console::{sign_in::own_page, user::segment},
    site::Place,
    visit::Visit,
};

/// How long somebody may take to sign in at the provider.
const VALID_FOR: Duration = Duration::minutes(10);

/// One attempt to sign in. Its cookie comes along when the provider leads back, which is a
/// navigation from another site (`SameSite=Lax`).
pub(crate) struct Attempt {
    pub(crate) state: String,
    pub(crate) verifier: String,
    /// Where to go on: `/fr/console/jobs`, `/console`.
    pub(crate) next: String,
}

impl Attempt {
    /// The attempt that a request's cookies hold, if the provider's answer is one to it.
    pub(crate) fn of(visit: &Visit<'_>, state: &str) -> Option<Self> {
        let cookie = visit.cookie(name(visit))?;
        let mut parts = cookie.splitn(3, '.');
        let attempt = Self {
            state: parts.next()?.to_owned(),
            verifier: parts.next()?.to_owned(),
            next: parts.next().and_then(page)?,
        };
        let is_answered = attempt.state.as_bytes().ct_eq(state.as_bytes());
        (bool::from(is_answered) && !state.is_empty()).then_some(attempt)
    }

    /// Has the browser keep it.
    pub(crate) fn set_cookie(&self, visit: &Visit<'_>) -> Option<HeaderValue> {
        let next = segment(&self.next);
        let value = format!("{}.{}.{next}", self.state, self.verifier);
        let mut cookie = cookie(visit, &value);
        cookie.set_max_age(VALID_FOR);
        HeaderValue::from_str(&cookie.to_string()).ok()
    }
}

/// The page that a cookie names, if it is one of the console's.
fn page(encoded: &str) -> Option<String> {
    let path = percent_decode_str(encoded).decode_utf8().ok()?;
    let place = Place::of(&path, "");
    Some(place.link(&own_page(&place.path)))
}

/// Has the browser forget the attempt: it is good for one answer.
pub(crate) fn forget_cookie(visit: &Visit<'_>) -> Option<HeaderValue> {
    let mut cookie = cookie(visit, "");
    cookie.make_removal();
    HeaderValue::from_str(&cookie.to_string()).ok()
}

fn cookie<'c>(visit: &Visit<'_>, value: &'c str) -> Cookie<'c> {
    Cookie::build((name(visit), value))
        .path("/")
        .http_only(true)
        .secure(visit.scheme() == "https")
        .same_site(SameSite::Lax)
        .build()
}

fn name(visit: &Visit<'_>) -> &'static str {
    match visit.scheme() {
        "https" => "__Host-sign-in",
        _ => "sign-in",
    }
}
