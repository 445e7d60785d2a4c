//! What the S3 endpoint remembers of an object beside its bytes.
//!
//! `s3s-fs` keeps an object's metadata and checksums in two files next to the
//! buckets and leaves them there when the object goes. A file copied into the
//! bucket by hand later, under the same name, would inherit them: a `mode: dry_run`
//! for one. So they are deleted here once their object is gone.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use data_encoding::BASE64URL_NOPAD;

use super::BUCKET;
use crate::data_dir::{DataDirError, failed_on, remove_if_present};

const SUFFIXES: [&str; 2] = [".metadata.json", ".internal.json"];

fn prefix() -> String {
    format!(
        ".bucket-{}.object-",
        BASE64URL_NOPAD.encode(BUCKET.as_bytes())
    )
}

/// Deletes the attributes of objects that no longer exist.
pub(crate) async fn discard_orphans(buckets: &Path) -> Result<(), DataDirError> {
    let prefix = prefix();
    let read = |error| failed_on(buckets)(error);
    let mut entries = tokio::fs::read_dir(buckets).await.map_err(read)?;
    while let Some(entry) = entries.next_entry().await.map_err(read)? {
        let name = entry.file_name();
        let Some(key) = name.to_str().and_then(|name| key_of(name, &prefix)) else {
            continue;
        };
        if !buckets.join(BUCKET).join(key).exists() {
            remove_if_present(&entry.path())?;
        }
    }
    Ok(())
}

fn key_of(file_name: &str, prefix: &str) -> Option<String> {
    let rest = file_name.strip_prefix(prefix)?;
    let encoded = SUFFIXES
        .iter()
        .find_map(|suffix| rest.strip_suffix(suffix))?;
    let key = BASE64URL_NOPAD.decode(encoded.as_bytes()).ok()?;
    String::from_utf8(key).ok()
}

/// Deletes the attributes of an object that was last seen at `last_seen` and has
/// gone since. Younger ones belong to a new object that is just being put.
pub(crate) fn discard(buckets: &Path, key: &str, last_seen: SystemTime) {
    for path in paths(buckets, key) {
        let modified = path.metadata().and_then(|metadata| metadata.modified());
        // Most objects that were copied by hand have none.
        let Ok(modified) = modified else { continue };
        if modified < last_seen
            && let Err(error) = remove_if_present(&path)
        {
            tracing::warn!(%error, "the attributes of a deleted object stay behind");
        }
    }
}

fn paths(buckets: &Path, key: &str) -> [PathBuf; 2] {
    let stem = format!("{}{}", prefix(), BASE64URL_NOPAD.encode(key.as_bytes()));
    SUFFIXES.map(|suffix| buckets.join(format!("{stem}{suffix}")))
}
