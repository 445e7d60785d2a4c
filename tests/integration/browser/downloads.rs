//! What a browser downloads.

use std::{collections::BTreeSet, path::PathBuf};

use super::session::Browser;

/// The folder of downloads, as it was.
pub(super) struct Downloads {
    folder: PathBuf,
    before: BTreeSet<PathBuf>,
}

impl Downloads {
    pub(super) fn of(browser: &Browser<'_>) -> Self {
        let folder = browser.process.downloads();
        let before = files(&folder);
        Self { folder, before }
    }

    /// Waits for a new file whose name ends so. While it is written it has another name.
    pub(super) async fn next(&self, browser: &Browser<'_>, ending: &str) -> PathBuf {
        browser
            .until(&format!("a download of {ending}"), async || {
                let new = files(&self.folder).into_iter().find(|file| {
                    file.to_string_lossy().ends_with(ending) && !self.before.contains(file)
                });
                Ok(new)
            })
            .await
    }
}

fn files(folder: &PathBuf) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}
