//! The console's session: what a browser is made to keep, and what is refused to other sites.

use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use url::form_urlencoded::Serializer;

use crate::stack::Stack;

/// A browser without scripts, which follows no redirect by itself.
pub(crate) struct Visitor<'s> {
    stack: &'s Stack,
    client: Client,
    cookie: Option<String>,
}

impl<'s> Visitor<'s> {
    /// Nobody yet.
    pub(crate) fn new(stack: &'s Stack) -> Self {
        Self {
            stack,
            client: Client::builder().redirect(Policy::none()).build().unwrap(),
            cookie: None,
        }
    }

    /// Somebody who has signed in with a token.
    pub(crate) async fn signed_in(stack: &'s Stack, token: &str) -> Self {
        let mut visitor = Self::new(stack);
        let answer = visitor.post("/console/sign-in", &[("token", token)]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        visitor.keep(&answer);
        visitor
    }

    fn keep(&mut self, answer: &Response) {
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.stack.local.endpoints.http);
        let mut request = self.client.get(url).header(header::ACCEPT, "text/html");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request.send().await.unwrap()
    }

    /// Sends a form as a page of the console does.
    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let origin = &self.stack.local.endpoints.http;
        self.post_from(origin, path, form).await
    }

    /// The same, of a page at some origin; of none if it is empty.
    async fn post_from(&self, origin: &str, path: &str, form: &[(&str, &str)]) -> Response {
        let mut body = Serializer::new(String::new());
        for (name, value) in form {
            body.append_pair(name, value);
        }
        let content_type = "application/x-www-form-urlencoded";
        let body = body.finish().into_bytes();
        self.send_from(origin, path, content_type, body).await
    }

    /// Sends a body of some type as a page of the console does.
    pub(crate) async fn send(&self, path: &str, content_type: &str, body: Vec<u8>) -> Response {
        let origin = &self.stack.local.endpoints.http;
        self.send_from(origin, path, content_type, body).await
    }

    async fn send_from(
        &self,
        origin: &str,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Response {
        let url = format!("{}{path}", self.stack.local.endpoints.http);
        let mut request = self
            .client
            .post(url)
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, content_type)
            .body(body);
        if !origin.is_empty() {
            request = request.header(header::ORIGIN, origin);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request.send().await.unwrap()
    }
}

fn header_of(answer: &Response, name: header::HeaderName) -> &str {
    let value = answer.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_token_is_kept_in_a_cookie_that_no_script_and_no_other_site_can_use() {
    let stack = Stack::start().await;
    let token = stack.token(1);
    let nobody = Visitor::new(&stack);
    // Terminals break long lines.
    let pasted = format!(" {}\n{}\n", &token[..40], &token[40..]);
    let answer = nobody
        .post("/fr/console/sign-in", &[("token", &pasted)])
        .await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(header_of(&answer, header::LOCATION), "/fr/console");
    let cookie = header_of(&answer, header::SET_COOKIE);
    assert_eq!(
        cookie,
        format!("session={token}; HttpOnly; SameSite=Strict; Path=/")
    );

    let user = Visitor::signed_in(&stack, &token).await;
    let page = user.get("/console").await;
    assert_eq!(header_of(&page, header::CACHE_CONTROL), "no-store");
    let policy = header_of(&page, header::CONTENT_SECURITY_POLICY).to_owned();
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(directive), "{policy}");
    }
    let page = page.text().await.unwrap();
    assert!(
        page.contains("organization 1") && !page.contains(&token),
        "{page}"
    );
    // Only the page that sends files may reach the bucket.
    let page = user.get("/console/import").await;
    let policy = header_of(&page, header::CONTENT_SECURITY_POLICY);
    let s3 = &stack.local.endpoints.s3;
    assert!(
        policy.contains(&format!("connect-src 'self' {s3};")),
        "{policy}"
    );

    let answer = user.post("/console/sign-out", &[]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let cookie = header_of(&answer, header::SET_COOKIE);
    assert!(
        cookie.starts_with("session=;") && cookie.contains("Max-Age=0"),
        "{cookie}"
    );
    stack.stop().await;
}

#[tokio::test]
async fn a_token_that_the_api_does_not_believe_opens_nothing() {
    let stack = Stack::start().await;
    let nobody = Visitor::new(&stack);
    let forged = {
        let token = stack.token(1);
        let (body, _) = token.rsplit_once('.').unwrap();
        format!("{body}.{}", "A".repeat(86))
    };
    let long = "a".repeat(4_000);
    for token in [
        "",
        "x",
        "a b\u{e9}",
        "x; Domain=evil.example",
        &forged,
        &long,
    ] {
        let answer = nobody.post("/console/sign-in", &[("token", token)]).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{token}");
        let cookie = header_of(&answer, header::SET_COOKIE);
        assert!(
            cookie.is_empty() || cookie.starts_with("session=;"),
            "{cookie}"
        );
        let page = answer.text().await.unwrap();
        assert!(page.contains("role=\"alert\""), "{token}: {page}");
    }
    let mut stranger = Visitor::new(&stack);
    stranger.cookie = Some(format!("session={forged}"));
    for path in [
        "/console/jobs",
        "/console/groups",
        "/console/sources",
        "/console/fields",
    ] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert!(
            header_of(&answer, header::SET_COOKIE).starts_with("session=;"),
            "{path}"
        );
        let page = answer.text().await.unwrap();
        assert!(
            page.contains(&format!("name=\"next\" value=\"{path}\"")),
            "{page}"
        );
    }
    stack.stop().await;
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let stack = Stack::start().await;
    let user = Visitor::signed_in(&stack, &stack.token(1)).await;
    for origin in ["", "null", "http://evil.example", "http://127.0.0.1"] {
        for path in [
            "/console/sign-out",
            "/console/groups",
            "/console/sources",
            "/console/sign-in",
        ] {
            let answer = user.post_from(origin, path, &[("id", "stolen")]).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin} {path}");
            assert!(
                answer.headers().get(header::SET_COOKIE).is_none(),
                "{origin} {path}"
            );
        }
    }
    let groups = stack.get("/v1/groups").await;
    assert_eq!(groups.body["groups"], serde_json::json!([]));
    stack.stop().await;
}

#[tokio::test]
async fn signing_in_leads_to_pages_of_the_console_alone() {
    let stack = Stack::start().await;
    let token = stack.token(1);
    let nobody = Visitor::new(&stack);
    let table = [
        ("/console/jobs", "/console/jobs"),
        ("/console", "/console"),
        ("", "/console"),
        ("//evil.example/console/", "/console"),
        ("https://evil.example", "/console"),
        ("/console/\\evil", "/console"),
        ("/console/\r\nset-cookie: a=b", "/console"),
        ("/console/sign-out", "/console"),
        ("/docs", "/console"),
    ];
    for (next, expected) in table {
        let form = [("token", token.as_str()), ("next", next)];
        let answer = nobody.post("/console/sign-in", &form).await;
        assert_eq!(header_of(&answer, header::LOCATION), expected, "{next:?}");
    }
    stack.stop().await;
}
