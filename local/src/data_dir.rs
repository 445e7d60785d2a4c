//! The data folder: everything that a local stack keeps between runs.
//!
//! ```text
//! .clientele/
//!   format            marks the folder as ours and names its layout
//!   lock              locked by the one process that serves the folder
//!   dynamodb.sqlite   the table; dynamodb.unfinished while it is made
//!   s3/               the buckets, one folder each
//!   master-key        wraps the organisations' keys
//!   jwt-key.der       signs tokens
//!   jwks.json         tells functions in other processes whose tokens to believe
//!   token             a token with every scope, renewed at each start
//!   endpoints.json    where the running stack listens; gone after a clean stop
//!   functions.env     the environment of functions in other processes; gone as well
//!   failed-events/    events whose every attempt failed
//! ```

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;

const FORMAT: &str = "clientele data folder 1\n";

/// Why a data folder cannot be used.
#[derive(Debug, Error)]
pub enum DataDirError {
    /// The folder holds somebody else's files.
    #[error("{} is not a Clientele data folder and not empty; choose another with --data", .0.display())]
    NotOurs(PathBuf),
    /// The path names something else than a folder.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// There is no such folder.
    #[error("there is no data folder {}", .0.display())]
    Missing(PathBuf),
    /// The path cannot stand in a file of settings.
    #[error("the path {} has a control character, or an apostrophe beside one of \" $ ` ! \\; choose another with --data", .0.display())]
    Unquotable(PathBuf),
    /// Another process has the folder.
    #[error("the data folder {} is in use by another Clientele process", .0.display())]
    InUse(PathBuf),
    /// The file system refused.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// What was to be read or written.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
}

/// Where everything lies in a data folder.
#[derive(Debug, Clone)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// The layout under a folder that need not exist yet.
    pub fn new(root: &Path) -> Result<Self, DataDirError> {
        let root = std::path::absolute(root).map_err(failed_on(root))?;
        Ok(Self { root })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The table's SQLite file.
    pub fn database(&self) -> PathBuf {
        self.root.join("dynamodb.sqlite")
    }

    /// There while the table is made. A stack that was killed meanwhile may have left half a
    /// table, and nothing in it.
    pub fn unfinished_database(&self) -> PathBuf {
        self.root.join("dynamodb.unfinished")
    }

    /// The folder that holds one folder a bucket.
    pub fn buckets(&self) -> PathBuf {
        self.root.join("s3")
    }

    /// The key that wraps the organisations' keys: 32 random bytes.
    pub fn master_key(&self) -> PathBuf {
        self.root.join("master-key")
    }

    /// The key that signs tokens: PKCS#8.
    pub fn jwt_key(&self) -> PathBuf {
        self.root.join("jwt-key.der")
    }

    /// The public half of [`jwt_key`](Self::jwt_key): a JSON Web Key Set (RFC 7517).
    pub fn jwks(&self) -> PathBuf {
        self.root.join("jwks.json")
    }

    /// The token that the last start wrote.
    pub fn token(&self) -> PathBuf {
        self.root.join("token")
    }

    /// Where the running stack listens.
    pub fn endpoints(&self) -> PathBuf {
        self.root.join("endpoints.json")
    }

    /// The environment of functions that run in other processes over the running stack.
    pub fn functions_env(&self) -> PathBuf {
        self.root.join("functions.env")
    }

    /// Events whose every attempt failed, one file each.
    pub fn failed_events(&self) -> PathBuf {
        self.root.join("failed-events")
    }

    fn format(&self) -> PathBuf {
        self.root.join("format")
    }

    fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Takes the folder for this process, making it first if need be.
    pub fn acquire(&self) -> Result<DataDirLock, DataDirError> {
        if exists(&self.root)? && !self.root.is_dir() {
            return Err(DataDirError::NotAFolder(self.root.clone()));
        }
        private_folder(&self.root)?;
        self.check_free_or_ours()?;
        let lock = self.lock()?;
        let format = self.format();
        if !exists(&format)? {
            write_private(&format, FORMAT.as_bytes())?;
        }
        Ok(lock)
    }

    /// Takes a folder that must exist already.
    pub fn acquire_existing(&self) -> Result<DataDirLock, DataDirError> {
        self.check_ours()?;
        self.lock()
    }

    /// Whether this is a data folder that a stack has made.
    pub fn check_ours(&self) -> Result<(), DataDirError> {
        if !exists(&self.root)? {
            return Err(DataDirError::Missing(self.root.clone()));
        }
        match fs::read_to_string(self.format()) {
            Ok(format) if format == FORMAT => Ok(()),
            Ok(_) => Err(DataDirError::NotOurs(self.root.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(DataDirError::NotOurs(self.root.clone()))
            }
            Err(error) => Err(failed_on(&self.format())(error)),
        }
    }

    /// A folder with nothing in it may become ours. A lone lock file is what a
    /// process that was killed in its first instant leaves behind.
    fn check_free_or_ours(&self) -> Result<(), DataDirError> {
        let lock_file = self.lock_file();
        for entry in fs::read_dir(&self.root).map_err(failed_on(&self.root))? {
            if entry.map_err(failed_on(&self.root))?.path() != lock_file {
                return self.check_ours();
            }
        }
        Ok(())
    }

    fn lock(&self) -> Result<DataDirLock, DataDirError> {
        let path = self.lock_file();
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = options.open(&path).map_err(failed_on(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(DataDirLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(self.root.clone())),
            Err(TryLockError::Error(error)) => Err(failed_on(&path)(error)),
        }
    }

    /// Deletes the folder with everything in it; the lock shows that nobody serves it.
    pub fn delete(self, lock: DataDirLock) -> Result<(), DataDirError> {
        // The mark goes last, so that a deletion cut short can be repeated.
        let kept = [self.format(), self.lock_file()];
        for entry in fs::read_dir(&self.root).map_err(failed_on(&self.root))? {
            let entry = entry.map_err(failed_on(&self.root))?;
            let path = entry.path();
            if kept.contains(&path) {
                continue;
            }
            let file_type = entry.file_type().map_err(failed_on(&path))?;
            if file_type.is_dir() {
                fs::remove_dir_all(&path).map_err(failed_on(&path))?;
            } else {
                fs::remove_file(&path).map_err(failed_on(&path))?;
            }
        }
        drop(lock);
        fs::remove_dir_all(&self.root).map_err(failed_on(&self.root))
    }
}

/// The right to serve a data folder; it ends with this value or its process.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

/// Reads a secret, or makes it on first use.
pub(crate) fn read_or_create_secret<E>(
    path: &Path,
    generate: impl FnOnce() -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E>
where
    E: From<DataDirError>,
{
    match fs::read(path) {
        Ok(secret) => Ok(secret),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = generate()?;
            write_private(path, &secret)?;
            Ok(secret)
        }
        Err(error) => Err(failed_on(path)(error).into()),
    }
}

/// Writes a file that only its owner can read, whole or not at all: a key cut
/// short by a crash would make everything under it unreadable.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), DataDirError> {
    let unfinished = path.with_extension("unfinished");
    let write = || {
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&unfinished)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    write().map_err(failed_on(path))
}

/// Removes a file that may be gone already.
pub(crate) fn remove_if_present(path: &Path) -> Result<(), DataDirError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed_on(path)(error)),
        _ => Ok(()),
    }
}

/// Makes a folder, with those above it, that only its owner can enter.
pub(crate) fn private_folder(path: &Path) -> Result<(), DataDirError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(failed_on(path))
}

fn exists(path: &Path) -> Result<bool, DataDirError> {
    path.try_exists().map_err(failed_on(path))
}

pub(crate) fn failed_on(path: &Path) -> impl FnOnce(io::Error) -> DataDirError + use<> {
    let path = path.to_owned();
    move |source| DataDirError::Io { path, source }
}
