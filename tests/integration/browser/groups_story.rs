//! Groups and their customers: paging, searching, revealing, deleting.

use super::{
    ENGLISH, Setup, WITHOUT_SCRIPTS, browse,
    session::Browser,
    sign_in::{sign_in, sign_out},
};
use crate::{decrypting::encrypted_customers, stack::Stack};

/// More than one page of customers.
const CUSTOMERS: usize = 1_203;
/// The scopes of somebody who may look and no more.
const READER: &str = "records:read";

/// Made-up people of a file.
fn people() -> String {
    let rows = (0..CUSTOMERS).map(|n| format!("c{n},Person {n},+25670{n:07},farmer\n"));
    format!(
        "external_id,name,phone,profession\n{}",
        rows.collect::<String>()
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn customers_are_paged_found_revealed_and_deleted() {
    tell(ENGLISH).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn customers_are_paged_found_revealed_and_deleted_without_scripts() {
    tell(WITHOUT_SCRIPTS).await;
}

async fn tell(setup: Setup) {
    let stack = Stack::start().await;
    stack.import("customers", people()).await;
    browse(setup, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.click_first("Groups").await;
        // Customers and pages.
        browser
            .find("row", "customers.generic customers 1 203 2")
            .await;
        browser.click_first("customers.generic").await;

        turn_pages(browser).await;
        find_people(browser).await;
        keep_or_delete(browser).await;
        delete_several(browser).await;
    })
    .await;
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn encrypted_values_are_shown_to_whom_may_see_them() {
    let stack = Stack::start().await;
    encrypted_customers(&stack).await;
    let phone = "+256700000001";
    browse(ENGLISH, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser
            .visit("/en/console/groups/workspace.workspace")
            .await;
        browser.sees("encrypted").await;
        browser.click("Show encrypted values of this page").await;
        browser.sees("recorded in the audit").await;
        browser.sees(phone).await;
        browser.assert_readable().await;
        browser.click("Hide them again").await;
        browser.sees_no_more(phone).await;

        search(browser, "1").await;
        browser.find("heading", "1").await;
        browser.click("Show encrypted values").await;
        browser.find("row", &format!("phone {phone}")).await;
        browser.assert_readable().await;
        assert!(
            !browser.path().await.contains("reveal"),
            "not by an address"
        );
        browser.click("Hide them again").await;
        browser.sees_no_more(phone).await;

        sign_out(browser).await;
        let reader = stack.token_with(|request| request.scope = READER.to_owned());
        sign_in(browser, &reader).await;
        browser
            .visit("/en/console/groups/workspace.workspace")
            .await;
        browser.find("heading", "Customers, page 1").await;
        assert!(!browser.has("button", "Show encrypted values").await);
        assert!(!browser.has("button", "Delete").await);
    })
    .await;
    stack.stop().await;
}

async fn turn_pages(browser: &Browser<'_>) {
    browser.find("heading", "Customers, page 1").await;
    assert_eq!(rows(browser).await, 1_000);
    browser.fill("Go to page (1 to 2)", "2").await;
    browser.click("Go").await;
    browser.find("heading", "Customers, page 2").await;
    assert_eq!(rows(browser).await, 203);
    browser.click("Previous page").await;
    browser.find("heading", "Customers, page 1").await;
}

async fn rows(browser: &Browser<'_>) -> u64 {
    let rows = "return document.querySelectorAll('#customers tbody tr').length";
    browser.script(rows).await.as_u64().unwrap()
}

async fn search(browser: &Browser<'_>, id: &str) {
    browser.fill("Find a customer by id", id).await;
    browser.click("Find").await;
}

async fn find_people(browser: &Browser<'_>) {
    search(browser, "nobody").await;
    browser
        .sees("Nobody in this group has the id nobody.")
        .await;
    browser.assert_readable().await;
    search(browser, "c42").await;
    browser.find("heading", "c42").await;
    browser.sees("1-generic-c42").await;
    assert!(
        !browser.path().await.contains("c42"),
        "ids stay out of addresses, which are logged and kept"
    );
}

/// Deletes the customer who is shown, after having thought better of it once.
async fn keep_or_delete(browser: &Browser<'_>) {
    browser.click("Delete this customer…").await;
    browser.sees("This cannot be undone.").await;
    browser.click("Cancel, and leave everything as it is").await;
    browser.sees("1 203").await;

    search(browser, "c42").await;
    browser.click("Delete this customer…").await;
    let label = "To confirm, type the number of customers: 1";
    browser.fill(label, "2").await;
    browser.click("Delete them for good").await;
    browser.sees("Nothing was deleted.").await;
    browser.assert_readable().await;
    browser.fill(label, "1").await;
    browser.click("Delete them for good").await;
    browser.sees("One customer was deleted.").await;
    browser.assert_readable().await;
    let receipt = browser.find("field", "Receipt as JSON").await;
    let receipt = receipt.prop("value").await.unwrap().unwrap();
    assert!(
        !receipt.contains("generic-c42") && receipt.contains("erased"),
        "{receipt}"
    );
    browser.click("To the group").await;
    browser.sees("1 202").await;
    search(browser, "c42").await;
    browser.sees("Nobody in this group has the id c42.").await;
    // For whoever looks next.
    browser.click_first("customers.generic").await;
}

async fn delete_several(browser: &Browser<'_>) {
    browser.click("Last page").await;
    browser.find("heading", "Customers, page 2").await;
    let boxes = "return [...document.querySelectorAll('#customers input')].slice(0, 3)";
    for choice in browser.elements(boxes, Vec::new()).await.unwrap() {
        choice.click().await.unwrap();
    }
    browser.click("Delete the chosen customers…").await;
    let label = "To confirm, type the number of customers: 3";
    browser.fill(label, "3").await;
    browser.click("Delete them for good").await;
    browser.sees("3 customers were deleted.").await;
    browser.click("To the group").await;
    browser.sees("1 199").await;
}
