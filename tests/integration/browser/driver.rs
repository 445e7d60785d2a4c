//! ChromeDriver, and what Chromium is started with.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Setup;

/// Names another program than the `chromedriver` of the search path.
const PROGRAM: &str = "CLIENTELE_TEST_CHROMEDRIVER";
/// What it says of its port, which it chooses itself.
const STARTED: &str = "started successfully on port ";

/// How often it may fail to start.
const ATTEMPTS: usize = 5;

/// Nothing that looks for a graphics card, a first user, or the network.
const FLAGS: [&str; 9] = [
    "--headless=new",
    // CI runs as root, which Chromium's sandbox refuses.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// A running ChromeDriver with a folder of its own. Dropping it ends it, and its browser.
pub(super) struct Driver {
    process: Child,
    port: u16,
    /// Home, profile and downloads: the browser of whoever runs the tests is left alone.
    folder: TempDir,
}

impl Driver {
    pub(super) async fn start() -> Self {
        let start = || (0..ATTEMPTS).find_map(|_| Self::started());
        let driver = tokio::task::spawn_blocking(start).await.unwrap();
        driver.expect("ChromeDriver says its port")
    }

    /// A new process, unless it ends at once: the port that it chooses for IPv4 may be taken for
    /// IPv6, on which it listens, too.
    fn started() -> Option<Self> {
        let program = std::env::var(PROGRAM);
        let program = program.unwrap_or_else(|_| "chromedriver".to_owned());
        let folder = TempDir::new().unwrap();
        let mut process = Command::new(&program)
            .arg("--port=0")
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{program} does not start ({error}); use: .ci/run browser")
            });
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once(STARTED)?;
            port.trim_end_matches('.').parse().ok()
        });
        // Dropped without a port, it has ended already.
        let mut driver = Self {
            process,
            port: 0,
            folder,
        };
        driver.port = port?;
        Some(driver)
    }

    /// Where the browser puts what is downloaded.
    pub(super) fn downloads(&self) -> std::path::PathBuf {
        self.folder.path().join("downloads")
    }

    pub(super) async fn open(&self, setup: Setup) -> Client {
        let Value::Object(capabilities) = self.capabilities(setup) else {
            unreachable!("capabilities have names")
        };
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .unwrap()
    }

    fn capabilities(&self, setup: Setup) -> Value {
        let profile = self.folder.path().join("profile");
        let profile = format!("--user-data-dir={}", profile.display());
        let flags = FLAGS.into_iter().chain([profile.as_str()]);
        json!({
            "browserName": "chrome",
            "goog:chromeOptions": {
                "args": flags.collect::<Vec<_>>(),
                "prefs": {
                    "download.default_directory": self.downloads(),
                    "intl.accept_languages": setup.languages,
                    // 2 is "block", as in the browser's own settings.
                    "profile.managed_default_content_settings.javascript": if setup.scripts { 1 } else { 2 },
                },
            },
            // What the page complains of, and each request of the network.
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Its browser was closed before, or ends with the connection to it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
