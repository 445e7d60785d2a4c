//! Signing in to the console through an identity provider.

use clientele_docs::{Docs, DocsSettings, ProviderSettings};
use http::header;
use lambda_http::{Body, Request, Response, request};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::{docs::text, provider::Provider, stack::Stack};

const HOST: &str = "registry.example";

fn docs(stack: &Stack, provider: ProviderSettings) -> Docs {
    Docs::new(DocsSettings {
        api_url: stack.local.endpoints.http.clone(),
        provider: Some(provider),
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
    let provider = Provider::serve("127.0.0.1").await;
    let docs = docs(&stack, provider.settings());

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
            .starts_with(&format!("{}/authorize?", provider.issuer))
    );
    let mut query = authorize.query_pairs();
    let (_, redirect_uri) = query.find(|(name, _)| name == "redirect_uri").unwrap();
    assert_eq!(
        redirect_uri,
        format!("https://{HOST}/console/sign-in/callback")
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
    let provider = Provider::serve("127.0.0.1").await;
    let docs = docs(&stack, provider.settings());
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
    let provider = Provider::serve("127.0.0.1").await;
    let docs = docs(&stack, provider.settings());
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
async fn scopes_are_told_apart_by_what_the_issuer_writes_before_them() {
    let stack = Stack::start().await;
    let token = stack.token_with(|token| {
        token.scope =
            "records:read clientele:pii:reveal otherapp/workspace:admin openid".to_owned();
    });
    let docs = Docs::new(DocsSettings {
        api_url: stack.local.endpoints.http.clone(),
        scope_prefix: "clientele:".to_owned(),
        ..DocsSettings::default()
    });
    let session = format!("__Host-session={token}");
    let home = get(&docs, "/console", "", &session).await;
    let shown = String::from_utf8_lossy(home.body()).into_owned();
    assert!(shown.contains("pii:reveal"), "{shown}");
    for other in ["records:read", "workspace:admin", "openid"] {
        assert!(!shown.contains(other), "{other}: {shown}");
    }
    stack.stop().await;
}

#[tokio::test]
async fn a_provider_that_cannot_be_found_is_said_and_tokens_still_open() {
    let stack = Stack::start().await;
    // Nobody listens there any more.
    let gone = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let settings = ProviderSettings {
        issuer: format!("http://{}", gone.local_addr().unwrap()),
        audience: "clientele".to_owned(),
        client_id: "console".to_owned(),
        scopes: String::new(),
    };
    drop(gone);
    let docs = docs(&stack, settings);
    let answer = get(&docs, "/console/sign-in/provider", "", "").await;
    assert_eq!(answer.status(), 503);
    let shown = String::from_utf8_lossy(answer.body()).into_owned();
    assert!(
        shown.contains("role=\"alert\"") && shown.contains("id=\"token\""),
        "{shown}"
    );
    stack.stop().await;
}
