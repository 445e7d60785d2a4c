//! Commands that Chromium's driver has beside those of the WebDriver standard.

use fantoccini::{error::CmdError, wd::WebDriverCompatibleCommand};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::session::Browser;

/// A command of ChromeDriver's own: the end of its path, and what is posted there.
#[derive(Debug)]
struct Command {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// A line of one of the browser's logs.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) level: String,
    pub(super) message: String,
}

impl Browser<'_> {
    /// A command of the DevTools protocol.
    pub(super) async fn devtools(&self, method: &str, parameters: Value) -> Value {
        let command = Command {
            path: "goog/cdp/execute",
            body: json!({"cmd": method, "params": parameters}),
        };
        let answer = self.driver.issue_cmd(command).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// What a log (`browser` or `performance`) has had since the last call.
    pub(super) async fn log(&self, kind: &str) -> Result<Vec<Line>, CmdError> {
        let command = Command {
            path: "se/log",
            body: json!({ "type": kind }),
        };
        let lines = self.driver.issue_cmd(command).await?;
        Ok(serde_json::from_value(lines)?)
    }
}
