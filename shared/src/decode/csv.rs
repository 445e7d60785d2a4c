//! Comma-separated values (RFC 4180).

use std::{io::Read, sync::Arc};

use csv::ByteRecord;

use super::{
    Encoding, Format, Found, MAX_COLUMNS, MAX_ROW_BYTES, Records,
    quotes::{Findings, QuoteWatch, Trouble},
};
use crate::{
    import::FileError,
    record::{Malformed, RawRecord, RawValue},
};

const DELIMITER: u8 = b',';

/// Reads a csv file: its first record is the header.
pub(super) fn records(reader: impl Read + Send + 'static) -> Result<Records, FileError> {
    let (watch, findings) = QuoteWatch::new(reader, DELIMITER);
    let mut rows = Rows {
        reader: csv::ReaderBuilder::new()
            .delimiter(DELIMITER)
            .has_headers(false)
            .flexible(true)
            .from_reader(watch),
        findings,
        header: Vec::new(),
        record: ByteRecord::new(),
        row: 0,
        line: None,
        ended: false,
    };
    if !rows.advance()? {
        return Err(FileError::Empty);
    }
    rows.header = header(&rows.record)?;
    Ok(Records {
        found: Found {
            format: Format::Csv,
            encoding: Some(Encoding::Utf8),
            delimiter: Some(DELIMITER.into()),
            gzip: false,
        },
        header: Some(rows.header.clone()),
        rows: Box::new(rows),
    })
}

struct Rows<R> {
    reader: csv::Reader<R>,
    findings: Findings,
    header: Vec<Arc<str>>,
    record: ByteRecord,
    row: u64,
    line: Option<u64>,
    ended: bool,
}

impl<R: Read> Rows<R> {
    fn advance(&mut self) -> Result<bool, FileError> {
        let read = self.reader.read_byte_record(&mut self.record);
        self.line = self.findings.next_start();
        read.map_err(|error| self.explain(error))
    }

    fn explain(&self, error: csv::Error) -> FileError {
        match self.findings.trouble() {
            Some(Trouble::UnclosedQuote(line)) => return FileError::UnclosedQuote { line },
            Some(Trouble::TooLong(line)) => {
                let limit = MAX_ROW_BYTES / 1024;
                return FileError::RowTooLong { line, limit };
            }
            None => {}
        }
        match error.into_kind() {
            csv::ErrorKind::Io(error) => FileError::unreadable(error),
            _ => FileError::NotText,
        }
    }

    fn raw(&mut self) -> Result<RawRecord, FileError> {
        self.row += 1;
        let line = self.line;
        let (expected, found) = (self.header.len(), self.record.len());
        let ragged = Malformed::Ragged { expected, found };
        let not_utf8 = || FileError::NotUtf8 {
            line: line.unwrap_or_default(),
        };
        // Cells beyond the header have no name.
        let surplus = std::iter::repeat_with(|| Arc::from(""));
        let names = self.header.iter().cloned().chain(surplus);
        let value = |(header, cell): (Arc<str>, &[u8])| {
            let text = std::str::from_utf8(cell).map_err(|_| not_utf8())?;
            Ok((header, RawValue::Cell(text.to_owned())))
        };
        Ok(RawRecord {
            row: self.row,
            line,
            values: names
                .zip(&self.record)
                .map(value)
                .collect::<Result<_, FileError>>()?,
            malformed: (expected != found).then_some(ragged),
        })
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<RawRecord, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = match self.advance() {
            Ok(true) => self.raw(),
            Ok(false) => {
                self.ended = true;
                return None;
            }
            Err(error) => Err(error),
        };
        self.ended = row.is_err();
        Some(row)
    }
}

/// The header row, each name as it stands in the file.
fn header(record: &ByteRecord) -> Result<Vec<Arc<str>>, FileError> {
    if record.len() > MAX_COLUMNS {
        return Err(FileError::TooManyColumns { limit: MAX_COLUMNS });
    }
    let name = |cell: &[u8]| {
        let name = std::str::from_utf8(cell).map_err(|_| FileError::NotUtf8 { line: 1 })?;
        Ok(Arc::from(name.trim()))
    };
    record.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn rows_keep_their_place_in_the_file() {
        let table: [(&str, &[&str]); 12] = [
            ("a,b\n", &[]),
            ("a,b", &[]),
            ("a,b\n1,2\n3,4", &["1@2: 1|2", "2@3: 3|4"]),
            ("a,b\r\n1,2\r\n3,4\r\n", &["1@2: 1|2", "2@3: 3|4"]),
            ("a,b\n\n\n1,2\n", &["1@4: 1|2"]),
            ("a,b\n\"1\n2\",3\n4,5\n", &["1@2: 1\n2|3", "2@4: 4|5"]),
            ("a,b\n\"1,\"\"2\",3\n", &["1@2: 1,\"2|3"]),
            ("a,b\n1\n", &["1@2: Ragged { expected: 2, found: 1 }"]),
            (
                "a,b\n1,2,3\n4,5\n",
                &["1@2: Ragged { expected: 2, found: 3 }", "2@3: 4|5"],
            ),
            (
                "a,b\n1,2\n\"3,4\n5,6\n",
                &["1@2: 1|2", "UnclosedQuote { line: 3 }"],
            ),
            (
                "a,b\r\n\r\n1,2\r\n3,\"4\r\n5,6\r\n",
                &["1@3: 1|2", "UnclosedQuote { line: 4 }"],
            ),
            ("a\n5\" pipe\nx\"y\n", &["1@2: 5\" pipe", "2@3: x\"y"]),
        ];
        for (text, expected) in table {
            assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn what_would_fill_the_memory_is_refused() {
        let long = format!("a\n1\n{}\n", "x".repeat(1024 * 1024 + 1));
        assert_eq!(
            read(long.as_bytes()),
            ["1@2: 1", "RowTooLong { line: 3, limit: 1024 }"]
        );
        let wide = format!(
            "{}\n",
            (0..1_001)
                .map(|n| n.to_string())
                .collect::<Vec<_>>()
                .join(",")
        );
        assert_eq!(read(wide.as_bytes()), ["too_many_columns"]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_by_their_line() {
        let mut bytes = b"a\n".to_vec();
        bytes.extend("x\n".repeat(10_000).bytes());
        bytes.extend(b"caf\xe9\n");
        assert_eq!(read(&bytes).last().unwrap(), "NotUtf8 { line: 10002 }");
    }
}
