//! From a file's bytes to raw records: one file a format, no AWS in them.
//!
//! A decoder takes any reader and yields rows one after the other, so the peak of memory does not
//! grow with the file.

mod csv;
mod encoding;
mod gzip;
mod json;
mod limits;
mod xlsx;

use std::{
    io::{Cursor, Read},
    sync::Arc,
};

pub use json::{members as json_members, row as json_row};
pub use limits::Limits;

use crate::{import::FileError, record::RawRecord};

/// The largest row of a text, in bytes.
pub const MAX_ROW_BYTES: usize = 1024 * 1024;
/// The most columns of a table.
pub const MAX_COLUMNS: usize = 1_000;
/// How much of a file's beginning its format, encoding and delimiter are told from.
const HEAD_BYTES: usize = 64 * 1024;
/// The same where an object may be all of it: enough to see what follows the longest one, since
/// only that tells one row from the first of many.
const LONE_OBJECT_HEAD_BYTES: usize = MAX_ROW_BYTES + HEAD_BYTES;

/// What is known of a file before it is read.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// The file's name. Its extension decides where the content could be of two formats.
    pub filename: String,
    /// The encoding that was found when the file was read before. Without it, it is told from
    /// the file's beginning.
    pub encoding: Option<Encoding>,
    /// Whether a line of csv whose quotes make no sense is read as it stands, to be shown. To
    /// import one would be to guess, so without this the file is refused.
    pub mends_quotes: bool,
    /// How much of the file may be rows, where whoever sent it waits for the answer.
    pub limits: Option<Limits>,
    /// Whether a JSON file that is one object, over however many lines, is one row, unless all it has is
    /// an array under `data`. Without this, an object over more than one line is no rows.
    pub lone_object: bool,
}

impl Hints {
    /// How to read a file again that could not be read with these hints, if there is a way: a
    /// text that is not UTF-8 after all.
    pub fn after(&self, error: &FileError) -> Option<Self> {
        match (error, self.encoding) {
            (FileError::NotUtf8 { .. }, None) => Some(Self {
                encoding: Some(Encoding::Windows1252),
                ..self.clone()
            }),
            _ => None,
        }
    }
}

/// How a file turned out to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its format.
    pub format: Format,
    /// Its encoding, of text.
    pub encoding: Option<Encoding>,
    /// What separates cells, in a csv.
    pub delimiter: Option<char>,
    /// Whether it is compressed with gzip.
    pub gzip: bool,
}

/// A file being read.
pub struct Records {
    /// How the file is written.
    pub found: Found,
    /// The header row of a table; JSON objects name their own columns.
    pub header: Option<Vec<Arc<str>>>,
    /// The rows. After an error there are no more.
    pub rows: Box<dyn Iterator<Item = Result<RawRecord, FileError>> + Send>,
}

/// A file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// The first sheet with a header row of an Office Open XML workbook.
    Xlsx,
    /// A JSON array of objects, or an object with one under `data`.
    Json,
    /// A JSON object a line.
    Ndjson,
}

/// A text's character encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, low bytes first.
    Utf16Le,
    /// UTF-16, high bytes first.
    Utf16Be,
    /// What Western European spreadsheets write when nobody says otherwise.
    Windows1252,
}

impl Encoding {
    /// The encoding's name in jobs, as the WHATWG's Encoding Standard has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "windows-1252",
        }
    }
}

impl Format {
    /// The format's name in jobs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        }
    }
}

/// Reads a file, whose format is told from its content.
pub fn records(reader: impl Read + Send + 'static, hints: &Hints) -> Result<Records, FileError> {
    let records = unlimited(reader, hints)?;
    Ok(match hints.limits {
        Some(limits) => limits.over(records),
        None => records,
    })
}

fn unlimited(reader: impl Read + Send + 'static, hints: &Hints) -> Result<Records, FileError> {
    let (head, whole) = peek(reader, HEAD_BYTES)?;
    if !gzip::is_gzip(&head) {
        return expanded(&head, whole, hints);
    }
    let (head, whole) = peek(gzip::expand(whole), HEAD_BYTES)?;
    if gzip::is_gzip(&head) || is_workbook(&head) {
        return Err(FileError::GzipOfOther);
    }
    let mut records = expanded(&head, whole, hints)?;
    records.found.gzip = true;
    Ok(records)
}

/// Reads a file that is not compressed, or no longer.
fn expanded(
    head: &[u8],
    whole: impl Read + Send + 'static,
    hints: &Hints,
) -> Result<Records, FileError> {
    let unsupported = |name: &str| {
        let format = name.to_owned();
        Err(FileError::UnsupportedFormat { format })
    };
    match head {
        [] => return Err(FileError::Empty),
        _ if is_workbook(head) => return xlsx::records(whole),
        [0x25, 0x50, 0x44, 0x46, ..] => return unsupported("PDF"),
        _ => {}
    }
    let encoding = encoding::tell(head, head.len() < HEAD_BYTES, hints.encoding)?;
    let head_bytes = match hints.lone_object {
        true => LONE_OBJECT_HEAD_BYTES,
        false => HEAD_BYTES,
    };
    let (head, text) = peek(encoding::to_utf8(whole, encoding)?, head_bytes)?;
    let mut records = match sniff(&head, &hints.filename)? {
        Format::Csv => csv::records(&head, text, hints.mends_quotes)?,
        Format::Json if hints.lone_object => json::document::records_or_lone_row(text)?,
        Format::Json => json::document::records(text)?,
        Format::Ndjson => json::lines::records(text)?,
        Format::Xlsx => return Err(FileError::NotText),
    };
    records.found.encoding = Some(encoding);
    Ok(records)
}

/// A file's first bytes, so many at most, and the whole of it.
fn peek(
    mut reader: impl Read + Send + 'static,
    most: usize,
) -> Result<(Vec<u8>, Box<dyn Read + Send>), FileError> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    reader
        .by_ref()
        .take(most as u64)
        .read_to_end(&mut head)
        .map_err(FileError::unreadable)?;
    let whole = Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(whole)))
}

/// Whether a file is a workbook, as far as its beginning tells: a zip archive, or the container of
/// older and of encrypted workbooks.
fn is_workbook(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xd0\xcf\x11\xe0")
}

/// The format of a text in UTF-8.
fn sniff(text: &[u8], filename: &str) -> Result<Format, FileError> {
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(FileError::Empty),
        Some(b'[' | b'{') if json::is_table(text, filename) => Ok(Format::Csv),
        Some(b'[' | b'{') => Ok(json::tell(text, filename)),
        Some(_) => Ok(Format::Csv),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as `row@line: cells`, then the error that ended the file.
    pub(super) fn read(bytes: &[u8]) -> Vec<String> {
        read_with(bytes, &Hints::default())
    }

    /// The same, where lines with quotes that make no sense are read as they stand.
    pub(super) fn read_mending(bytes: &[u8]) -> Vec<String> {
        let hints = Hints {
            mends_quotes: true,
            ..Hints::default()
        };
        read_with(bytes, &hints)
    }

    /// The same, where an object may be all there is, and with the place of what is wrong at once.
    pub(super) fn read_lone(bytes: &[u8]) -> Vec<String> {
        let hints = Hints {
            lone_object: true,
            ..Hints::default()
        };
        match records(Cursor::new(bytes.to_vec()), &hints) {
            Ok(_) => read_with(bytes, &hints),
            Err(error) => vec![format!("{error:?}")],
        }
    }

    /// The same, where the encoding was found before.
    pub(super) fn read_as(bytes: &[u8], encoding: Encoding) -> Vec<String> {
        let hints = Hints {
            encoding: Some(encoding),
            ..Hints::default()
        };
        read_with(bytes, &hints)
    }

    fn read_with(bytes: &[u8], hints: &Hints) -> Vec<String> {
        let records = match records(Cursor::new(bytes.to_vec()), hints) {
            Ok(records) => records,
            Err(error) => return vec![error.code().to_owned()],
        };
        let shown = |row: Result<RawRecord, FileError>| match row {
            Ok(row) => {
                let cells: Vec<_> = row.values.iter().map(|(_, value)| show(value)).collect();
                let line = row.line.map_or(String::new(), |line| format!("@{line}"));
                match row.malformed {
                    Some(malformed) => format!("{}{line}: {malformed:?}", row.row),
                    None => format!("{}{line}: {}", row.row, cells.join("|")),
                }
            }
            Err(error) => format!("{error:?}"),
        };
        records.rows.map(shown).collect()
    }

    fn show(value: &crate::record::RawValue) -> String {
        use crate::record::RawValue;
        match value {
            RawValue::Cell(text) | RawValue::Text(text) => text.clone(),
            RawValue::CellNumber(number) => number.to_string(),
            RawValue::CellDate(date) => date.to_string(),
            RawValue::CellError(error) => error.clone(),
            RawValue::Number(number) => number.to_string(),
            RawValue::LongNumber(number) => format!("{number} (long)"),
            RawValue::Boolean(boolean) => boolean.to_string(),
            RawValue::Null => "null".to_owned(),
            RawValue::Nested(json) => json.to_string(),
        }
    }

    #[test]
    fn the_format_is_told_from_the_content() {
        let table: [(&[u8], &[&str]); 10] = [
            (b"", &["empty_file"]),
            (b" \r\n\t", &["empty_file"]),
            (b"a,b\n1,2\n", &["1@2: 1|2"]),
            (b"\xef\xbb\xbfa\n1\n", &["1@2: 1"]),
            (b"[{\"a\": 1}]", &["1@1: 1"]),
            (b"PK\x03\x04....", &["broken_workbook"]),
            (b"\x1f\x8b\x08", &["broken_gzip"]),
            (b"\xff\xfea\0", &[]),
            (b"\x8e\xf0\x13\x99", &["not_text"]),
            (b"a,b\0\n", &["not_text"]),
        ];
        for (bytes, expected) in table {
            assert_eq!(read(bytes), expected, "{bytes:?}");
        }
    }
}
