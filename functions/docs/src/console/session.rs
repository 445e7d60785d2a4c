//! What a browser keeps: the token of whoever has signed in, in a cookie that ends with it.
//!
//! Scripts cannot read the cookie (`HttpOnly`) and other sites' pages cannot have it sent
//! (`SameSite=Strict`); over https it is bound to this host (`__Host-`), RFC 6265bis, 4.1.3.

use cookie::{Cookie, SameSite};
use http::HeaderValue;

use crate::visit::Visit;

/// What browsers keep of one cookie, its name and attributes included, is 4,096 bytes.
pub(crate) const MAX_TOKEN_BYTES: usize = 3_900;

/// A visitor who has signed in. It has no `Debug`: the token opens everything.
pub(crate) struct Session {
    token: String,
}

impl Session {
    /// The session in a request's cookies.
    pub(crate) fn of(visit: &Visit<'_>) -> Option<Self> {
        Self::new(&visit.cookie(name(visit))?)
    }

    /// A session with a token, unless that cannot be one: a token68 of RFC 7235.
    pub(crate) fn new(token: &str) -> Option<Self> {
        let is_of_tokens = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        let fits = (1..=MAX_TOKEN_BYTES).contains(&token.len());
        (fits && token.bytes().all(is_of_tokens)).then(|| Self {
            token: token.to_owned(),
        })
    }

    /// What the API is to be shown.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Has the browser keep the session until it is closed.
    pub(crate) fn set_cookie(&self, visit: &Visit<'_>) -> Option<HeaderValue> {
        set_cookie(visit, &self.token, false)
    }
}

/// Has the browser forget the session.
pub(crate) fn forget_cookie(visit: &Visit<'_>) -> Option<HeaderValue> {
    set_cookie(visit, "", true)
}

fn set_cookie(visit: &Visit<'_>, value: &str, ends: bool) -> Option<HeaderValue> {
    let mut cookie = Cookie::build((name(visit), value))
        .path("/")
        .http_only(true)
        .secure(visit.scheme() == "https")
        .same_site(SameSite::Strict)
        .build();
    if ends {
        cookie.make_removal();
    }
    HeaderValue::from_str(&cookie.to_string()).ok()
}

fn name(visit: &Visit<'_>) -> &'static str {
    match visit.scheme() {
        "https" => "__Host-session",
        _ => "session",
    }
}
