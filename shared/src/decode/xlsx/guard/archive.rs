//! What a zip archive claims of itself, and which format it is the container of.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use super::MAX_PARTS;
use crate::import::FileError;

/// The signature of the record that ends a directory (APPNOTE 4.3.16).
const END: &[u8] = b"PK\x05\x06";
/// The signature of what stands right before it in a zip64 archive (4.3.15), and its size.
const LOCATOR: &[u8] = b"PK\x06\x07";
const LOCATOR_BYTES: usize = 20;
/// The signature of a zip64 archive's larger record (4.3.14) and where it counts the entries.
const END_64: &[u8] = b"PK\x06\x06";
const COUNT_64: usize = 32;
/// How much is looked at around every place of the file.
const WINDOW: usize = 64;

/// Refuses a zip64 archive that claims too many entries: memory is reserved for as many. An
/// ordinary archive cannot claim more than 65,535.
///
/// The archive's reader searches for the records, so they are looked for in the whole file. By
/// chance, four bytes alone look like one now and then; the pair of the other two does not.
pub(super) fn check_directory(file: &mut File) -> Result<(), FileError> {
    let (mut is_zip64, mut claims_too_many) = (false, false);
    look_through(file, |window| {
        if window.first() != Some(&b'P') {
            return;
        }
        let end = window.get(LOCATOR_BYTES..).unwrap_or_default();
        is_zip64 |= window.starts_with(LOCATOR) && end.starts_with(END);
        if window.starts_with(END_64) {
            let count = window.get(COUNT_64..).and_then(<[u8]>::first_chunk::<8>);
            let count = count.map_or(0, |bytes| u64::from_le_bytes(*bytes));
            claims_too_many |= count > MAX_PARTS as u64;
        }
    })?;
    match is_zip64 && claims_too_many {
        true => Err(FileError::TooManyParts { limit: MAX_PARTS }),
        false => Ok(()),
    }
}

/// What a compound file is: an encrypted workbook or one of the format before 2007.
pub(super) fn compound_file(file: &mut File) -> Result<FileError, FileError> {
    let name: Vec<u8> = "EncryptedPackage"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut is_encrypted = false;
    look_through(file, |window| is_encrypted |= window.starts_with(&name))?;
    Ok(match is_encrypted {
        true => FileError::PasswordProtected,
        false => unsupported("xls"),
    })
}

/// Refuses archives of other formats by the names of their parts, in lower case.
pub(super) fn check_format(names: &[String]) -> Result<(), FileError> {
    let has = |name: &str| names.iter().any(|part| part == name);
    let is_under = |folder: &str| names.iter().any(|part| part.starts_with(folder));
    if has("xl/workbook.bin") {
        return Err(unsupported("xlsb"));
    }
    if has("content.xml") && has("mimetype") {
        return Err(unsupported("ods"));
    }
    if has("_rels/.rels") {
        return match () {
            () if is_under("word/") => Err(unsupported("docx")),
            () if is_under("ppt/") => Err(unsupported("pptx")),
            () => Ok(()),
        };
    }
    Err(unsupported("zip"))
}

fn unsupported(format: &str) -> FileError {
    let format = format.to_owned();
    FileError::UnsupportedFormat { format }
}

/// Shows every place of a file with the bytes that follow it.
fn look_through(file: &mut File, mut look: impl FnMut(&[u8])) -> Result<(), FileError> {
    file.seek(SeekFrom::Start(0))
        .map_err(FileError::unreadable)?;
    let mut bytes = Vec::with_capacity(WINDOW + 64 * 1024);
    loop {
        let piece = &mut file.take(64 * 1024);
        let read = piece
            .read_to_end(&mut bytes)
            .map_err(FileError::unreadable)?;
        // The last places are looked at again once what follows them is there.
        let keep = if read == 0 {
            0
        } else {
            WINDOW.min(bytes.len())
        };
        let done = bytes.len() - keep;
        for place in 0..done {
            look(bytes.get(place..).unwrap_or_default());
        }
        if read == 0 {
            return Ok(());
        }
        bytes.drain(..done);
    }
}
