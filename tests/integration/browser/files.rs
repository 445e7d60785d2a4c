//! Files on the desk of whoever sits at the browser.

use std::path::PathBuf;

use tempfile::TempDir;

/// A folder of files. Dropping it deletes them.
pub(super) struct Files(TempDir);

impl Files {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// One of `tests/files`.
    pub(super) fn of_the_repository(name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        folder.join("files").join(name)
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}
