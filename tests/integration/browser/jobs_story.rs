//! Jobs: what has run, and stopping what has not.

use serde_json::json;

use super::{ENGLISH, Setup, WITHOUT_SCRIPTS, browse, sign_in::sign_in};
use crate::stack::{Stack, file};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_job_that_waits_is_stopped() {
    tell(ENGLISH).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_job_that_waits_is_stopped_without_scripts() {
    tell(WITHOUT_SCRIPTS).await;
}

async fn tell(setup: Setup) {
    let stack = Stack::start().await;
    stack
        .import("customers", file("customers_with_errors.csv"))
        .await;
    let waiting = json!({"dataset": "customers", "filename": "later.csv"});
    let announced = stack.post("/v1/uploads", &waiting).await;
    assert_eq!(announced.status, 201);
    browse(setup, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.click_first("Jobs").await;
        browser.find("row", "some rows rejected").await;
        let row = browser.find("row", "later.csv").await;
        assert!(row.text().await.unwrap().contains("Waiting"));

        browser.click("later.csv").await;
        browser.find("heading", "later.csv").await;
        browser.assert_readable().await;
        browser.click("Stop this job").await;
        browser.sees("Cancelled").await;
        browser.assert_readable().await;
        assert!(!browser.has("button", "Stop this job").await);
        browser.click("All jobs").await;
        let row = browser.find("row", "later.csv").await;
        assert!(row.text().await.unwrap().contains("Cancelled"));
    })
    .await;
    stack.stop().await;
}
