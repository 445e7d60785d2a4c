//! A workspace's fields: begun with an example, changed, refused where they are wrong.

use fantoccini::{Locator, elements::Element};

use super::{ENGLISH, Setup, WITHOUT_SCRIPTS, browse, session::Browser, sign_in::sign_in};
use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn fields_are_defined_and_mistakes_shown_where_they_are() {
    tell(ENGLISH).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn fields_are_defined_and_mistakes_shown_where_they_are_without_scripts() {
    tell(WITHOUT_SCRIPTS).await;
}

async fn tell(setup: Setup) {
    let stack = Stack::start().await;
    browse(setup, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.click_first("Fields").await;
        browser.sees("There are no fields yet.").await;
        browser.click("Begin with an example").await;
        browser.find("button", "Save the fields").await;
        assert_eq!(names(&stack).await.len(), 0, "nothing is saved before");
        browser.click("Save the fields").await;
        browser.sees("The fields are saved.").await;
        let example = names(&stack).await;
        assert!(example.contains(&"phone".to_owned()), "{example:?}");

        browser.click("Add a field").await;
        let added = row(browser, example.len()).await;
        browser.fill_in(Some(&added), "Name", "phone").await;
        browser.click("Save the fields").await;
        let refused = row(browser, example.len()).await;
        let name = browser.find_in(Some(&refused), "field", "Name").await;
        assert_eq!(
            name.attr("aria-invalid").await.unwrap().as_deref(),
            Some("true")
        );
        assert_eq!(name.prop("value").await.unwrap().as_deref(), Some("phone"));
        let described = name.attr("aria-describedby").await.unwrap().unwrap();
        let message = browser.driver.find(Locator::Id(&described)).await.unwrap();
        assert!(!message.text().await.unwrap().is_empty());
        browser.assert_readable().await;
        assert_eq!(names(&stack).await, example);

        browser.fill_in(Some(&refused), "Name", "shoe_size").await;
        browser.choose_in(Some(&refused), "Type", "number").await;
        browser.click("Save the fields").await;
        browser.sees("The fields are saved.").await;
        let saved = names(&stack).await;
        assert_eq!(saved.len(), example.len() + 1);
        assert_eq!(saved.last().map(String::as_str), Some("shoe_size"));

        browser.click("Remove shoe_size").await;
        browser.click("Save the fields").await;
        browser.sees("The fields are saved.").await;
        assert_eq!(names(&stack).await, example);
    })
    .await;
    stack.stop().await;
}

/// The form of a field, counted from 0.
async fn row(browser: &Browser<'_>, place: usize) -> Element {
    let form = format!("row-{place}");
    browser
        .until(&format!("the form of field {place}"), async || {
            browser.driver.find(Locator::Id(&form)).await.map(Some)
        })
        .await
}

/// The names of the fields that are saved.
async fn names(stack: &Stack) -> Vec<String> {
    let fields = stack.get("/v1/workspace/fields").await.body;
    let fields = fields["fields"].as_array().cloned().unwrap_or_default();
    let name = |field: &serde_json::Value| field["name"].as_str().unwrap().to_owned();
    fields.iter().map(name).collect()
}
