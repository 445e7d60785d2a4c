//! A record as it came, whatever the format.

use std::{fmt, sync::Arc};

use jiff::civil::{DateTime, Time};
use serde::{Deserialize, Serialize};

use super::RowError;

/// One row: its place and its values by column.
pub struct RawRecord {
    /// The 1-based data row, or the 1-based place in a JSON array.
    pub row: u64,
    /// The 1-based line of the file where the row begins, in formats that have lines.
    pub line: Option<u64>,
    /// The columns' headers and values, in their order. Headers are shared by all rows of a table;
    /// cells of a ragged row that are one too many have the header `""`.
    pub values: Vec<(Arc<str>, RawValue)>,
    /// What is wrong with the row as a whole, so that its values cannot be told apart.
    pub malformed: Option<Malformed>,
}

impl RawRecord {
    /// The bytes of its headers and values as UTF-8 text.
    pub fn size(&self) -> usize {
        let value = |value: &RawValue| match value {
            RawValue::Cell(text) | RawValue::Text(text) => text.len(),
            RawValue::CellError(text) | RawValue::LongNumber(text) => text.len(),
            RawValue::CellNumber(_)
            | RawValue::CellDate(_)
            | RawValue::Number(_)
            | RawValue::Boolean(_)
            | RawValue::Null => 8,
            RawValue::Nested(json) => json.to_string().len(),
        };
        self.values
            .iter()
            .map(|(header, v)| header.len() + value(v))
            .sum()
    }
}

/// A row that was refused, as it came, and why.
#[derive(Debug)]
pub struct RefusedRow {
    /// The row.
    pub raw: RawRecord,
    /// Everything that is wrong with it.
    pub errors: Vec<RowError>,
}

/// A row whose values cannot be assigned to columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Malformed {
    /// It has more or fewer cells than the header.
    Ragged {
        /// Cells in the header.
        expected: usize,
        /// Cells in the row.
        found: usize,
    },
    /// It is not a JSON object.
    NotAnObject,
    /// A JSON object has a key twice.
    DuplicateKey,
    /// A line is not JSON.
    InvalidJson {
        /// The 1-based place in the line where it breaks, in characters.
        column: usize,
    },
    /// JSON is nested too deeply.
    TooDeep,
    /// A JSON text holds an escaped surrogate without its other half, which is no character
    /// (RFC 8259, section 8.2).
    LoneSurrogate,
}

/// A value as it came: text from a csv, a spreadsheet's cell, or a JSON type.
#[derive(Clone, PartialEq)]
pub enum RawValue {
    /// Text of a csv's or a spreadsheet's cell.
    Cell(String),
    /// A spreadsheet's number, which keeps no more than 15 digits.
    CellNumber(f64),
    /// A spreadsheet's date or time, which has no time zone.
    CellDate(DateTime),
    /// What a spreadsheet shows where a formula failed, such as `#N/A`.
    CellError(String),
    /// A JSON string.
    Text(String),
    /// A JSON number.
    Number(serde_json::Number),
    /// A JSON number as it is written, which no number of 64 bits holds with all its digits.
    LongNumber(String),
    /// A JSON boolean.
    Boolean(bool),
    /// A JSON null, which unsets a field.
    Null,
    /// A JSON array or object.
    Nested(serde_json::Value),
}

impl RawValue {
    /// The value as a cell of a csv. A null becomes a blank cell, since a csv has no other.
    pub fn into_cell(self) -> String {
        match self {
            Self::Cell(text)
            | Self::Text(text)
            | Self::CellError(text)
            | Self::LongNumber(text) => text,
            Self::CellNumber(number) => number_cell(number),
            Self::CellDate(time) if time.time() == Time::midnight() => time.date().to_string(),
            Self::CellDate(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            Self::Number(number) => number.to_string(),
            Self::Boolean(boolean) => boolean.to_string(),
            Self::Null => String::new(),
            Self::Nested(json) => json.to_string(),
        }
    }

    /// The value as a cell of a csv, marked if its type is what it was refused for.
    pub(crate) fn into_damaged_cell(self) -> String {
        match self {
            Self::CellNumber(_) | Self::CellDate(_) | Self::Boolean(_) => {
                format!("{DAMAGED_CELL} {}", self.into_cell())
            }
            value => value.into_cell(),
        }
    }

    /// The value as JSON. A whole number of a spreadsheet is written without a fraction. A number
    /// that would lose digits becomes a text, as in protobuf's JSON.
    pub(crate) fn into_json(self) -> serde_json::Value {
        match self {
            Self::Cell(text)
            | Self::Text(text)
            | Self::CellError(text)
            | Self::LongNumber(text) => text.into(),
            Self::CellNumber(number) => match number.to_string().parse::<i64>() {
                Ok(whole) => whole.into(),
                Err(_) => number.into(),
            },
            Self::CellDate(time) => iso_text(time).into(),
            Self::Number(number) => number.into(),
            Self::Boolean(boolean) => boolean.into(),
            Self::Null => serde_json::Value::Null,
            Self::Nested(value) => value,
        }
    }
}

/// The first whole number of 16 digits, which is more than a spreadsheet keeps.
pub(super) const SIXTEEN_DIGITS: f64 = 1e15;

/// A spreadsheet's date or time as ISO 8601 has it.
pub(super) fn iso_text(time: DateTime) -> String {
    match time.time() == Time::midnight() {
        true => time.date().to_string(),
        false => time.to_string(),
    }
}

/// What a csv has in front of a spreadsheet's number, date or boolean that was refused for being
/// one. Without it, a `2020-01-02` that a spreadsheet made of `1-2` would pass as an identifier
/// when the csv is sent back as it is.
pub(crate) const DAMAGED_CELL: &str = "#CELL!";

/// A spreadsheet's number. One that may have lost digits is written as spreadsheets show it, so
/// that it is caught when it is read again.
fn number_cell(number: f64) -> String {
    if number.abs() < SIXTEEN_DIGITS {
        return number.to_string();
    }
    format!("{number:E}").replace('E', "E+")
}

impl From<serde_json::Value> for RawValue {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(boolean) => Self::Boolean(boolean),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text),
            nested @ (Value::Array(_) | Value::Object(_)) => Self::Nested(nested),
        }
    }
}

impl fmt::Debug for RawValue {
    /// Values may be personal, so only their kind is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cell(_) => "Cell(…)",
            Self::CellNumber(_) => "CellNumber(…)",
            Self::CellDate(_) => "CellDate(…)",
            Self::CellError(_) => "CellError(…)",
            Self::Text(_) => "Text(…)",
            Self::Number(_) => "Number(…)",
            Self::LongNumber(_) => "LongNumber(…)",
            Self::Boolean(_) => "Boolean(…)",
            Self::Null => "Null",
            Self::Nested(_) => "Nested(…)",
        })
    }
}

impl fmt::Debug for RawRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RawRecord(row {}, {} values)",
            self.row,
            self.values.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn spreadsheet_cells_become_plain_json() {
        let table = [
            (RawValue::CellNumber(2000.0), "2000"),
            (RawValue::CellNumber(-12.5), "-12.5"),
            (
                RawValue::CellDate(date(2021, 1, 31).at(0, 0, 0, 0)),
                "\"2021-01-31\"",
            ),
            (
                RawValue::CellDate(date(2021, 1, 31).at(6, 23, 55, 0)),
                "\"2021-01-31T06:23:55\"",
            ),
            (RawValue::CellError("#N/A".to_owned()), "\"#N/A\""),
        ];
        for (value, expected) in table {
            assert_eq!(value.into_json().to_string(), expected);
        }
    }

    #[test]
    fn values_become_cells_that_read_back_alike() {
        let table = [
            (RawValue::Cell(" 007 ".to_owned()), " 007 "),
            (RawValue::CellNumber(256_712_345_678.0), "256712345678"),
            (RawValue::CellNumber(-12.5), "-12.5"),
            (
                RawValue::CellNumber(2.567_123_456_789e18),
                "2.567123456789E+18",
            ),
            (RawValue::CellNumber(-1e15), "-1E+15"),
            (
                RawValue::CellDate(date(2021, 1, 31).at(0, 0, 0, 0)),
                "2021-01-31",
            ),
            (
                RawValue::CellDate(date(2021, 1, 31).at(6, 23, 55, 0)),
                "2021-01-31 06:23:55",
            ),
            (RawValue::CellError("#N/A".to_owned()), "#N/A"),
            (serde_json::json!(7.0).into(), "7.0"),
            (serde_json::json!(true).into(), "true"),
            (serde_json::json!(null).into(), ""),
            (
                serde_json::json!({"a": [1, "b"]}).into(),
                r#"{"a":[1,"b"]}"#,
            ),
        ];
        for (value, expected) in table {
            assert_eq!(value.into_cell(), expected);
        }
    }
}
