//! Whether everybody can read what is shown.

use serde_json::json;

use super::{
    axe::Axe,
    session::{Browser, Screen},
};

/// How far the page is wider than the screen, and what makes it so.
const OVERFLOW: &str = "
    const width = arguments[0];
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = (element) => element.getBoundingClientRect().right > width + 0.5;
    const scrolls = (element) => element && (getComputedStyle(element).overflowX !== 'visible' || scrolls(element.parentElement));
    return [...document.body.querySelectorAll('*')].filter((element) => wide(element) && !scrolls(element.parentElement))
        .map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 40)}`)
        .concat('the page is ' + document.documentElement.scrollWidth + ' wide')";

impl Browser<'_> {
    /// What is wrong with the page on the screen that it is shown on.
    pub(super) async fn reading_faults(&self, axe: &Axe, screen: Screen) -> Vec<String> {
        let wide = self.run(OVERFLOW, vec![json!(screen.width)]).await;
        let mut faults: Vec<String> = wide.unwrap();
        faults.extend(axe.violations(self).await);
        let named = |fault| format!("{} {}: {fault}", screen.width, screen.scheme);
        faults.into_iter().map(named).collect()
    }

    /// For pages that a story comes to and no address alone leads to. The checks are scripts: where
    /// pages may run none, there are none.
    pub(super) async fn assert_readable(&self) {
        if !self.setup.scripts {
            return;
        }
        let axe = Axe::load();
        let mut faults = Vec::new();
        for screen in Screen::ALL {
            self.show_on(screen).await;
            faults.extend(self.reading_faults(&axe, screen).await);
        }
        self.show_on(Screen::ALL[0]).await;
        let path = self.path().await;
        assert!(faults.is_empty(), "{path}: {}", faults.join("\n"));
    }
}
