//! The documentation and the console as a person uses them, in Debian's Chromium.
//!
//! `.ci/run browser` runs these tests: `cargo test` alone asks for nothing but Rust. They find what
//! they click by what is to be read on it. `target/browser/` has a picture of each test that failed.

mod axe;
mod chromium;
mod downloads;
mod driver;
mod every_page;
mod fields_story;
mod files;
mod finding;
mod group_life;
mod groups_story;
mod import_story;
mod jobs_story;
mod keyboard;
mod logs;
mod readable;
mod reference_story;
mod session;
mod settings_story;
mod sign_in;
mod sources_story;

use std::{panic::AssertUnwindSafe, path::PathBuf};

use futures::FutureExt;

use self::{driver::Driver, session::Browser};
use crate::stack::Stack;

/// How a browser is set up before it shows its first page.
#[derive(Debug, Clone, Copy)]
struct Setup {
    /// The languages that it asks for, as in `Accept-Language`.
    languages: &'static str,
    /// Whether pages may run scripts.
    scripts: bool,
}

const ENGLISH: Setup = Setup {
    languages: "en",
    scripts: true,
};
const FRENCH: Setup = Setup {
    languages: "fr,en",
    scripts: true,
};
const WITHOUT_SCRIPTS: Setup = Setup {
    languages: "en",
    scripts: false,
};

/// Leads a browser of its own through a test, and closes it however the test ends.
async fn browse(setup: Setup, stack: &Stack, test: impl AsyncFnOnce(&Browser<'_>)) {
    let driver = Driver::start().await;
    let browser = Browser::open(&driver, setup, stack).await;
    let outcome = AssertUnwindSafe(test(&browser)).catch_unwind().await;
    if outcome.is_err() {
        browser.picture(&pictures().join(name())).await;
    }
    browser.close().await;
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure);
    }
}

/// The test's own name, which the thread that it runs on has.
fn name() -> String {
    let thread = std::thread::current();
    let path = thread.name().unwrap_or("unnamed");
    path.replace("::", "-")
}

fn pictures() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("browser")
}
