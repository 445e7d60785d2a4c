//! The API reference: trying an operation out with a token.

use serde_json::json;
use thirtyfour::By;

use super::{ENGLISH, browse};
use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn an_operation_is_tried_out_with_a_token_that_is_forgotten() {
    let stack = Stack::start().await;
    browse(ENGLISH, &stack, async |browser| {
        browser.visit("/en/docs/api#/Jobs/listJobs").await;
        browser.click("Authorize").await;
        // The first is for tokens of people, the second for those of sources.
        let people = browser.until("forms for tokens", async || {
            let form = By::Css(".auth-container");
            browser.driver.find(form).await.map(Some)
        });
        let people = people.await;
        let value = browser.find_in(Some(&people), "field", "auth-bearer-value").await;
        value.send_keys(stack.token(1)).await.unwrap();
        browser.click_in(Some(&people), "Apply credentials").await;
        browser.click_in(Some(&people), "Close").await;
        browser.click("Try it out").await;
        browser.click("Execute").await;
        let answered = "return document.querySelector('.live-responses-table .response .response-col_status')?.innerText";
        browser
            .until("an answer of the API", async || {
                let status = browser.driver.execute(answered, []).await?;
                Ok((*status.json() == json!("200")).then_some(()))
            })
            .await;
        browser.sees("next_before").await;

        browser.driver.refresh().await.unwrap();
        browser.click("Try it out").await;
        browser.click("Execute").await;
        browser
            .until("a refusal by the API", async || {
                let status = browser.driver.execute(answered, []).await?;
                let is_refused = status.json().as_str().is_some_and(|text| text.starts_with("401"));
                Ok(is_refused.then_some(()))
            })
            .await;
    })
    .await;
    stack.stop().await;
}
