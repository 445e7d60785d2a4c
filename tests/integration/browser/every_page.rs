//! What holds for every page: in both languages, on a desktop and a phone, by day and by night.

use std::collections::HashSet;

use data_encoding::BASE64;
use fantoccini::{error::CmdError, key::Key};
use serde_json::json;

use super::{
    ENGLISH, FRENCH,
    axe::Axe,
    browse, pictures,
    session::{Browser, Screen},
    sign_in::sign_in,
};
use crate::stack::{Stack, file};

/// Set it to keep a picture of every page on every screen, in `target/browser/pages/`.
const PICTURES: &str = "CLIENTELE_TEST_PICTURES";

const LANGUAGES: [&str; 2] = ["en", "fr"];

/// A page that there is not.
const MISSING: &str = "/docs/none";

/// What anyone may read. An operation of the API reference is opened by its address alone, so not
/// from the page itself.
const PUBLIC: [&str; 13] = [
    "/docs",
    "/docs/customers",
    "/docs/meters",
    "/docs/contacts",
    "/docs/profiles",
    "/docs/workspace",
    "/docs/errors/range",
    "/docs/errors/unauthenticated",
    "/docs/api",
    "/docs/errors",
    "/docs/api#/Jobs/listJobs",
    MISSING,
    "/console",
];

/// What somebody sees who has signed in.
const SIGNED_IN: [&str; 10] = [
    "/console",
    "/console/import",
    "/console/jobs",
    "/console/groups",
    "/console/groups/customers.generic",
    "/console/sources",
    "/console/sources/generic/revoke",
    "/console/settings",
    "/console/fields",
    "/console/workspace",
];

/// Keeps colors from being measured on their way to others.
const STILL: &str = "
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('*, *::before, *::after { transition: none !important; animation: none !important }');
    document.adoptedStyleSheets.push(sheet)";

/// Addresses of the page's links, and of its own places (`#main`) those that do not exist.
const LINKS: &str = "
    const own = (link) => link.origin === location.origin;
    const links = [...document.querySelectorAll('a[href]')].map((a) => new URL(a.href)).filter(own);
    const here = (link) => link.pathname === location.pathname && link.hash !== '';
    const lost = links.filter(here).map((link) => decodeURIComponent(link.hash.slice(1)))
        // The API reference has addresses such as #/Jobs in itself.
        .filter((id) => id !== '' && !id.startsWith('/') && !document.getElementById(id));
    return [links.map((link) => link.pathname + link.search), lost]";

/// The paths among those given that lead nowhere. 401 is a page to sign in on.
const DEAD: &str = "
    const ask = async (path) => [path, (await fetch(path, { headers: { accept: 'text/html' } })).status];
    const replies = await Promise.all(arguments[0].map(ask));
    return replies.filter(([, status]) => status >= 400 && status !== 401).map(([path, status]) => `${path}: ${status}`)";

/// A walk over pages, and what is wrong with them.
struct Inspection<'b> {
    browser: &'b Browser<'b>,
    axe: Axe,
    /// Links that lead somewhere.
    alive: HashSet<String>,
    faults: Vec<String>,
}

impl<'b> Inspection<'b> {
    fn new(browser: &'b Browser<'b>) -> Self {
        Self {
            browser,
            axe: Axe::load(),
            alive: HashSet::new(),
            faults: Vec::new(),
        }
    }

    async fn inspect(&mut self, language: &str, path: &str) {
        let is_missing = path == MISSING;
        let path = format!("/{language}{path}");
        self.browser.show_on(Screen::ALL[0]).await;
        self.browser.visit(&path).await;
        self.browser
            .until("a page that is complete", async || self.is_complete().await)
            .await;
        self.browser.script(STILL).await;
        let mut faults = self.what_is_said(language).await;
        faults.extend(self.browser.keyboard_faults().await);
        for screen in Screen::ALL {
            self.browser.show_on(screen).await;
            faults.extend(self.browser.reading_faults(&self.axe, screen).await);
            self.keep_picture(&path, screen).await;
        }
        let complaints = self.browser.complaints().await;
        let foreign = self.browser.foreign_requests().await;
        faults.extend(foreign.iter().map(|address| format!("asks {address}")));
        if !is_missing {
            faults.extend(complaints);
            faults.extend(self.dead_links().await);
        }
        // Of the dead links.
        self.browser.complaints().await;
        self.faults
            .extend(faults.iter().map(|fault| format!("{path}: {fault}")));
    }

    /// Whether what scripts add is there: the API reference's operations.
    async fn is_complete(&self) -> Result<Option<()>, CmdError> {
        let complete = "const reference = document.getElementById('reference');
            const last = location.hash === '' ? '.opblock-tag' : '.opblock';
            return !reference || reference.querySelector(last) !== null";
        let complete: bool = self.browser.run(complete, Vec::new()).await?;
        Ok(complete.then_some(()))
    }

    /// For whoever wants to look at every page.
    async fn keep_picture(&self, path: &str, screen: Screen) {
        if std::env::var_os(PICTURES).is_none() {
            return;
        }
        let name = path.replace(['/', '#'], "-");
        let file = format!("pages/{}-{}{name}.png", screen.width, screen.scheme);
        let whole = json!({"captureBeyondViewport": true});
        let picture = self.browser.devtools("Page.captureScreenshot", whole).await;
        let picture = BASE64.decode(picture["data"].as_str().unwrap().as_bytes());
        let file = pictures().join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, picture.unwrap()).unwrap();
    }

    /// The language and the title.
    async fn what_is_said(&self, language: &str) -> Vec<String> {
        let head = "return [document.documentElement.lang, document.title]";
        let head = self.browser.script(head).await;
        let mut faults = Vec::new();
        if head[0] != language {
            faults.push(format!("lang is {}", head[0]));
        }
        if head[1].as_str().is_none_or(|title| title.trim().len() < 3) {
            faults.push(format!("title is {}", head[1]));
        }
        faults
    }

    async fn dead_links(&mut self) -> Vec<String> {
        let found = self.browser.script(LINKS).await;
        let [links, lost]: [Vec<String>; 2] = serde_json::from_value(found).unwrap();
        let new: HashSet<String> = links.into_iter().collect();
        let new: Vec<_> = new.difference(&self.alive).cloned().collect();
        let dead: Vec<String> = self.browser.run(DEAD, vec![json!(new)]).await.unwrap();
        self.alive.extend(new);
        let lost = lost
            .into_iter()
            .map(|id| format!("nothing is called #{id}"));
        dead.into_iter()
            .map(|path| format!("links to {path}"))
            .chain(lost)
            .collect()
    }

    /// Inspects pages in every language.
    async fn inspect_all(mut self, paths: &[&str]) {
        for language in LANGUAGES {
            for path in paths {
                self.inspect(language, path).await;
            }
        }
        let faults = self.faults.join("\n");
        assert!(faults.is_empty(), "{faults}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn what_anyone_may_read_is_readable_by_everyone() {
    let stack = Stack::start().await;
    browse(ENGLISH, &stack, async |browser| {
        Inspection::new(browser).inspect_all(&PUBLIC).await;
    })
    .await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn the_console_is_usable_by_everyone() {
    let stack = Stack::start().await;
    stack
        .import("customers", file("customers_with_errors.csv"))
        .await;
    browse(ENGLISH, &stack, async |browser| {
        sign_in(browser, &stack.token(1)).await;
        Inspection::new(browser).inspect_all(&SIGNED_IN).await;
    })
    .await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn the_skip_link_leads_past_the_navigation() {
    let stack = Stack::start().await;
    browse(ENGLISH, &stack, async |browser| {
        browser.visit("/en/docs").await;
        browser.press(Key::Tab).await;
        browser.press(Key::Enter).await;
        let focused = "return document.activeElement.tagName";
        assert_eq!(browser.script(focused).await, "MAIN");
        browser.press(Key::Tab).await;
        let is_inside = "return document.querySelector('main').contains(document.activeElement)";
        assert_eq!(browser.script(is_inside).await, true);
    })
    .await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Chromium: .ci/run browser"]
async fn the_language_changes_and_the_page_stays() {
    let stack = Stack::start().await;
    browse(FRENCH, &stack, async |browser| {
        // The browser asks for French, until a person says otherwise.
        browser.visit("/docs/customers").await;
        let language = "return document.documentElement.lang";
        assert_eq!(browser.script(language).await, "fr");
        for (link, path) in [
            ("English", "/en/docs/customers"),
            ("Français", "/fr/docs/customers"),
        ] {
            browser.click(link).await;
            browser.sees("external_id").await;
            assert_eq!(browser.path().await, path);
        }
        browser.click_first("Console").await;
        browser.find("heading", "Se connecter").await;
    })
    .await;
    stack.stop().await;
}
