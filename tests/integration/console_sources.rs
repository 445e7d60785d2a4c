//! Sources, their tokens, settings and keys in the console.

use http::Method;

use crate::stack::{Stack, customers};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_revoked() {
    let stack = Stack::start().await;
    let visitor = stack.visitor();
    let form = [
        ("data_origin", "billing"),
        ("datasets", "customers"),
        ("datasets", "meters"),
    ];
    let granted = visitor.post("/console/sources", &form).await;
    assert_eq!(granted.status, 200);
    granted.assert_private_and_harmless();
    let token = granted.all_after(r#"class="secret" value=""#).remove(0);
    let out = "/api/v1/out/customers";
    let read = |token: String| {
        let stack = &stack;
        async move {
            stack
                .send(Method::GET, out, Some(&token), None, &[])
                .await
                .status
        }
    };
    assert_eq!(read(token.clone()).await, 200);

    let list = visitor.get("/console/sources").await;
    assert!(list.has("source-billing") && list.has("customers, meters"));
    assert!(!list.has(&token), "it was shown once");
    let id = list
        .all_after("/console/sources/billing/revoke?token=")
        .remove(0);
    let asked = visitor
        .get(&format!("/console/sources/billing/revoke?token={id}"))
        .await;
    assert!(asked.has("Revoke a token of billing?"));
    let revoke = "/console/sources/billing/revoke";
    let revoked = visitor.send(revoke, &[("token", &id)]).await;
    assert!(revoked.has("One token was revoked."), "{}", revoked.html);
    assert_eq!(read(token).await, 401);
    assert_eq!(visitor.send(revoke, &[("token", &id)]).await.status, 404);

    for _ in 0..2 {
        visitor.post("/console/sources", &form).await;
    }
    // Without a token's id, all are not meant by themselves.
    assert!(!visitor.send(revoke, &[]).await.has("revoked."));
    let all = visitor.send(revoke, &[("all", "1")]).await;
    assert!(all.has("2 tokens were revoked."));
    let none = visitor.send(revoke, &[("all", "1")]).await;
    assert!(none.has("No token was revoked"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_says_at_which_input() {
    let stack = Stack::start().await;
    let visitor = stack.visitor();
    let table = [
        ("billing", "", 400, "datasets"),
        ("Not a source", "customers", 400, "data_origin"),
        ("<script>", "customers", 400, "data_origin"),
        ("billing", "contacts", 400, "datasets"),
        ("external", "customers", 400, "data_origin"),
        ("billing", "workspace", 400, "datasets"),
    ];
    for (origin, dataset, status, input) in table {
        let mut form = vec![("data_origin", origin)];
        form.extend((!dataset.is_empty()).then_some(("datasets", dataset)));
        let page = visitor.post("/console/sources", &form).await;
        assert_eq!(page.status, status, "{form:?}");
        page.assert_private_and_harmless();
        assert!(
            page.has(&format!("<a href=\"#{input}\"")),
            "{form:?}: {}",
            page.html
        );
        assert_eq!(page.all_after("name=\"data_origin\" value=\""), [origin]);
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_and_settings_are_for_those_who_administer() {
    let stack = Stack::start().await;
    let reader = stack.visitor_who_may("records:read");
    assert_eq!(reader.get("/console/sources").await.status, 403);
    let form = [("data_origin", "billing"), ("datasets", "customers")];
    assert_eq!(reader.post("/console/sources", &form).await.status, 403);
    let settings = reader.get("/console/settings").await;
    assert_eq!(settings.status, 200);
    assert!(settings.has("disabled") && !settings.has("id=\"save\""));
    let form = [("pseudonyms", "hmac-sha256"), ("unknown_columns", "keep")];
    for path in ["", "/keys", "/keys/rotate", "/keys/rewrap"] {
        let page = reader
            .post(&format!("/console/settings{path}"), &form)
            .await;
        assert_eq!(page.status, 403, "{path}");
    }
    let other = stack.visitor_with(stack.token(2));
    let mine = stack.visitor();
    mine.post(
        "/console/sources",
        &[("data_origin", "billing"), ("datasets", "customers")],
    )
    .await;
    assert!(!other.get("/console/sources").await.has("source-billing"));
    assert_eq!(
        other
            .post("/console/sources/billing/revoke", &[("all", "1")])
            .await
            .status,
        404
    );
    assert_eq!(
        other
            .post("/console/sources/No%2Fsource/revoke", &[])
            .await
            .status,
        404
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_change_until_records_stand_against_it() {
    let stack = Stack::start().await;
    let visitor = stack.visitor();
    let form = |pseudonyms| [("pseudonyms", pseudonyms), ("unknown_columns", "drop")];
    let saved = visitor.send("/console/settings", &form("sha256")).await;
    assert!(saved.has("The settings are saved.") && saved.has(r#"value="drop" checked"#));
    stack.import("customers", customers(0..1, "+2567")).await;
    let refused = visitor
        .send("/console/settings", &form("hmac-sha256"))
        .await;
    assert_eq!(refused.status, 409);
    assert!(refused.has(r##"<a href="#pseudonyms""##));
    assert!(
        refused.has(r#"value="hmac-sha256" checked"#),
        "what was chosen stays"
    );
    let wrong = visitor.send("/console/settings", &form("none")).await;
    assert_eq!(wrong.status, 400);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_without_what_they_consist_of() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..1, "+2567")).await;
    let visitor = stack.visitor();
    let rotated = visitor.send("/console/settings/keys/rotate", &[]).await;
    assert!(rotated.has("There is a new version of the key."));
    let listed = visitor.post("/console/settings/keys", &[]).await;
    listed.assert_private_and_harmless();
    assert!(listed.has("in use for writing") && listed.has("decrypts older values"));
    let keys = stack.get("/v1/organization/keys").await.body;
    for key in keys["keys"].as_array().unwrap() {
        assert!(!listed.has(key["key"].as_str().unwrap()));
    }
    let job = visitor.post("/console/settings/keys/rewrap", &[]).await;
    assert!(job.location().unwrap().starts_with("/console/jobs/"));
    stack.stop().await;
}
