//! The API reference: a route is tried with a token, which the next visit knows nothing of.

use fantoccini::{Locator, elements::Element};

use super::{ENGLISH, browse, session::Browser};
use crate::stack::Stack;

/// The page at one of its routes.
const LIST_GROUPS: &str = "/docs/api#/Groups/listGroups";

/// The viewer's own names of what it shows.
const AUTHORIZE: &str = "#reference .auth-wrapper .authorize";
const TOKEN: &str = "#reference .dialog-ux .auth-container:first-of-type input";
const SIGN_IN: &str = "#reference .dialog-ux .auth-container:first-of-type .modal-btn.authorize";
const CLOSE: &str = "#reference .dialog-ux .btn-done";
const TRY: &str = "#operations-Groups-listGroups .try-out__btn";
const EXECUTE: &str = "#operations-Groups-listGroups .execute";
const STATUS: &str = "#operations-Groups-listGroups .live-responses-table .response-col_status";

impl Browser<'_> {
    /// The first element that a selector finds, once there is one.
    async fn part(&self, selector: &str) -> Element {
        self.until(selector, async || {
            let found = self.driver.find_all(Locator::Css(selector)).await?;
            Ok(found.into_iter().next())
        })
        .await
    }

    async fn press_part(&self, selector: &str) {
        self.until(&format!("{selector} pressed"), async || {
            self.part(selector).await.click().await.map(Some)
        })
        .await;
    }

    /// Sends the request of the route and waits for the answer's status.
    async fn try_it(&self, expected: &str) {
        self.press_part(TRY).await;
        self.press_part(EXECUTE).await;
        self.until(&format!("the status {expected}"), async || {
            let found = self.driver.find_all(Locator::Css(STATUS)).await?;
            for cell in found {
                if cell.text().await?.contains(expected) {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_route_is_tried_with_a_token_that_is_forgotten() {
    let stack = Stack::start().await;
    browse(ENGLISH, &stack, async |browser| {
        browser.visit(LIST_GROUPS).await;
        browser.press_part(AUTHORIZE).await;
        let field = browser.part(TOKEN).await;
        field.send_keys(&stack.token(1)).await.unwrap();
        browser.press_part(SIGN_IN).await;
        browser.press_part(CLOSE).await;
        browser.try_it("200").await;
        // A page that is left has forgotten the token.
        browser.driver.refresh().await.unwrap();
        browser.try_it("401").await;
        assert_eq!(browser.foreign_requests().await, [""; 0]);
        let complaints = browser.complaints().await;
        // The browser's own word of an answer that is no success.
        let own = complaints.into_iter().filter(|line| !line.contains("401"));
        assert_eq!(own.collect::<Vec<_>>(), [""; 0]);
    })
    .await;
    stack.stop().await;
}
