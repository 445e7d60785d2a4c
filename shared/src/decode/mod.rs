//! From a file's bytes to raw records: one file a format, no AWS in them.
//!
//! A decoder takes any reader and yields rows one after the other, so the peak of memory does not
//! grow with the file.

mod csv;
mod json;
mod quotes;
mod xlsx;

use std::{
    io::{Cursor, Read},
    sync::Arc,
};

use crate::{import::FileError, record::RawRecord};

/// The largest row of a csv, in bytes.
pub const MAX_ROW_BYTES: usize = 1024 * 1024;
/// The most columns of a table.
pub const MAX_COLUMNS: usize = 1_000;
/// The largest JSON document, in bytes. It is held in memory.
pub const MAX_JSON_BYTES: u64 = 16 * 1024 * 1024;
/// How much of a file's beginning its format is told from.
const HEAD_BYTES: usize = 8 * 1024;

/// What is known of a file before it is read.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// The file's name. Its extension decides where the content could be of two formats.
    pub filename: String,
    /// The encoding that was found when the file was read before. Without it, it is told from
    /// the file's beginning.
    pub encoding: Option<Encoding>,
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
pub fn records(
    mut reader: impl Read + Send + 'static,
    _hints: &Hints,
) -> Result<Records, FileError> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    reader
        .by_ref()
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(FileError::unreadable)?;
    let format = sniff(&head)?;
    let text = match head.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => rest.to_vec(),
        None => head,
    };
    let whole = Cursor::new(text).chain(reader);
    match format {
        Format::Csv => csv::records(whole),
        Format::Json => json::records(whole),
        Format::Xlsx => xlsx::records(whole),
        Format::Ndjson => Err(FileError::NotText),
    }
}

fn sniff(head: &[u8]) -> Result<Format, FileError> {
    let unsupported = |name: &str| {
        let format = name.to_owned();
        Err(FileError::UnsupportedFormat { format })
    };
    match head {
        [] => return Err(FileError::Empty),
        // Encrypted workbooks come in the container of older ones.
        [0x50, 0x4b, 0x03, 0x04, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => return Ok(Format::Xlsx),
        [0x1f, 0x8b, ..] => return unsupported("gzip"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return unsupported("UTF-16"),
        [0x25, 0x50, 0x44, 0x46, ..] => return unsupported("PDF"),
        _ => {}
    }
    if head.contains(&0) || !is_utf8_prefix(head) {
        return Err(FileError::NotText);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(FileError::Empty),
        Some(b'[' | b'{') => Ok(Format::Json),
        Some(_) => Ok(Format::Csv),
    }
}

/// Whether bytes are UTF-8, but for a character that the end may have cut.
fn is_utf8_prefix(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && bytes.len() == HEAD_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as `row@line: cells`, then the error that ended the file.
    pub(super) fn read(bytes: &[u8]) -> Vec<String> {
        let records = match records(Cursor::new(bytes.to_vec()), &Hints::default()) {
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
            (b"[{\"a\": 1}]", &["1: 1"]),
            (b"PK\x03\x04....", &["broken_workbook"]),
            (b"\x1f\x8b\x08", &["unsupported_format"]),
            (b"\xff\xfea\0", &["unsupported_format"]),
            (b"\x8e\xf0\x13\x99", &["not_text"]),
            (b"a,b\0\n", &["not_text"]),
        ];
        for (bytes, expected) in table {
            assert_eq!(read(bytes), expected, "{bytes:?}");
        }
    }
}
