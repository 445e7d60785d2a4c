//! What a browser complains of, and whom it asked.

use serde_json::Value;

use super::session::Browser;

impl Browser<'_> {
    /// Errors and warnings since the last call: of scripts, of what could not be loaded, of what the
    /// Content-Security-Policy has kept from happening.
    pub(super) async fn complaints(&self) -> Vec<String> {
        let log = self.log("browser").await.unwrap();
        let serious = log
            .into_iter()
            .filter(|entry| matches!(entry.level.as_str(), "SEVERE" | "WARNING"));
        serious.map(|entry| entry.message).collect()
    }

    /// The addresses outside the stack that were asked for since the last call.
    pub(super) async fn foreign_requests(&self) -> Vec<String> {
        let log = self.log("performance").await.unwrap();
        let events = log.iter().filter_map(|entry| {
            let event: Value = serde_json::from_str(&entry.message).ok()?;
            let message = &event["message"];
            let is_request = message["method"] == "Network.requestWillBeSent";
            let address = message["params"]["request"]["url"].as_str()?;
            is_request.then(|| address.to_owned())
        });
        // Not the browser's own pages, and not what a page makes itself (`data:`, `blob:`).
        let is_remote = |address: &String| address.starts_with("http") || address.starts_with("ws");
        let is_own = |address: &String| {
            let rest = address.strip_prefix(&self.origin);
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        events
            .filter(|address| is_remote(address) && !is_own(address))
            .collect()
    }
}
