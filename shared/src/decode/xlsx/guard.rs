//! Looks through a workbook before anything is built from it.
//!
//! The reader of cells believes what a file says of itself: it reserves memory for as many texts
//! as the file claims to have and holds any text, however long. So everything that it will see
//! is decompressed here first, piece by piece, with the XML reader that it uses itself, and its
//! real bytes, elements and places are counted. What is larger than a table can need is refused.

mod archive;
mod cells;
mod meter;
mod part;

use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
};

use zip::{ZipArchive, result::ZipError};

use crate::import::FileError;

/// The most entries of the archive. Excel writes a few for each sheet and picture.
const MAX_PARTS: usize = 10_000;
/// The most bytes of all XML once it is expanded: a sheet of a million rows has about half.
const MAX_EXPANDED: u64 = 1024 * 1024 * 1024;

/// The first bytes of the container of old and of encrypted workbooks (MS-CFB).
const COMPOUND_FILE: [u8; 4] = [0xd0, 0xcf, 0x11, 0xe0];

/// Refuses a file that is no workbook or one that would harm its reader.
pub(super) fn check(file: &mut File) -> Result<(), FileError> {
    let mut magic = [0; 4];
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.read_exact(&mut magic))
        .map_err(|_| FileError::BrokenWorkbook)?;
    if magic == COMPOUND_FILE {
        return Err(archive::compound_file(file)?);
    }
    archive::check_directory(file)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(explain)?;
    if archive.len() > MAX_PARTS {
        return Err(FileError::TooManyParts { limit: MAX_PARTS });
    }
    let names = names(&archive)?;
    archive::check_format(&names)?;
    let mut left = MAX_EXPANDED;
    for (index, name) in names.iter().enumerate() {
        // The reader opens no part of another name: see `part::check`.
        if !(name.ends_with(".xml") || name.ends_with(".rels")) {
            continue;
        }
        let entry = archive.by_index(index).map_err(explain)?;
        left -= part::check(entry, name, left)?;
    }
    Ok(())
}

/// The parts' names, as the reader looks for them: in lower case and with slashes.
fn names<R: Read + Seek>(archive: &ZipArchive<R>) -> Result<Vec<String>, FileError> {
    let normal = |name: &str| name.replace('\\', "/").to_ascii_lowercase();
    let names = archive.file_names().map(|name| name.map(|n| normal(&n)));
    names.collect::<Result<_, _>>().map_err(explain)
}

fn explain(error: ZipError) -> FileError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => FileError::PasswordProtected,
        _ => FileError::BrokenWorkbook,
    }
}
