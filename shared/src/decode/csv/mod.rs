//! Comma-separated values (RFC 4180), also where something else separates them.

mod dialect;
mod mend;
mod quotes;
mod respell;
#[cfg(test)]
mod unusual;
#[cfg(test)]
mod vectors;
mod walk;

use std::{io::Read, sync::Arc};

use csv::ByteRecord;

use self::{
    dialect::Dialect,
    quotes::{Findings, QuoteWatch, Trouble},
    respell::Respelled,
};
use super::{Encoding, Format, Found, MAX_COLUMNS, MAX_ROW_BYTES, Records, encoding};
use crate::{
    import::FileError,
    record::{Malformed, RawRecord, RawValue},
};

/// Reads a csv file that begins with `head`: its first record is the header. `mends` says whether
/// lines with quotes that make no sense are read as they stand.
pub(super) fn records(
    head: &[u8],
    mut reader: impl Read + Send + 'static,
    mends: bool,
) -> Result<Records, FileError> {
    let dialect = Dialect::of(head);
    std::io::copy(
        &mut reader.by_ref().take(dialect.skipped as u64),
        &mut std::io::sink(),
    )
    .map_err(FileError::unreadable)?;
    let first_line = 1 + u64::from(dialect.skipped > 0);
    if dialect.is_plain() && !mends {
        return read(reader, &dialect, first_line);
    }
    read(
        Respelled::new(reader, dialect, mends, first_line),
        &dialect,
        first_line,
    )
}

/// Reads a csv as RFC 4180 has it but for its delimiter.
fn read(
    reader: impl Read + Send + 'static,
    dialect: &Dialect,
    first_line: u64,
) -> Result<Records, FileError> {
    let delimiter = dialect.delimiter_byte();
    let (watch, findings) = QuoteWatch::new(reader, delimiter, first_line);
    let mut rows = Rows {
        reader: csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(watch),
        findings,
        header: Vec::new(),
        record: ByteRecord::new(),
        row: 0,
        line: None,
        beyond_ascii: false,
        ended: false,
    };
    if !rows.advance()? {
        return Err(FileError::Empty);
    }
    rows.header = rows.header()?;
    Ok(Records {
        found: Found {
            format: Format::Csv,
            encoding: Some(Encoding::Utf8),
            delimiter: Some(delimiter.into()),
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
    /// Whether a row so far had letters beyond ASCII, all of them UTF-8.
    beyond_ascii: bool,
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
        let (expected, found) = (self.header.len(), self.record.len());
        let ragged = Malformed::Ragged { expected, found };
        // Cells beyond the header have no name.
        let surplus = std::iter::repeat_with(|| Arc::from(""));
        let names = self.header.iter().cloned().chain(surplus);
        let value = |(header, cell): (Arc<str>, &[u8])| {
            let text = std::str::from_utf8(cell).map_err(|_| self.not_utf8())?;
            Ok((header, RawValue::Cell(text.to_owned())))
        };
        let values = names
            .zip(&self.record)
            .map(value)
            .collect::<Result<_, FileError>>()?;
        self.beyond_ascii |= !self.record.as_slice().is_ascii();
        Ok(RawRecord {
            row: self.row,
            line: self.line,
            values,
            malformed: (expected != found).then_some(ragged),
        })
    }

    /// The header row, each name as it stands in the file.
    fn header(&mut self) -> Result<Vec<Arc<str>>, FileError> {
        if self.record.len() > MAX_COLUMNS {
            return Err(FileError::TooManyColumns { limit: MAX_COLUMNS });
        }
        let name = |cell: &[u8]| {
            let name = std::str::from_utf8(cell).map_err(|_| self.not_utf8())?;
            Ok(Arc::from(name.trim()))
        };
        let header = self.record.iter().map(name).collect();
        self.beyond_ascii = !self.record.as_slice().is_ascii();
        header
    }

    /// Why the last record is not read, which is not UTF-8.
    fn not_utf8(&self) -> FileError {
        let line = self.line.unwrap_or_default();
        if self.beyond_ascii {
            return FileError::MixedEncodings { line };
        }
        let foreign = encoding::foreign(self.record.as_slice(), false);
        foreign.unwrap_or(FileError::NotUtf8 { line })
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

#[cfg(test)]
mod tests {
    use super::super::tests::{read, read_as};

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
        bytes.extend("x\n".repeat(40_000).bytes());
        bytes.extend(b"caf\xe9\n");
        assert_eq!(read(&bytes).last().unwrap(), "NotUtf8 { line: 40002 }");
    }

    #[test]
    fn the_delimiter_is_found_from_several_rows() {
        let table: [(&str, &[&str]); 16] = [
            ("a;b\n1;2\n", &["1@2: 1|2"]),
            ("a\tb\n1\t2\n", &["1@2: 1|2"]),
            ("a|b\n1|2\n", &["1@2: 1|2"]),
            ("a;b\n1,5;2,5\n", &["1@2: 1,5|2,5"]),
            ("a;b, c;d\n1;2;3\n4;5;6\n", &["1@2: 1|2|3", "2@3: 4|5|6"]),
            ("a,b\n1;2,3;4\n", &["1@2: 1;2|3;4"]),
            ("a;b;c\n\"1;,\n,;\";2;3\n", &["1@2: 1;,\n,;|2|3"]),
            (
                "a,b,c\n1,2,3\n1\n",
                &["1@2: 1|2|3", "2@3: Ragged { expected: 3, found: 1 }"],
            ),
            (
                "a;b;c\n1;2,2,2\n1;2;3\n",
                &["1@2: Ragged { expected: 3, found: 2 }", "2@3: 1|2|3"],
            ),
            ("name\nAnn\nJohn\n", &["1@2: Ann", "2@3: John"]),
            ("name\nAnn;x\n", &["1@2: Ann;x"]),
            ("sep=;\na;b\n1;2\n", &["1@3: 1|2"]),
            ("\"sep=|\"\r\na|b\r\n1|2\r\n", &["1@3: 1|2"]),
            ("sep=,x\n1,2\n", &["1@2: 1|2"]),
            ("a,b\r1,2\r\r3,4", &["1@2: 1|2", "2@4: 3|4"]),
            (
                "a,b\r\n1,2\n3,4\r5,6",
                &["1@2: 1|2", "2@3: 3|4", "3@4: 5|6"],
            ),
        ];
        for (text, expected) in table {
            assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_quote_too_many_takes_no_rows() {
        let table: [(&str, &[&str]); 4] = [
            (
                "a,b,c\n1,\"x,2\n3,\"y\",4\n",
                &["UnclosedQuote { line: 2 }"],
            ),
            ("a,b\n1,\"x\"y\n2,z\n", &["1@2: 1|xy", "2@3: 2|z"]),
            ("a,b\n1,x\"\n2,y\n", &["1@2: 1|x\"", "2@3: 2|y"]),
            ("a,b\n\"1\n2\" ,3\n", &["1@2: 1\n2 |3"]),
        ];
        for (text, expected) in table {
            assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_western_european_export_reads_as_it_looks() {
        let bytes = b"Pr\xe9nom;Solde \x80;Ville\r\nZo\xeb;1,5;\"Saint-Ma\xefs; \xceles\"\r\nJos\xe9;-2,25;\r\n";
        let expected = ["1@2: Zoë|1,5|Saint-Maïs; Îles", "2@3: José|-2,25|"];
        assert_eq!(read(bytes), expected);
    }

    #[test]
    fn late_letters_tell_the_encoding() {
        let ascii = format!("a,b\n{}", "1,2\n".repeat(20_000));
        let late = |rest: &[u8]| [ascii.as_bytes(), rest].concat();
        assert_eq!(
            read(&late(b"caf\xe9,1\n")).last().unwrap(),
            "NotUtf8 { line: 20002 }"
        );
        let western = read_as(&late(b"caf\xe9,1\n"), super::super::Encoding::Windows1252);
        assert_eq!(western.last().unwrap(), "20001@20002: café|1");
        let mixed = late("café,1\n".as_bytes());
        let mixed = [mixed.as_slice(), b"caf\xe9,1\n"].concat();
        assert_eq!(
            read(&mixed).last().unwrap(),
            "MixedEncodings { line: 20003 }"
        );
    }
}
