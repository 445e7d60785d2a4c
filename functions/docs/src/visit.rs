//! One request of a visitor.

use std::time::Duration;

use clientele::web;
use cookie::Cookie;
use http::{HeaderName, Method, header, request::Parts};
use tokio::time::Instant;

use crate::{settings::Docs, site::Place};

/// A request, read as far as every page needs it.
pub(crate) struct Visit<'a> {
    pub(crate) docs: &'a Docs,
    pub(crate) parts: &'a Parts,
    pub(crate) body: &'a [u8],
    pub(crate) place: Place,
    pub(crate) request_id: &'a str,
    /// When an answer must be there.
    pub(crate) deadline: Instant,
}

/// How long a page may take: a little less than the 29 s that the function has, so that what it
/// lacks can still be said.
const PATIENCE: Duration = Duration::from_secs(26);

impl<'a> Visit<'a> {
    pub(crate) fn new(
        docs: &'a Docs,
        parts: &'a Parts,
        body: &'a [u8],
        request_id: &'a str,
    ) -> Self {
        let accept_language = text(parts, header::ACCEPT_LANGUAGE);
        let mut place = Place::of(parts.uri.path(), accept_language);
        place.query = parts.uri.query().unwrap_or_default().to_owned();
        Self {
            docs,
            parts,
            body,
            place,
            request_id,
            deadline: Instant::now() + PATIENCE,
        }
    }

    /// Whether nothing is to change: GET or HEAD.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.parts.method, Method::GET | Method::HEAD)
    }

    /// A header's text; empty if it is not there.
    pub(crate) fn header(&self, name: HeaderName) -> &'a str {
        text(self.parts, name)
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let sent = self.parts.headers.get_all(header::COOKIE).iter();
        // Another program's cookie may hold anything.
        let texts = sent.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        texts.into_iter().find_map(|text| {
            let mut cookies = Cookie::split_parse(text).filter_map(Result::ok);
            let cookie = cookies.find(|cookie| cookie.name() == name)?;
            Some(cookie.value().to_owned())
        })
    }

    /// The host that was called, with its port if it has one.
    pub(crate) fn host(&self) -> &'a str {
        web::host(&self.parts.headers)
    }

    /// `http` on a laptop, `https` behind API Gateway, which says so.
    pub(crate) fn scheme(&self) -> &'static str {
        match text(self.parts, HeaderName::from_static("x-forwarded-proto")) {
            "http" => "http",
            _ => "https",
        }
    }

    /// The address of the site without a path, as browsers write an origin.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", self.scheme(), self.host())
    }

    /// Whether a browser asks for a page.
    pub(crate) fn wants_html(&self) -> bool {
        text(self.parts, header::ACCEPT).contains("text/html")
    }

    /// The first value of a name in the query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        value(self.parts.uri.query().unwrap_or_default().as_bytes(), name)
    }

    /// Whether the body is a form's, without files.
    fn is_form(&self) -> bool {
        let content_type = text(self.parts, header::CONTENT_TYPE);
        content_type.starts_with("application/x-www-form-urlencoded")
    }

    /// The first value of a name in a form's body.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        self.is_form().then(|| value(self.body, name))?
    }

    /// Every value of a name in a form's body, in their order.
    pub(crate) fn form_all(&self, name: &str) -> Vec<String> {
        let pairs = url::form_urlencoded::parse(self.body);
        let of_name = pairs.filter(|(its, _)| its == name);
        of_name.map(|(_, value)| value.into_owned()).collect()
    }

    /// Whether a form was sent by a page of this site, as far as the browser tells: another
    /// site's page could otherwise have its visitor's browser delete customers.
    pub(crate) fn is_from_own_page(&self) -> bool {
        match text(self.parts, HeaderName::from_static("sec-fetch-site")) {
            "same-origin" => true,
            "" => text(self.parts, header::ORIGIN) == self.origin(),
            _ => false,
        }
    }
}

fn text(parts: &Parts, name: HeaderName) -> &str {
    let value = parts.headers.get(name);
    value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn value(form: &[u8], name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(form);
    pairs
        .find(|(its, _)| its == name)
        .map(|(_, value)| value.into_owned())
}
