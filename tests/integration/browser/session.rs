//! A browser's window on a stack.

use std::path::Path;

use fantoccini::{Client, error::CmdError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Setup, driver::Driver};
use crate::stack::Stack;

/// An open browser.
pub(super) struct Browser<'d> {
    pub(super) driver: Client,
    pub(super) setup: Setup,
    /// Whose browser it is.
    pub(super) process: &'d Driver,
    /// The stack's address, without a slash at its end.
    pub(super) origin: String,
}

/// What the reader of a page has in front of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    pub(super) width: u32,
    pub(super) scheme: &'static str,
}

impl Screen {
    /// A desktop and a phone, by day and by night.
    pub(super) const ALL: [Self; 4] = [
        Self::new(1280, "light"),
        Self::new(1280, "dark"),
        Self::new(390, "light"),
        Self::new(390, "dark"),
    ];

    const fn new(width: u32, scheme: &'static str) -> Self {
        Self { width, scheme }
    }

    pub(super) const fn is_phone(self) -> bool {
        self.width < 600
    }
}

impl<'d> Browser<'d> {
    pub(super) async fn open(driver: &'d Driver, setup: Setup, stack: &Stack) -> Self {
        let browser = Self {
            driver: driver.open(setup).await,
            setup,
            process: driver,
            origin: stack.local.endpoints.http.clone(),
        };
        browser.show_on(Screen::ALL[0]).await;
        browser
    }

    pub(super) async fn close(self) {
        if let Err(error) = self.driver.close().await {
            println!("the browser was not closed: {error}");
        }
    }

    /// Shows the page at a path of the stack.
    pub(super) async fn visit(&self, path: &str) {
        let address = format!("{}{path}", self.origin);
        self.driver.goto(&address).await.unwrap();
    }

    /// The path that is shown, with its query.
    pub(super) async fn path(&self) -> String {
        let address = self.driver.current_url().await.unwrap();
        let path = address.as_str().strip_prefix(&self.origin);
        path.unwrap_or(address.as_str()).to_owned()
    }

    pub(super) async fn show_on(&self, screen: Screen) {
        let size = json!({
            "width": screen.width,
            "height": if screen.is_phone() { 844 } else { 900 },
            "deviceScaleFactor": 1,
            "mobile": screen.is_phone(),
        });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
        let scheme = json!({"name": "prefers-color-scheme", "value": screen.scheme});
        // So that no color is measured on its way to another.
        let motion = json!({"name": "prefers-reduced-motion", "value": "reduce"});
        let media = json!({"features": [scheme, motion]});
        self.devtools("Emulation.setEmulatedMedia", media).await;
    }

    /// Runs a script's text in the page and returns what it returns.
    pub(super) async fn script(&self, script: &str) -> Value {
        self.run(script, Vec::new()).await.unwrap()
    }

    /// Runs a script's text with arguments, and waits for what it promises.
    pub(super) async fn run<T: DeserializeOwned>(
        &self,
        script: &str,
        arguments: Vec<Value>,
    ) -> Result<T, CmdError> {
        let returned = self.driver.execute(script, arguments).await?;
        Ok(serde_json::from_value(returned)?)
    }

    /// Writes down what is shown, as far as that still works.
    pub(super) async fn picture(&self, path: &Path) {
        let file = path.with_extension("png");
        let folder = file.parent().map(std::fs::create_dir_all);
        let taken = self.driver.screenshot().await;
        let taken = taken.map(|picture| std::fs::write(&file, picture));
        let address = self.driver.current_url().await.map(String::from);
        println!(
            "{} shows {address:?} ({folder:?}, {taken:?})",
            file.display()
        );
        for entry in self.log("browser").await.unwrap_or_default() {
            println!("console: {} {}", entry.level, entry.message);
        }
    }
}
