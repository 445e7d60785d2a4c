//! Signing in to the console through an identity provider: a small one, over HTTP, that keeps to
//! RFC 6749 and RFC 7636 and refuses what they have it refuse.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use clientele_docs::{Docs, DocsSettings, ProviderSettings};
use data_encoding::BASE64URL_NOPAD;
use http::header;
use lambda_http::{Body, Request, Response, request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::{Url, form_urlencoded};

use crate::{docs::text, stack::Stack};

const CLIENT: &str = "console";
const HOST: &str = "registry.example";

/// What the provider knows: codes it has given out, each with its challenge and token.
#[derive(Default)]
struct Provider {
    codes: Mutex<HashMap<String, (String, String)>>,
}

impl Provider {
    /// Serves until the test ends; returns the issuer.
    async fn serve(self: Arc<Self>) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let its = issuer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                self.answer(stream, &its).await;
            }
        });
        issuer
    }

    async fn answer(&self, mut stream: TcpStream, issuer: &str) {
        let mut read = Vec::new();
        let (head, body) = loop {
            let mut chunk = [0; 4096];
            let length = stream.read(&mut chunk).await.unwrap();
            read.extend_from_slice(&chunk[..length]);
            let text = String::from_utf8_lossy(&read).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or_default() {
                break (head.to_owned(), body.to_owned());
            }
        };
        let (status, answer) = match head.split(' ').nth(1).unwrap() {
            "/.well-known/openid-configuration" => (
                200,
                json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                }),
            ),
            "/token" => self.token(&body),
            _ => (404, json!({})),
        };
        let answer = answer.to_string();
        let reply = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
            answer.len()
        );
        stream.write_all(reply.as_bytes()).await.unwrap();
    }

    /// RFC 6749, 4.1.3 with RFC 7636, 4.6: a code is good once, for who has the verifier.
    fn token(&self, form: &str) -> (u16, Value) {
        let form: HashMap<_, _> = form_urlencoded::parse(form.as_bytes())
            .into_owned()
            .collect();
        let known = self.codes.lock().unwrap().remove(&form["code"]);
        let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(&form["code_verifier"]));
        match known {
            Some((its, token))
                if its == challenge
                    && form["grant_type"] == "authorization_code"
                    && form["client_id"] == CLIENT
                    && form["redirect_uri"]
                        == format!("https://{HOST}/console/sign-in/callback") =>
            {
                (
                    200,
                    json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600}),
                )
            }
            _ => (400, json!({"error": "invalid_grant"})),
        }
    }

    /// What happens at the provider: somebody signs in and is led back with a code.
    fn sign_in(&self, authorize: &Url, code: &str, token: &str) -> String {
        let query: HashMap<_, _> = authorize.query_pairs().into_owned().collect();
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["client_id"], CLIENT);
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["scope"], "openid clientele/records:read");
        assert_eq!(query["audience"], "clientele");
        let grant = (query["code_challenge"].clone(), token.to_owned());
        self.codes.lock().unwrap().insert(code.to_owned(), grant);
        query["state"].clone()
    }
}

fn docs(stack: &Stack, issuer: &str) -> Docs {
    Docs::new(DocsSettings {
        api_url: stack.local.endpoints.http.clone(),
        provider: Some(ProviderSettings {
            issuer: issuer.to_owned(),
            audience: "clientele".to_owned(),
            client_id: CLIENT.to_owned(),
            scopes: "openid clientele/records:read".to_owned(),
        }),
        ..DocsSettings::default()
    })
}

/// A GET as API Gateway hands it over, over https.
async fn get(docs: &Docs, path: &str, query: &str, cookie: &str) -> Response<Body> {
    let mut event: Value = serde_json::from_str(&text("events/docs_console.json")).unwrap();
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["rawQueryString"] = query.into();
    event["headers"]["host"] = HOST.into();
    if !cookie.is_empty() {
        event["cookies"] = json!([cookie]);
    }
    let request: Request = request::from_str(&event.to_string()).unwrap();
    clientele_docs::handle(docs, request).await
}

fn cookies(response: &Response<Body>) -> Vec<String> {
    let cookies = response.headers().get_all(header::SET_COOKIE).iter();
    cookies
        .map(|cookie| cookie.to_str().unwrap().to_owned())
        .collect()
}

fn value(cookie: &str) -> &str {
    cookie.split(';').next().unwrap()
}

#[tokio::test]
async fn people_sign_in_with_their_organizations_account() {
    let stack = Stack::start().await;
    let provider = Arc::new(Provider::default());
    let issuer = Arc::clone(&provider).serve().await;
    let docs = docs(&stack, &issuer);

    let page = get(&docs, "/fr/console", "", "").await;
    let shown = String::from_utf8_lossy(page.body()).into_owned();
    assert!(
        shown.contains("href=\"/fr/console/sign-in/provider\""),
        "{shown}"
    );

    let away = get(&docs, "/fr/console/sign-in/provider", "", "").await;
    assert_eq!(away.status(), 303);
    let attempt = cookies(&away).remove(0);
    assert!(attempt.starts_with("__Host-sign-in="), "{attempt}");
    assert!(
        attempt.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"),
        "{attempt}"
    );
    let authorize = Url::parse(away.headers()[header::LOCATION].to_str().unwrap()).unwrap();
    assert!(
        authorize
            .as_str()
            .starts_with(&format!("{issuer}/authorize?"))
    );
    let token = stack.token(1);
    let state = provider.sign_in(&authorize, "code-1", &token);

    let callback = "/console/sign-in/callback";
    let back = get(
        &docs,
        callback,
        &format!("code=code-1&state={state}"),
        value(&attempt),
    )
    .await;
    let shown = String::from_utf8_lossy(back.body()).into_owned();
    assert_eq!(back.status(), 200, "{shown}");
    assert!(shown.contains("content=\"0;url=/fr/console\""), "{shown}");
    let kept = cookies(&back);
    assert_eq!(
        kept[0],
        format!("__Host-session={token}; HttpOnly; SameSite=Strict; Secure; Path=/")
    );
    assert!(
        kept[1].starts_with("__Host-sign-in=;") && kept[1].contains("Max-Age=0"),
        "{kept:?}"
    );

    let home = get(&docs, "/fr/console", "", value(&kept[0])).await;
    let shown = String::from_utf8_lossy(home.body()).into_owned();
    assert!(shown.contains("organisation 1"), "{shown}");
    stack.stop().await;
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_signs_nobody_in() {
    let stack = Stack::start().await;
    let provider = Arc::new(Provider::default());
    let issuer = Arc::clone(&provider).serve().await;
    let docs = docs(&stack, &issuer);
    let callback = "/console/sign-in/callback";
    let start = async || {
        let away = get(&docs, "/console/sign-in/provider", "", "").await;
        let attempt = value(&cookies(&away)[0]).to_owned();
        let authorize = Url::parse(away.headers()[header::LOCATION].to_str().unwrap()).unwrap();
        let state = provider.sign_in(&authorize, "code", &stack.token(1));
        (attempt, state)
    };
    let (attempt, state) = start().await;
    let (other, _) = start().await;
    let good = format!("code=code&state={state}");
    let table = [
        ("no cookie", good.clone(), String::new()),
        ("another attempt's cookie", good.clone(), other),
        (
            "another state",
            "code=code&state=x".to_owned(),
            attempt.clone(),
        ),
        (
            "no state",
            "code=code".to_owned(),
            "__Host-sign-in=..".to_owned(),
        ),
        (
            "refused there",
            format!("error=access_denied&state={state}"),
            attempt.clone(),
        ),
        (
            "another issuer's answer",
            format!("{good}&iss=https%3A%2F%2Fevil.example"),
            attempt.clone(),
        ),
        (
            "an unknown code",
            format!("code=other&state={state}"),
            attempt.clone(),
        ),
        // The second attempt has taken the code's place, with another challenge.
        ("another's code", good, attempt),
    ];
    for (case, query, cookie) in table {
        let answer = get(&docs, callback, &query, &cookie).await;
        assert_eq!(answer.status(), 401, "{case}");
        // Only the attempt ends: a link to here must not sign anybody out.
        let ended = cookies(&answer);
        assert_eq!(ended.len(), 1, "{case}: {ended:?}");
        assert!(
            ended[0].starts_with("__Host-sign-in=;"),
            "{case}: {ended:?}"
        );
    }
    stack.stop().await;
}

#[tokio::test]
async fn a_token_that_the_api_does_not_believe_is_of_no_use() {
    let stack = Stack::start().await;
    let provider = Arc::new(Provider::default());
    let issuer = Arc::clone(&provider).serve().await;
    let docs = docs(&stack, &issuer);
    let away = get(&docs, "/console/sign-in/provider", "", "").await;
    let attempt = value(&cookies(&away)[0]).to_owned();
    let authorize = Url::parse(away.headers()[header::LOCATION].to_str().unwrap()).unwrap();
    let state = provider.sign_in(&authorize, "code", "opaque");
    let query = format!("code=code&state={state}");
    let answer = get(&docs, "/console/sign-in/callback", &query, &attempt).await;
    assert_eq!(answer.status(), 401);
    stack.stop().await;
}

#[tokio::test]
async fn a_provider_that_cannot_be_found_is_said_and_tokens_still_open() {
    let stack = Stack::start().await;
    // Nobody listens there any more.
    let gone = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let issuer = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let docs = docs(&stack, &issuer);
    let answer = get(&docs, "/console/sign-in/provider", "", "").await;
    assert_eq!(answer.status(), 503);
    let shown = String::from_utf8_lossy(answer.body()).into_owned();
    assert!(
        shown.contains("role=\"alert\"") && shown.contains("id=\"token\""),
        "{shown}"
    );
    stack.stop().await;
}
