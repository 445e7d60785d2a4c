//! What holds for the whole organization: settings, and the versions of its key.

use super::{ENGLISH, Setup, WITHOUT_SCRIPTS, browse, sign_in::sign_in};
use crate::{decrypting::encrypted_customers, stack::Stack};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn settings_are_changed_and_the_key_renewed() {
    tell(ENGLISH).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn settings_are_changed_and_the_key_renewed_without_scripts() {
    tell(WITHOUT_SCRIPTS).await;
}

async fn tell(setup: Setup) {
    let stack = Stack::start().await;
    encrypted_customers(&stack).await;
    browse(setup, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.click_first("Settings").await;
        let refuse = browser.find("field", "Refuse the file").await;
        refuse.click().await.unwrap();
        browser.click("Save the settings").await;
        browser.sees("The settings are saved.").await;
        let saved = stack.get("/v1/organization/settings").await.body;
        assert_eq!(saved["unknown_columns"], "reject");

        // The same person would have two pseudonyms.
        let keyed = browser.find("field", "Keyed (HMAC-SHA-256").await;
        keyed.click().await.unwrap();
        browser.click("Save the settings").await;
        browser.find("heading", "Settings and keys").await;
        browser.sees("made the other way").await;
        browser.assert_readable().await;
        let kept = stack.get("/v1/organization/settings").await.body;
        assert_eq!(kept["pseudonyms"], saved["pseudonyms"]);

        browser.click("Make a new version").await;
        browser.sees("There is a new version of the key.").await;
        browser.click("Show the versions").await;
        browser.find("row", "in use for writing").await;
        assert!(browser.has("row", "decrypts older values").await);
        browser.assert_readable().await;

        browser.click("Encrypt everything again").await;
        // The page of the job that does it, and says why the older versions stay for now.
        browser.sees("Completed").await;
        browser.sees("under the newest key now").await;
        browser.assert_readable().await;
    })
    .await;
    stack.assert_verified().await;
    stack.stop().await;
}
