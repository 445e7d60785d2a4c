//! One request of a visitor.

use clientele::web;
use http::{HeaderName, Method, header, request::Parts};

use crate::{settings::Docs, site::Place};

/// A request, read as far as every page needs it.
pub(crate) struct Visit<'a> {
    pub(crate) docs: &'a Docs,
    pub(crate) parts: &'a Parts,
    pub(crate) body: &'a [u8],
    pub(crate) place: Place,
    pub(crate) request_id: &'a str,
}

impl<'a> Visit<'a> {
    pub(crate) fn new(
        docs: &'a Docs,
        parts: &'a Parts,
        body: &'a [u8],
        request_id: &'a str,
    ) -> Self {
        let accept_language = text(parts, header::ACCEPT_LANGUAGE);
        Self {
            docs,
            parts,
            body,
            place: Place::of(parts.uri.path(), accept_language),
            request_id,
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

    /// The first value of a name in a form's body.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        value(self.body, name)
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
