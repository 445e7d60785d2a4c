//! Finding and using what is on a page, by what a person reads there.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use fantoccini::{
    elements::{Element, ElementRef},
    error::CmdError,
};
use serde_json::{Value, json};

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
        look: impl AsyncFn() -> Result<Option<T>, CmdError>,
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

    pub(super) async fn text(&self) -> Result<String, CmdError> {
        self.run(TEXT, Vec::new()).await
    }

    /// The counts that are shown, by name.
    pub(super) async fn counts(&self) -> Result<HashMap<String, String>, CmdError> {
        self.run(COUNTS, Vec::new()).await
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
    pub(super) async fn find(&self, kind: &str, name: &str) -> Element {
        self.find_in(None, kind, name).await
    }

    pub(super) async fn find_in(
        &self,
        within: Option<&Element>,
        kind: &str,
        name: &str,
    ) -> Element {
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
        within: Option<&Element>,
        kind: &str,
        name: &str,
    ) -> Result<Vec<Element>, CmdError> {
        let arguments = vec![json!(kind), json!(name), json!(within)];
        self.elements(FIND, arguments).await
    }

    /// The elements that a script returns.
    pub(super) async fn elements(
        &self,
        script: &str,
        arguments: Vec<Value>,
    ) -> Result<Vec<Element>, CmdError> {
        let found: Vec<HashMap<String, String>> = self.run(script, arguments).await?;
        // Each is an object with one member, whose name the standard gives:
        // https://www.w3.org/TR/webdriver2/#elements
        let ids = found.into_iter().flat_map(HashMap::into_values);
        let element = |id| Element::from_element_id(self.driver.clone(), ElementRef::from(id));
        Ok(ids.map(element).collect())
    }

    /// Presses a button or follows a link.
    pub(super) async fn click(&self, name: &str) {
        self.click_in(None, name).await;
    }

    pub(super) async fn click_in(&self, within: Option<&Element>, name: &str) {
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
        self.run::<()>("arguments[0].focus()", vec![json!(field)])
            .await
            .unwrap();
        let text = json!({ "text": text });
        self.devtools("Input.insertText", text).await;
    }

    /// Empties a field and types into it.
    pub(super) async fn fill(&self, label: &str, value: &str) {
        self.fill_in(None, label, value).await;
    }

    pub(super) async fn fill_in(&self, within: Option<&Element>, label: &str, value: &str) {
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

    pub(super) async fn choose_in(&self, within: Option<&Element>, label: &str, option: &str) {
        const CHOOSE: &str = "const [select, text] = arguments;
            const option = [...select.options].find((option) => option.label.trim() === text);
            if (!option) return false;
            select.value = option.value;
            select.dispatchEvent(new Event('input', { bubbles: true }));
            select.dispatchEvent(new Event('change', { bubbles: true }));
            return true";
        self.until(&format!("“{option}” in “{label}”"), async || {
            let field = self.find_in(within, "field", label).await;
            let chosen: bool = self.run(CHOOSE, vec![json!(field), json!(option)]).await?;
            Ok(chosen.then_some(()))
        })
        .await;
    }

    /// Picks a file, as the dialog of a file field does.
    pub(super) async fn pick(&self, label: &str, file: &Path) {
        let field = self.find("field", label).await;
        field.send_keys(file.to_str().unwrap()).await.unwrap();
    }

    /// Drops a file from the desktop on the middle of an element.
    pub(super) async fn drop_on(&self, target: &Element, file: &Path) {
        const MIDDLE: &str = "arguments[0].scrollIntoView({ block: 'center' });
            const box = arguments[0].getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2]";
        let (x, y): (f64, f64) = self.run(MIDDLE, vec![json!(target)]).await.unwrap();
        let data = json!({"items": [], "files": [file], "dragOperationsMask": 1});
        for kind in ["dragEnter", "dragOver", "drop"] {
            let event = json!({
                "type": kind,
                "x": x,
                "y": y,
                "data": data,
            });
            self.devtools("Input.dispatchDragEvent", event).await;
        }
    }
}
