//! Finding and using what is on a page, by what a person reads there.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use thirtyfour::{WebElement, error::WebDriverResult};

use super::session::Browser;

/// How long a page may take until a test fails.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(25);

const FIND: &str = include_str!("finding.js");
/// Numbers with their names, as a description list has them; without what is quiet beside them.
const COUNTS: &str = "
    const plain = (dd) => [...dd.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)
        .map((node) => node.data).join('').replace(/\\s/g, '');
    return Object.fromEntries([...document.querySelectorAll('.counts div')]
        .map((div) => [div.querySelector('dt').textContent, plain(div.querySelector('dd'))]))";
const TEXT: &str = "return (document.body?.innerText ?? '').replace(/\\s+/g, ' ')";

impl Browser<'_> {
    /// Looks until there is something. What goes wrong on the way counts as nothing: pages change
    /// while they are looked at.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        look: impl AsyncFn() -> WebDriverResult<Option<T>>,
    ) -> T {
        let start = Instant::now();
        loop {
            let seen = look().await;
            if let Ok(Some(found)) = seen {
                return found;
            }
            if start.elapsed() > PATIENCE {
                let text = self.text().await.unwrap_or_default();
                let error = seen.err();
                panic!("{what}: not within {PATIENCE:?} ({error:?}); the page says: {text}");
            }
            tokio::time::sleep(INTERVAL).await;
        }
    }

    pub(super) async fn text(&self) -> WebDriverResult<String> {
        self.driver.execute(TEXT, []).await?.convert()
    }

    /// The counts that are shown, by name.
    pub(super) async fn counts(&self) -> WebDriverResult<HashMap<String, String>> {
        self.driver.execute(COUNTS, []).await?.convert()
    }

    pub(super) async fn sees(&self, text: &str) {
        self.until(&format!("text “{text}”"), async || {
            Ok(self.text().await?.contains(text).then_some(()))
        })
        .await;
    }

    /// Waits until a text has gone, if it was there.
    pub(super) async fn sees_no_more(&self, text: &str) {
        self.until(&format!("no text “{text}”"), async || {
            Ok((!self.text().await?.contains(text)).then_some(()))
        })
        .await;
    }

    /// The only element of a kind and name.
    pub(super) async fn find(&self, kind: &str, name: &str) -> WebElement {
        self.find_in(None, kind, name).await
    }

    pub(super) async fn find_in(
        &self,
        within: Option<&WebElement>,
        kind: &str,
        name: &str,
    ) -> WebElement {
        self.until(&format!("one {kind} “{name}”"), async || {
            let mut found = self.all(within, kind, name).await?;
            let only = found.pop();
            Ok(only.filter(|_| found.is_empty()))
        })
        .await
    }

    /// Whether there is one of a kind and name now.
    pub(super) async fn has(&self, kind: &str, name: &str) -> bool {
        !self.all(None, kind, name).await.unwrap().is_empty()
    }

    async fn all(
        &self,
        within: Option<&WebElement>,
        kind: &str,
        name: &str,
    ) -> WebDriverResult<Vec<WebElement>> {
        let within = within.map_or(Ok(Value::Null), WebElement::to_json)?;
        let arguments = [json!(kind), json!(name), within];
        self.driver.execute(FIND, arguments).await?.elements()
    }

    /// Presses a button or follows a link.
    pub(super) async fn click(&self, name: &str) {
        self.click_in(None, name).await;
    }

    pub(super) async fn click_in(&self, within: Option<&WebElement>, name: &str) {
        self.until(&format!("a click on “{name}”"), async || {
            let element = self.find_in(within, "action", name).await;
            element.click().await.map(Some)
        })
        .await;
    }

    /// Follows the first of several links that lead to the same page: the navigation's.
    pub(super) async fn click_first(&self, name: &str) {
        let what = format!("a link “{name}”");
        let link = self.until(&what, async || {
            let found = self.all(None, "link", name).await?;
            Ok(found.into_iter().next())
        });
        link.await.click().await.unwrap();
    }

    /// Presses a button, where a heading or a link has the same words.
    pub(super) async fn click_button(&self, name: &str) {
        self.find("button", name).await.click().await.unwrap();
    }

    /// Puts a text into a field at once, as from the clipboard.
    pub(super) async fn paste(&self, label: &str, text: &str) {
        let field = self.find("field", label).await;
        field.clear().await.unwrap();
        field.focus().await.unwrap();
        let text = json!({ "text": text });
        self.devtools("Input.insertText", text).await;
    }

    /// Empties a field and types into it.
    pub(super) async fn fill(&self, label: &str, value: &str) {
        self.fill_in(None, label, value).await;
    }

    pub(super) async fn fill_in(&self, within: Option<&WebElement>, label: &str, value: &str) {
        let what = format!("“{value}” typed into “{label}”");
        self.until(&what, async || {
            let field = self.find_in(within, "field", label).await;
            field.clear().await?;
            field.send_keys(value).await.map(Some)
        })
        .await;
    }

    /// Chooses an option by its text.
    pub(super) async fn choose(&self, label: &str, option: &str) {
        self.choose_in(None, label, option).await;
    }

    pub(super) async fn choose_in(&self, within: Option<&WebElement>, label: &str, option: &str) {
        const CHOOSE: &str = "const [select, text] = arguments;
            const option = [...select.options].find((option) => option.label.trim() === text);
            if (!option) return false;
            select.value = option.value;
            select.dispatchEvent(new Event('input', { bubbles: true }));
            select.dispatchEvent(new Event('change', { bubbles: true }));
            return true";
        self.until(&format!("“{option}” in “{label}”"), async || {
            let field = self.find_in(within, "field", label).await.to_json()?;
            let chosen = self.driver.execute(CHOOSE, [field, json!(option)]).await?;
            Ok(chosen.json().as_bool().filter(|chosen| *chosen))
        })
        .await;
    }

    /// Picks a file, as the dialog of a file field does.
    pub(super) async fn pick(&self, label: &str, file: &Path) {
        let field = self.find("field", label).await;
        field.send_keys(file.to_str().unwrap()).await.unwrap();
    }

    /// Drops a file from the desktop on the middle of an element.
    pub(super) async fn drop_on(&self, target: &WebElement, file: &Path) {
        target.scroll_into_view().await.unwrap();
        let rect = target.rect().await.unwrap();
        let scrolled = self.driver.execute("return [scrollX, scrollY]", []).await;
        let (x, y): (f64, f64) = scrolled.unwrap().convert().unwrap();
        let data = json!({"items": [], "files": [file], "dragOperationsMask": 1});
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({
                "type": kind,
                "x": rect.x - x + rect.width / 2.0,
                "y": rect.y - y + rect.height / 2.0,
                "data": data,
            });
            self.devtools("Input.dispatchDragEvent", event).await;
        }
    }
}
