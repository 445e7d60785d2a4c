//! What a part looks like in the bucket: JSON lines. The first says whose part it is and names
//! the columns, every other is one row as it was decoded, with its place in the whole file.
//!
//! ```text
//! {"organization":1,"columns":["external_id","name"]}
//! {"row":10001,"line":10002,"cells":["c1","Ann"]}
//! ```

use std::{
    io::{self, BufRead, BufReader, Read},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, error::Category};
use thiserror::Error;

use crate::{
    identity::OrganizationId,
    record::{Malformed, RawRecord, RawValue},
};

/// Whose part it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::import) struct Owner {
    /// The job's organisation.
    pub(in crate::import) organization: OrganizationId,
}

/// A part that cannot be read: it was not written by this version of the code.
#[derive(Debug, Error)]
pub enum PartError {
    /// The download broke off.
    #[error("a part's download broke off")]
    Io(#[from] io::Error),
    /// A line is not what was written. Where, and no more: serde's own error repeats values, and
    /// Lambda's runtime logs the `Debug` of what a function fails with.
    #[error("a part has a line that cannot be read: {category:?} at column {column}")]
    Line {
        /// Whether the line is torn, no JSON, or other JSON than was written.
        category: Category,
        /// Where in the line, from 1.
        column: usize,
    },
    /// There is no first line.
    #[error("a part is empty")]
    Empty,
}

impl PartError {
    pub(super) fn line(error: serde_json::Error) -> Self {
        Self::Line {
            category: error.classify(),
            column: error.column(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    #[serde(flatten)]
    owner: Owner,
    /// The columns of a table; JSON objects name their own.
    columns: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    row: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// The row of the file that replaces this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    later: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    malformed: Option<Malformed>,
    /// A table's cells by column, surplus ones last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cells: Vec<Option<Cell>>,
    /// A JSON object's members in their order: name, value, and in place of a value the text of a
    /// number that has too many digits for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<(String, Value, Option<String>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Cell {
    Text(String),
    Boolean(bool),
    Other(Other),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Other {
    /// As text, since JSON has no infinity.
    Number(String),
    Date(jiff::civil::DateTime),
    Error(String),
}

/// Writes one part.
pub(in crate::import) struct PartWriter {
    columns: Option<Vec<Arc<str>>>,
    content: Vec<u8>,
}

impl PartWriter {
    /// An empty part of a file with these columns, or of one whose rows are JSON objects.
    pub(in crate::import) fn new(
        owner: &Owner,
        columns: Option<&[Arc<str>]>,
    ) -> serde_json::Result<Self> {
        let names = |columns: &[Arc<str>]| columns.iter().map(|name| name.to_string()).collect();
        let header = Header {
            owner: owner.clone(),
            columns: columns.map(names),
        };
        let mut content = serde_json::to_vec(&header)?;
        content.push(b'\n');
        Ok(Self {
            columns: columns.map(<[_]>::to_vec),
            content,
        })
    }

    /// Adds a row, and the later row about the same record if there is one.
    pub(in crate::import) fn push(
        &mut self,
        raw: RawRecord,
        later: Option<u64>,
    ) -> serde_json::Result<()> {
        let (row, line, malformed) = (raw.row, raw.line, raw.malformed);
        let (cells, members) = match &self.columns {
            Some(columns) => (cells(columns, raw.values), Vec::new()),
            None => (Vec::new(), members(raw.values)),
        };
        let row = Row {
            row,
            line,
            later,
            malformed,
            cells,
            members,
        };
        serde_json::to_writer(&mut self.content, &row)?;
        self.content.push(b'\n');
        Ok(())
    }

    /// The part's content.
    pub(in crate::import) fn finish(self) -> Vec<u8> {
        self.content
    }
}

/// Values by their column's place. They stand in the columns' order; a column may have none.
fn cells(columns: &[Arc<str>], values: Vec<(Arc<str>, RawValue)>) -> Vec<Option<Cell>> {
    let mut cells = Vec::with_capacity(values.len());
    for (header, value) in values {
        let rest = columns.get(cells.len()..).unwrap_or_default();
        let skipped = rest.iter().position(|column| *column == header);
        cells.extend((0..skipped.unwrap_or_default()).map(|_| None));
        cells.push(Some(match value {
            RawValue::Cell(text) | RawValue::Text(text) => Cell::Text(text),
            RawValue::Boolean(boolean) => Cell::Boolean(boolean),
            RawValue::CellNumber(number) => Cell::Other(Other::Number(number.to_string())),
            RawValue::CellDate(date) => Cell::Other(Other::Date(date)),
            RawValue::CellError(error) => Cell::Other(Other::Error(error)),
            // No table has such cells.
            RawValue::LongNumber(text) => Cell::Text(text),
            RawValue::Number(number) => Cell::Text(number.to_string()),
            RawValue::Nested(json) => Cell::Text(json.to_string()),
            RawValue::Null => Cell::Text(String::new()),
        }));
    }
    cells
}

fn members(values: Vec<(Arc<str>, RawValue)>) -> Vec<(String, Value, Option<String>)> {
    let member = |(name, value): (Arc<str>, RawValue)| match value {
        RawValue::LongNumber(text) => (name.to_string(), Value::Null, Some(text)),
        value => (name.to_string(), value.into_json(), None),
    };
    values.into_iter().map(member).collect()
}

/// A part that is being read.
pub(in crate::import) struct PartReader<R> {
    columns: Option<Vec<Arc<str>>>,
    surplus: Arc<str>,
    lines: io::Lines<BufReader<R>>,
}

impl<R: Read> PartReader<R> {
    /// Reads a part's first line.
    pub(in crate::import) fn new(reader: R) -> Result<(Owner, Self), PartError> {
        let mut lines = BufReader::new(reader).lines();
        let first = lines.next().ok_or(PartError::Empty)??;
        let header: Header = serde_json::from_str(&first).map_err(PartError::line)?;
        let names = |columns: Vec<String>| columns.into_iter().map(Arc::from).collect();
        let reader = Self {
            columns: header.columns.map(names),
            surplus: Arc::from(""),
            lines,
        };
        Ok((header.owner, reader))
    }

    fn raw(&self, row: Row) -> (RawRecord, Option<u64>) {
        let values = match &self.columns {
            Some(columns) => {
                let header = |at: usize| columns.get(at).unwrap_or(&self.surplus);
                let cells = row.cells.into_iter().enumerate();
                cells
                    .filter_map(|(at, cell)| Some((Arc::clone(header(at)), cell?.into())))
                    .collect()
            }
            None => {
                let value = |(name, value, long): (String, Value, Option<String>)| {
                    (
                        Arc::from(name),
                        long.map_or(value.into(), RawValue::LongNumber),
                    )
                };
                row.members.into_iter().map(value).collect()
            }
        };
        let raw = RawRecord {
            row: row.row,
            line: row.line,
            values,
            malformed: row.malformed,
        };
        (raw, row.later)
    }
}

impl From<Cell> for RawValue {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::Text(text) => Self::Cell(text),
            Cell::Boolean(boolean) => Self::Boolean(boolean),
            Cell::Other(Other::Number(text)) => match text.parse() {
                Ok(number) => Self::CellNumber(number),
                Err(_) => Self::Cell(text),
            },
            Cell::Other(Other::Date(date)) => Self::CellDate(date),
            Cell::Other(Other::Error(error)) => Self::CellError(error),
        }
    }
}

impl<R: Read> Iterator for PartReader<R> {
    /// A row and the later row about the same record.
    type Item = Result<(RawRecord, Option<u64>), PartError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        Some(line.map_err(PartError::Io).and_then(|line| {
            let row = serde_json::from_str(&line).map_err(PartError::line)?;
            Ok(self.raw(row))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(columns: Option<&[Arc<str>]>, rows: Vec<(RawRecord, Option<u64>)>) -> Vec<u8> {
        let organization = OrganizationId::new(7).unwrap();
        let mut writer = PartWriter::new(&Owner { organization }, columns).unwrap();
        for (raw, later) in rows {
            writer.push(raw, later).unwrap();
        }
        writer.finish()
    }

    fn read(content: &[u8]) -> Vec<(RawRecord, Option<u64>)> {
        let (owner, rows) = PartReader::new(content).unwrap();
        assert_eq!(owner.organization.get(), 7);
        rows.map(Result::unwrap).collect()
    }

    fn assert_same(one: &[(RawRecord, Option<u64>)], other: &[(RawRecord, Option<u64>)]) {
        assert_eq!(one.len(), other.len());
        for ((a, a_later), (b, b_later)) in one.iter().zip(other) {
            assert_eq!((a.row, a.line, a_later), (b.row, b.line, b_later));
            assert!(
                a.malformed == b.malformed && a.values == b.values,
                "row {}",
                a.row
            );
        }
    }

    fn rows(columns: &[Arc<str>]) -> Vec<(RawRecord, Option<u64>)> {
        let cell = |at: usize, value: RawValue| (Arc::clone(&columns[at]), value);
        let date = jiff::civil::date(2021, 1, 31).at(12, 30, 0, 0);
        let raw = |row, values, malformed| RawRecord {
            row,
            line: Some(row + 1),
            values,
            malformed,
        };
        vec![
            (
                raw(
                    10_001,
                    vec![
                        cell(0, RawValue::Cell("a\n\"b\" é".to_owned())),
                        cell(1, RawValue::CellNumber(256_712_345_678_901_234.0)),
                        cell(2, RawValue::CellDate(date)),
                        cell(3, RawValue::CellError("#N/A".to_owned())),
                    ],
                    None,
                ),
                Some(20_002),
            ),
            // A blank in the middle and at the end.
            (
                raw(
                    10_002,
                    vec![
                        cell(1, RawValue::Boolean(true)),
                        cell(2, RawValue::Cell("=1".to_owned())),
                    ],
                    None,
                ),
                None,
            ),
            (
                raw(
                    10_003,
                    Vec::new(),
                    Some(Malformed::Ragged {
                        expected: 4,
                        found: 2,
                    }),
                ),
                None,
            ),
        ]
    }

    #[test]
    fn a_tables_rows_read_back_as_they_were_decoded() {
        let columns: Vec<Arc<str>> = ["id", "", "n", ""].map(Arc::from).to_vec();
        let rows_again = read(&written(Some(&columns), rows(&columns)));
        assert_same(&rows_again, &rows(&columns));
    }

    #[test]
    fn objects_read_back_as_they_were_decoded() {
        let document = r#"[{"a": "x", "b": 1.5, "c": null, "d": [1, {"e": true}], "f": 18446744073709551615, "0": 1e400, "g": {"long": 3}}, 3]"#;
        let decode = || {
            let reader = io::Cursor::new(document.as_bytes());
            let records = crate::decode::records(reader, &crate::decode::Hints::default()).unwrap();
            records
                .rows
                .map(|row| (row.unwrap(), None))
                .collect::<Vec<_>>()
        };
        assert_same(&read(&written(None, decode())), &decode());
    }

    #[test]
    fn a_part_that_is_cut_off_is_an_error() {
        let columns: Vec<Arc<str>> = ["id", "a", "b", "c"].map(Arc::from).to_vec();
        let content = written(Some(&columns), rows(&columns));
        let (_, rows) = PartReader::new(&content[..content.len() - 5]).unwrap();
        assert!(rows.last().unwrap().is_err());
        assert!(matches!(PartReader::new(&b""[..]), Err(PartError::Empty)));
    }

    #[test]
    fn an_error_shows_no_value_of_the_line() {
        let table = [
            (r#"{"row":"Namutebi"}"#, "Data at column 17"),
            (r#"{"row":1,"cells":"Namutebi"}"#, "Data at column 27"),
            (r#"{"row":1,"malformed":"Namutebi"}"#, "Data at column 31"),
            (r#"{"row":1,"members":[["Namutebi"]]}"#, "Data at column 32"),
            (r#"{"row":1,"cells":["Namutebi""#, "Eof at column 28"),
            (r#"{"row":1,"cells":["Namutebi"}"#, "Syntax at column 29"),
        ];
        for (line, said) in table {
            let content = format!("{{\"organization\":7,\"columns\":[\"name\"]}}\n{line}\n");
            let (_, mut rows) = PartReader::new(content.as_bytes()).unwrap();
            let error = rows.next().unwrap().unwrap_err();
            assert!(!format!("{error:?}").contains("Namutebi"), "{error:?}");
            let message = format!("a part has a line that cannot be read: {said}");
            assert_eq!(error.to_string(), message, "{line}");
        }
    }
}
