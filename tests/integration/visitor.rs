//! Somebody who uses the console: pages, and forms as a browser sends them.

use std::path::Path;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::stack::Stack;

/// A signed-in visitor of a stack's console.
pub(crate) struct Visitor {
    base: String,
    token: String,
    client: reqwest::Client,
}

/// A page as the browser gets it.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Stack {
    /// A visitor who may do everything in organization 1.
    pub(crate) fn visitor(&self) -> Visitor {
        self.visitor_with(self.token(1))
    }

    /// A visitor who may only do some things in organization 1.
    pub(crate) fn visitor_who_may(&self, scopes: &str) -> Visitor {
        self.visitor_with(self.token_with(|token| token.scope = scopes.to_owned()))
    }

    /// Somebody who has not signed in.
    pub(crate) fn stranger(&self) -> Visitor {
        self.visitor_with(String::new())
    }

    /// A visitor with a token.
    pub(crate) fn visitor_with(&self, token: String) -> Visitor {
        let client = reqwest::Client::builder();
        let client = client.redirect(reqwest::redirect::Policy::none());
        Visitor {
            base: self.local.endpoints.http.clone(),
            token,
            client: client.build().unwrap(),
        }
    }
}

impl Visitor {
    pub(crate) async fn get(&self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.base));
        self.page(request).await
    }

    /// Sends a form and follows where it leads.
    pub(crate) async fn send(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let page = self.post(path, form).await;
        match page.location() {
            Some(path) => {
                let path = path.to_owned();
                self.get(&path).await
            }
            None => page,
        }
    }

    /// Sends a form.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        self.post_from(&self.base, path, form).await
    }

    /// Sends a form as a page at an origin does; as no page, if that is empty.
    pub(crate) async fn post_from(&self, origin: &str, path: &str, form: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let content_type = "application/x-www-form-urlencoded";
        self.post_body(origin, path, content_type, body.into())
            .await
    }

    /// Sends a body of some type from a page of the console.
    pub(crate) async fn upload(&self, path: &str, content_type: &str, body: Vec<u8>) -> Page {
        self.post_body(&self.base, path, content_type, body).await
    }

    async fn post_body(&self, origin: &str, path: &str, content_type: &str, body: Vec<u8>) -> Page {
        let request = self.client.post(format!("{}{path}", self.base));
        let request = request.header("content-type", content_type).body(body);
        self.page(match origin.is_empty() {
            true => request,
            false => request.header("origin", origin),
        })
        .await
    }

    async fn page(&self, request: reqwest::RequestBuilder) -> Page {
        let request = request
            .header("cookie", format!("session={}", self.token))
            .header("accept", "text/html");
        let response = request.send().await.unwrap();
        Page {
            status: response.status(),
            headers: response.headers().clone(),
            html: response.text().await.unwrap(),
        }
    }
}

impl Page {
    /// A header's text; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// What a script gets.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.html).unwrap()
    }

    /// Where a form led.
    pub(crate) fn location(&self) -> Option<&str> {
        self.headers.get("location")?.to_str().ok()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.html.contains(text)
    }

    /// The values of all attributes that follow a text, such as `name="id" value="`.
    pub(crate) fn all_after(&self, text: &str) -> Vec<String> {
        let rest = self.html.split(text).skip(1);
        let values = rest.filter_map(|rest| rest.split('"').next());
        values.map(unescaped).collect()
    }

    /// That nobody keeps the page, and that it runs no scripts of a value's.
    #[track_caller]
    pub(crate) fn assert_private_and_harmless(&self) {
        assert_eq!(self.headers["cache-control"], "no-store");
        let policy = self.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"));
        let scripts = self.html.matches("<script").count();
        assert_eq!(scripts, 1, "only the console's own");
    }
}

/// A text as a browser reads it.
pub(crate) fn unescaped(text: &str) -> String {
    let entities = [
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
    ];
    entities
        .iter()
        .fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

/// Strings that have broken other software; those that a field takes. Nothing where the vectors
/// are not there.
pub(crate) fn naughty_strings() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/blns/blns.json");
    let Ok(text) = std::fs::read_to_string(root) else {
        println!("the naughty strings are not here: skipped");
        return Vec::new();
    };
    let strings: Vec<String> = serde_json::from_str(&text).unwrap();
    let fits = |text: &String| {
        !text.trim().is_empty() && text.len() < 200 && !text.chars().any(char::is_control)
    };
    strings.into_iter().filter(fits).collect()
}
