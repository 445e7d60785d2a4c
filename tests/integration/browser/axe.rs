//! axe-core: what a screen reader, a keyboard and weak eyes need of a page.

use serde_json::{Value, json};

use super::session::Browser;

/// The path of `axe.min.js`, which `.ci/run` sets.
const PATH: &str = "CLIENTELE_TEST_AXE";

/// WCAG 2.0 and 2.1, levels A and AA, and what axe recommends beyond.
const RULES: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];

const RUN: &str = "
    const rules = { runOnly: { type: 'tag', values: arguments[0] }, resultTypes: ['violations'] };
    return axe.run(document, rules).then(({ violations }) =>
        violations.flatMap(({ id, nodes }) =>
            nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary}`)));";

/// axe-core's own text.
pub(super) struct Axe(String);

impl Axe {
    pub(super) fn load() -> Self {
        let path = std::env::var(PATH)
            .unwrap_or_else(|_| panic!("{PATH} names no axe.min.js; use: .ci/run browser"));
        let text = std::fs::read_to_string(&path);
        Self(text.unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    /// What is wrong with the page that is shown.
    pub(super) async fn violations(&self, browser: &Browser<'_>) -> Vec<String> {
        let is_loaded = browser.script("return typeof axe === 'object'").await;
        if is_loaded == Value::Bool(false) {
            browser.script(&self.0).await;
        }
        browser.run(RUN, vec![json!(RULES)]).await.unwrap()
    }
}
