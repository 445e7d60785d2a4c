//! A page without a mouse.

use fantoccini::{
    actions::{InputSource, KeyAction, KeyActions},
    key::Key,
};
use serde_json::Value;

use super::session::Browser;

/// How many steps are made on a page before its rest is believed.
const MAX_STEPS: usize = 60;

/// How many elements the keyboard must reach.
const EXPECTED: &str = "
    const tabs = 'a[href], button, input, select, textarea, summary, [tabindex=\"0\"]';
    const reachable = (element) => element.checkVisibility({ visibilityProperty: true })
        && !element.disabled && element.tabIndex >= 0 && element.type !== 'radio' && element.type !== 'hidden';
    window.expectedStops = [...document.querySelectorAll(tabs)].filter(reachable);
    return window.expectedStops.length";

/// Where the keyboard is: nothing on the page, or how it is called and what is wrong there.
const STOP: &str = "
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
    const seen = box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
    window.expectedStops = window.expectedStops.filter((expected) => expected !== element);
    const name = element.tagName + ' ' + (element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 40) ?? element.name);
    return [name, outlined && seen ? '' : `${name}: ${outlined ? 'is not in view' : 'has no visible focus'}`,
        element.matches('.skip')]";

const LEFT: &str = "return window.expectedStops.map((element) => element.outerHTML.slice(0, 80))";

impl Browser<'_> {
    pub(super) async fn press(&self, key: Key) {
        let value = key.into();
        let keyboard = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        self.driver.perform_actions(keyboard).await.unwrap();
    }

    /// What the keyboard cannot reach or does not show, on the page that has just been opened.
    pub(super) async fn keyboard_faults(&self) -> Vec<String> {
        let expected = self.script(EXPECTED).await.as_u64().unwrap();
        let mut faults = Vec::new();
        for step in 0..MAX_STEPS {
            self.press(Key::Tab).await;
            let stop = self.script(STOP).await;
            if stop.is_null() {
                break;
            }
            if step == 0 && stop[2] != Value::Bool(true) {
                faults.push(format!("the first stop is {}, not a skip link", stop[0]));
            }
            let fault = stop[1].as_str().unwrap_or_default();
            if !fault.is_empty() {
                faults.push(format!("keyboard: {fault}"));
            }
        }
        if expected < MAX_STEPS as u64 {
            let left: Vec<String> = serde_json::from_value(self.script(LEFT).await).unwrap();
            faults.extend(left.iter().map(|html| format!("no key leads to {html}")));
        }
        faults
    }
}
