//! A group of somebody's own: made, filled, renamed, deleted.

use super::{ENGLISH, Setup, WITHOUT_SCRIPTS, browse, sign_in::sign_in};
use crate::stack::{Stack, file};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_group_is_made_renamed_and_deleted_and_its_customers_stay() {
    tell(ENGLISH).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_group_is_made_renamed_and_deleted_without_scripts() {
    tell(WITHOUT_SCRIPTS).await;
}

async fn tell(setup: Setup) {
    let stack = Stack::start().await;
    browse(setup, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.click_first("Groups").await;
        browser.fill("Name", "Tenants of the lake").await;
        browser.fill("Id (optional)", "Not an id!").await;
        browser.click("Create the group").await;
        browser.find("heading", "New group").await;
        browser.assert_readable().await;
        browser.fill("Id (optional)", "tenants").await;
        browser.click("Create the group").await;
        browser.sees("The group was created.").await;
        browser.sees("Nobody is in this group yet.").await;
        browser.assert_readable().await;

        let job = stack
            .import("customers/tenants", file("customers.csv"))
            .await;
        let rows = job.counts.created;
        browser.click_first("Groups").await;
        let row = format!("Tenants of the lake tenants customers {rows} 1");
        browser.find("row", &row).await;

        browser.click("Tenants of the lake").await;
        browser.fill("Name", "Tenants").await;
        browser.click("Rename the group").await;
        browser.sees("The group has its new name.").await;
        browser.find("heading", "Tenants").await;

        browser.click("Delete this group…").await;
        browser.assert_readable().await;
        browser.click("Delete the group").await;
        browser.sees("Its customers stay.").await;
        browser.click("See the job").await;
        browser.sees("Completed").await;
        browser.click_first("Groups").await;
        let row = format!("customers.generic customers {rows} 1");
        browser.find("row", &row).await;
        assert!(!browser.has("row", "tenants").await);
    })
    .await;
    stack.assert_verified().await;
    stack.stop().await;
}
