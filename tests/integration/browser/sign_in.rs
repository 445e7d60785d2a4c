//! Signing in with a token, and out.

use serde_json::json;

use super::{ENGLISH, FRENCH, Setup, WITHOUT_SCRIPTS, browse, session::Browser};
use crate::{provider::Provider, stack::Stack};

/// Pastes a token on the English page for it.
pub(super) async fn sign_in(browser: &Browser<'_>, token: &str) {
    browser.visit("/en/console").await;
    browser.find("heading", "Sign in").await;
    browser.paste("Token", token).await;
    browser.click("Sign in").await;
    browser.find("button", "Sign out").await;
}

pub(super) async fn sign_out(browser: &Browser<'_>) {
    browser.click("Sign out").await;
    browser.find("heading", "Sign in").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_pasted_token_opens_the_console_and_stays_out_of_reach_of_scripts() {
    let stack = Stack::start().await;
    browse(ENGLISH, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        browser.find("heading", "Console").await;
        browser.sees("organization 1").await;
        browser.find("link", "Import").await;

        let cookies = browser.driver.get_all_cookies().await.unwrap();
        let [session] = cookies.as_slice() else {
            panic!("one cookie, not {cookies:?}")
        };
        assert_eq!(session.http_only(), Some(true));
        assert_eq!(session.same_site().map(|it| it.is_strict()), Some(true));
        assert_eq!(session.expires(), None, "it ends with the browser");
        let kept = "return Promise.all([indexedDB.databases(), caches.keys()]).then((kept) =>
            [document.cookie, localStorage.length, sessionStorage.length, ...kept])";
        assert_eq!(browser.script(kept).await, json!(["", 0, 0, [], []]));

        sign_out(browser).await;
        assert!(browser.driver.get_all_cookies().await.unwrap().is_empty());
        browser.visit("/en/console/jobs").await;
        browser.find("heading", "Sign in").await;
        // Nor does the browser's own memory of the page show it.
        browser.driver.back().await.unwrap();
        browser.driver.back().await.unwrap();
        browser.find("heading", "Sign in").await;
    })
    .await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_wrong_token_is_refused_in_words() {
    let stack = Stack::start().await;
    let (wrong, too_long) = ("this is no token", "a".repeat(5_000));
    let languages = [
        (ENGLISH, "Sign in", "Token", "not accepted", "too long"),
        (FRENCH, "Se connecter", "Jeton", "pas accepté", "trop long"),
    ];
    for (setup, action, label, refused, long) in languages {
        browse(setup, &stack, async |browser| {
            browser.visit("/console").await;
            for (token, message) in [(wrong, refused), (too_long.as_str(), long)] {
                browser.paste(label, token).await;
                browser.click_button(action).await;
                browser.sees(message).await;
                browser.find("heading", action).await;
                browser.assert_readable().await;
            }
        })
        .await;
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn a_session_that_is_believed_no_longer_leads_to_signing_in_and_back() {
    let stack = Stack::start().await;
    browse(ENGLISH, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        // The API answers this as it does an expired one, which would take a minute to make.
        let mut cookies = browser.driver.get_all_cookies().await.unwrap();
        let mut session = cookies.pop().unwrap();
        session.set_value(session.value().to_ascii_lowercase());
        browser.driver.delete_all_cookies().await.unwrap();
        browser.driver.add_cookie(session).await.unwrap();

        browser.visit("/en/console/jobs").await;
        browser.sees("session has ended").await;
        browser.assert_readable().await;
        browser.paste("Token", &stack.token(1)).await;
        browser.click_button("Sign in").await;
        browser.find("heading", "Jobs").await;
        assert_eq!(browser.path().await, "/en/console/jobs");
    })
    .await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn an_organizations_account_opens_the_console() {
    tell_of_the_provider(ENGLISH).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn an_organizations_account_opens_the_console_without_scripts() {
    tell_of_the_provider(WITHOUT_SCRIPTS).await;
}

async fn tell_of_the_provider(setup: Setup) {
    // Another site to the browser, which withholds strict cookies from what comes from there.
    let provider = Provider::serve("localhost").await;
    let stack = Stack::with_provider(provider.settings()).await;
    provider.gives(stack.token(1));
    let account = "Sign in with your organization's account";
    browse(setup, &stack, async |browser| {
        browser.visit("/en/console/jobs").await;
        browser.assert_readable().await;
        browser.click(account).await;
        browser.find("heading", "Provider").await;
        browser.click("Not now").await;
        browser.sees("did not work").await;
        browser.assert_readable().await;

        browser.click(account).await;
        browser.click("Continue as Ann").await;
        // Where somebody wanted to go, not where the provider has led.
        browser.find("heading", "Jobs").await;
        assert_eq!(browser.path().await, "/en/console/jobs");
        let cookies = browser.driver.get_all_cookies().await.unwrap();
        let names: Vec<_> = cookies.iter().map(|cookie| cookie.name()).collect();
        assert_eq!(names, ["session"], "the attempt has ended");
        browser.visit("/en/console").await;
        browser.sees("organization 1").await;
        sign_out(browser).await;
    })
    .await;
    stack.stop().await;
}
