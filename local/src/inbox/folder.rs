//! One look through the bucket's folder.

use std::{
    fs::{DirEntry, Metadata},
    io,
    path::Path,
    time::SystemTime,
};

/// The parts of the bucket whose objects are delivered, as `template.yaml` subscribes them.
const DELIVERED: [&str; 3] = ["inbox", "staged", "parts"];
/// Endings of files that a program is still writing under another name than the final one.
const UNFINISHED: [&str; 3] = ["~", ".tmp", ".part"];

/// What tells one content of a key from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) size: u64,
    pub(super) changed: SystemTime,
}

/// The objects that were there at one time.
pub(super) struct Look {
    pub(super) began: SystemTime,
    pub(super) objects: Vec<(String, Version)>,
}

pub(super) fn look(bucket: &Path) -> io::Result<Look> {
    let mut look = Look {
        began: SystemTime::now(),
        objects: Vec::new(),
    };
    for prefix in DELIVERED {
        look.add_folder(&bucket.join(prefix), prefix)?;
    }
    Ok(look)
}

impl Look {
    fn add_folder(&mut self, folder: &Path, key: &str) -> io::Result<()> {
        let Some(entries) = unless_gone(std::fs::read_dir(folder))? else {
            return Ok(());
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            // A name that is not UTF-8 cannot be an S3 key.
            let Some(name) = name.to_str() else { continue };
            if name.starts_with('.') || UNFINISHED.iter().any(|ending| name.ends_with(ending)) {
                continue;
            }
            self.add(&entry, format!("{key}/{name}"))?;
        }
        Ok(())
    }

    fn add(&mut self, entry: &DirEntry, key: String) -> io::Result<()> {
        if entry.file_type()?.is_dir() {
            return self.add_folder(&entry.path(), &key);
        }
        // Follows links, so that a large file need not be copied.
        let Some(metadata) = unless_gone(std::fs::metadata(entry.path()))? else {
            return Ok(());
        };
        if metadata.is_file() {
            self.objects.push((key, Version::of(&metadata)?));
        }
        Ok(())
    }
}

impl Version {
    fn of(metadata: &Metadata) -> io::Result<Self> {
        Ok(Self {
            size: metadata.len(),
            changed: changed(metadata)?,
        })
    }
}

/// When a file last changed, its arrival under this name included: a file that is moved here a
/// second time is a new object, although its content is as old as before.
#[cfg(unix)]
fn changed(metadata: &Metadata) -> io::Result<SystemTime> {
    use std::{os::unix::fs::MetadataExt, time::Duration};

    let seconds = u64::try_from(metadata.ctime()).unwrap_or_default();
    let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or_default();
    Ok(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds))
}

/// Elsewhere, only the content's age is known.
#[cfg(not(unix))]
fn changed(metadata: &Metadata) -> io::Result<SystemTime> {
    metadata.modified()
}

/// Files come and go while the folder is read.
fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
