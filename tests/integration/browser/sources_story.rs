//! Sources and their tokens: granted, shown once, revoked.

use http::{Method, StatusCode};
use serde_json::json;

use super::{ENGLISH, Setup, WITHOUT_SCRIPTS, browse, sign_in::sign_in};
use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_token_is_granted_shown_once_and_revoked() {
    tell(ENGLISH).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_token_is_granted_shown_once_and_revoked_without_scripts() {
    tell(WITHOUT_SCRIPTS).await;
}

async fn tell(setup: Setup) {
    let stack = Stack::start().await;
    browse(setup, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.click_first("Sources").await;
        browser.find("row", "generic no tokens").await;

        browser.fill("Source", "field_app").await;
        browser.click("Make the token").await;
        browser.sees("Choose at least one dataset.").await;
        browser.assert_readable().await;
        browser
            .find("field", "Customers customers")
            .await
            .click()
            .await
            .unwrap();
        browser.click("Make the token").await;
        browser.find("heading", "The token is made").await;
        browser.assert_readable().await;
        let token = browser.find("field", "Token of the source field_app").await;
        let token = token.prop("value").await.unwrap().unwrap();
        assert_eq!(push(&stack, &token).await, StatusCode::CREATED);

        browser.click("To the sources").await;
        browser.find("row", "field_app").await;
        browser.assert_readable().await;
        let page = browser.driver.source().await.unwrap();
        assert!(!page.contains(&token), "it is shown once");

        browser.click("Revoke").await;
        browser.click("Cancel, and leave everything as it is").await;
        assert_eq!(push(&stack, &token).await, StatusCode::CREATED);
        browser.click("Revoke").await;
        browser.click("Revoke this token").await;
        browser.sees("One token was revoked.").await;
        browser.find("row", "field_app no tokens").await;
        assert_eq!(push(&stack, &token).await, StatusCode::UNAUTHORIZED);
    })
    .await;
    stack.stop().await;
}

async fn push(stack: &Stack, token: &str) -> StatusCode {
    let row = json!({"data": [{"external_id": "1"}]}).to_string();
    let path = "/api/v1/in/customers";
    let answer = stack.send(Method::POST, path, Some(token), Some(row), &[]);
    answer.await.status
}
