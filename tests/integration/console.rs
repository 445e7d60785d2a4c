//! The console's session: what a browser is made to keep, and what is refused to other sites.

use reqwest::StatusCode;
use serde_json::json;

use crate::stack::Stack;

#[tokio::test]
async fn a_token_is_kept_in_a_cookie_that_no_script_and_no_other_site_can_use() {
    let stack = Stack::start().await;
    let token = stack.token(1);
    let nobody = stack.stranger();
    // Terminals break long lines.
    let pasted = format!(" {}\n{}\n", &token[..40], &token[40..]);
    let answer = nobody
        .post("/fr/console/sign-in", &[("token", &pasted)])
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/fr/console");
    let cookie = answer.header("set-cookie");
    assert_eq!(
        cookie,
        format!("session={token}; HttpOnly; SameSite=Strict; Path=/")
    );

    let user = stack.visitor_with(token.clone());
    let page = user.get("/console").await;
    assert_eq!(page.header("cache-control"), "no-store");
    let policy = page.header("content-security-policy").to_owned();
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(directive), "{policy}");
    }
    let page = page.html;
    assert!(
        page.contains("organization 1") && !page.contains(&token),
        "{page}"
    );
    // Only the page that sends files may reach the bucket.
    let page = user.get("/console/import").await;
    let policy = page.header("content-security-policy");
    let s3 = &stack.local.endpoints.s3;
    assert!(
        policy.contains(&format!("connect-src 'self' {s3};")),
        "{policy}"
    );

    let answer = user.post("/console/sign-out", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("session=;") && cookie.contains("Max-Age=0"),
        "{cookie}"
    );
    stack.stop().await;
}

#[tokio::test]
async fn a_token_that_the_api_does_not_believe_opens_nothing() {
    let stack = Stack::start().await;
    let nobody = stack.stranger();
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
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}");
        let cookie = answer.header("set-cookie");
        assert!(
            cookie.is_empty() || cookie.starts_with("session=;"),
            "{cookie}"
        );
        let page = answer.html;
        assert!(page.contains("role=\"alert\""), "{token}: {page}");
    }
    let stranger = stack.visitor_with(forged);
    for path in [
        "/console/jobs",
        "/console/groups",
        "/console/sources",
        "/console/fields",
    ] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(
            answer.header("set-cookie").starts_with("session=;"),
            "{path}"
        );
        let page = answer.html;
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
    let user = stack.visitor_with(stack.token(1));
    for origin in ["", "null", "http://evil.example", "http://127.0.0.1"] {
        for path in [
            "/console/sign-out",
            "/console/groups",
            "/console/sources",
            "/console/sign-in",
        ] {
            let answer = user.post_from(origin, path, &[("id", "stolen")]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin} {path}");
            assert!(answer.header("set-cookie").is_empty(), "{origin} {path}");
        }
    }
    let groups = stack.get("/v1/groups").await;
    assert_eq!(groups.body["groups"], json!([]));
    stack.stop().await;
}

#[tokio::test]
async fn signing_in_leads_to_pages_of_the_console_alone() {
    let stack = Stack::start().await;
    let token = stack.token(1);
    let nobody = stack.stranger();
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
        assert_eq!(answer.header("location"), expected, "{next:?}");
    }
    stack.stop().await;
}
