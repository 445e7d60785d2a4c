//! Somebody who has signed in, and what they ask the API.

use clientele::language::Language;
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Session, Stop, claims::Claims, stop::Refusal};
use crate::{
    api::{Answer, Question, Unreachable},
    site::Page,
    visit::Visit,
};

/// A visit of somebody who has signed in.
pub(crate) struct User<'a> {
    pub(crate) visit: &'a Visit<'a>,
    pub(crate) session: Session,
}

impl User<'_> {
    pub(crate) fn page(&self) -> Page {
        Page::signed_in(&self.visit.place)
    }

    pub(crate) fn language(&self) -> Language {
        self.visit.place.language
    }

    pub(crate) fn claims(&self) -> Claims {
        let prefix = &self.visit.docs.settings.scope_prefix;
        Claims::of(self.session.token(), prefix)
    }

    /// Makes sure that the API knows the visitor, for pages that ask it nothing else.
    pub(crate) async fn known(&self) -> Result<(), Stop> {
        // Whoever lacks the scope is known all the same.
        let asked = self.attempt(Method::GET, "/v1/jobs?limit=1", None).await?;
        match asked {
            Err(refusal) if refusal.status != StatusCode::FORBIDDEN => Err(refusal.into()),
            _ => Ok(()),
        }
    }

    /// What a route answers a GET with.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Stop> {
        Ok(self.send(Method::GET, path, None).await?.json()?)
    }

    /// What a route answers a POST with.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Value,
    ) -> Result<T, Stop> {
        Ok(self.send(Method::POST, path, Some(body)).await?.json()?)
    }

    /// What a route answers; anything but success ends the page.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Answer, Stop> {
        Ok(self.attempt(method, path, body).await??)
    }

    /// What a route answers, for pages that show a refusal at its place: in a form. Who is no
    /// longer signed in is led to sign in.
    pub(crate) async fn attempt(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Result<Answer, Refusal>, Stop> {
        let once = self.visit.form("once").unwrap_or_default();
        self.attempt_once(method, path, body, &once).await
    }

    /// The same, which happens once however often it is sent with a key, if the key is not empty.
    pub(crate) async fn attempt_once(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        once: &str,
    ) -> Result<Result<Answer, Refusal>, Stop> {
        let answer = ask(self.visit, self.session.token(), method, path, body, once).await?;
        if answer.status.is_success() {
            return Ok(Ok(answer));
        }
        let refusal = Refusal::of(&answer);
        match refusal.code.as_str() {
            "unauthenticated" => Err(Stop::SignedOut),
            _ => Ok(Err(refusal)),
        }
    }
}

/// Where the API is, without a slash at its end.
fn api_url(visit: &Visit<'_>) -> String {
    let api_url = &visit.docs.settings.api_url;
    match api_url.is_empty() {
        true => visit.origin(),
        false => api_url.clone(),
    }
}

/// Asks a route on somebody's behalf.
pub(crate) async fn ask(
    visit: &Visit<'_>,
    token: &str,
    method: Method,
    path: &str,
    body: Option<Value>,
    once: &str,
) -> Result<Answer, Stop> {
    let base = api_url(visit);
    let mut headers = vec![
        ("accept-language".to_owned(), visit.place.lang().into()),
        ("authorization".to_owned(), format!("Bearer {token}").into()),
    ];
    if body.is_some() {
        headers.push(("content-type".to_owned(), "application/json".into()));
    }
    if method == Method::POST && !once.is_empty() {
        headers.push(("idempotency-key".to_owned(), once.to_owned().into()));
    }
    let question = Question {
        method,
        url: format!("{base}{path}"),
        headers,
        body: body.map_or_else(Vec::new, |body| body.to_string().into_bytes()),
    };
    Ok(visit.docs.api.ask(question, visit.deadline).await?)
}

/// Whether a token opens anything: only an unknown one is 401 here.
pub(crate) async fn is_accepted(visit: &Visit<'_>, token: &str) -> Result<bool, Stop> {
    let answer = ask(visit, token, Method::GET, "/v1/jobs?limit=1", None, "").await?;
    match answer.status {
        StatusCode::UNAUTHORIZED => Ok(false),
        // Known, if not for jobs, or for now.
        StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => Ok(true),
        status if status.is_success() => Ok(true),
        status => Err(Unreachable::answered(status).into()),
    }
}

/// All but what RFC 3986, 2.3 leaves as it is. The period is encoded, too: two of them would lead up.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// A part of a path as it may stand in an address.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
