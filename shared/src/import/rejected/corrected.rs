//! Reads a corrected `rejected.csv` as the rows that it was made from.

use std::{collections::HashMap, sync::Arc};

use super::{ERROR_COLUMNS, MASK, SURPLUS, inert::unmark};
use crate::{
    decode::Records,
    import::FileError,
    record::{Malformed, RawRecord, RawValue},
};

/// A file as it is to be imported. In one that has all four `error_` columns, as `rejected.csv`
/// has, those are left out and cells lose the mark that kept them from running as formulas; any
/// other file stays as it is.
///
/// Masked values are no values: a file with one is refused as [`FileError::Masked`]. A row whose
/// surplus cells are still in a column of their own is still ragged.
pub fn corrected(records: Records) -> Records {
    let Some(header) = &records.header else {
        return records;
    };
    let has = |column: &str| header.iter().any(|name| name.eq_ignore_ascii_case(column));
    if !ERROR_COLUMNS.into_iter().all(has) {
        return records;
    }
    let columns: Columns = header
        .iter()
        .map(|name| (Arc::clone(name), of(name)))
        .collect();
    let kept = header.iter().filter_map(|name| match columns.get(name) {
        Some(Column::Kept(name)) => Some(Arc::clone(name)),
        _ => None,
    });
    Records {
        found: records.found,
        header: Some(kept.collect()),
        rows: Box::new(records.rows.map(move |row| restore(row?, &columns))),
    }
}

type Columns = HashMap<Arc<str>, Column>;

enum Column {
    /// One of the file that was refused, by its name there.
    Kept(Arc<str>),
    /// One that the export added.
    Added,
    /// Cells that were one too many.
    Surplus,
}

fn of(name: &Arc<str>) -> Column {
    let is = |column: &str| name.eq_ignore_ascii_case(column);
    if is(SURPLUS) {
        return Column::Surplus;
    }
    if ERROR_COLUMNS.iter().any(|column| is(column)) {
        return Column::Added;
    }
    match unmark(name) {
        unmarked if unmarked.len() == name.len() => Column::Kept(Arc::clone(name)),
        unmarked => Column::Kept(unmarked.into()),
    }
}

fn restore(mut row: RawRecord, columns: &Columns) -> Result<RawRecord, FileError> {
    let mut values = Vec::with_capacity(row.values.len());
    let mut surplus = None;
    for (header, value) in row.values {
        if matches!(&value, RawValue::Cell(text) if text == MASK) {
            return Err(FileError::Masked);
        }
        match columns.get(&header) {
            Some(Column::Kept(name)) => values.push((Arc::clone(name), restored(value))),
            Some(Column::Surplus) if !is_blank(&value) => surplus = Some(restored(value)),
            Some(Column::Surplus | Column::Added) => {}
            None => values.push((header, restored(value))),
        }
    }
    if let (Some(surplus), None) = (surplus, row.malformed) {
        let expected = values.len();
        let found = expected + 1;
        row.malformed = Some(Malformed::Ragged { expected, found });
        values.push((Arc::from(""), surplus));
    }
    row.values = values;
    Ok(row)
}

fn restored(value: RawValue) -> RawValue {
    match value {
        RawValue::Cell(text) => match unmark(&text) {
            unmarked if unmarked.len() == text.len() => RawValue::Cell(text),
            unmarked => RawValue::Cell(unmarked.to_owned()),
        },
        other => other,
    }
}

fn is_blank(value: &RawValue) -> bool {
    matches!(value, RawValue::Null)
        || matches!(value, RawValue::Cell(text) if text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{self, Hints};

    /// The header, then the rows as they would be imported.
    fn read(text: &'static str) -> Vec<String> {
        let records = corrected(decode::records(text.as_bytes(), &Hints::default()).unwrap());
        let header = records.header.unwrap().join("|");
        let shown = |row: Result<RawRecord, FileError>| match row {
            Ok(row) => {
                let cells: Vec<_> = row.values.into_iter().map(|(_, v)| v.into_cell()).collect();
                match row.malformed {
                    Some(malformed) => format!("{malformed:?}"),
                    None => cells.join("|"),
                }
            }
            Err(error) => error.code().to_owned(),
        };
        std::iter::once(header)
            .chain(records.rows.map(shown))
            .collect()
    }

    #[test]
    fn a_corrected_file_is_read_as_the_one_it_was_made_from() {
        let table: [(&str, &[&str]); 6] = [
            (
                "a,b,error_row,error_column,error_code,error_message\n'=1,-2,7,b,range,x\n",
                &["a|b", "=1|-2"],
            ),
            // Spreadsheets move columns about, people change their case.
            (
                "Error_Code,error_row,'=a,ERROR_MESSAGE,error_column\nx,1,''=1,x,x\n",
                &["=a", "'=1"],
            ),
            // Three of the four are somebody's own columns.
            (
                "a,error_row,error_column,error_code\n'=1,2,3,4\n",
                &["a|error_row|error_column|error_code", "'=1|2|3|4"],
            ),
            (
                "a,error_surplus,error_row,error_column,error_code,error_message\n1,2,,,,\n3,,,,,\n",
                &["a", "Ragged { expected: 1, found: 2 }", "3"],
            ),
            (
                "a,error_row,error_column,error_code,error_message\n1,2,3,4\n",
                &["a", "Ragged { expected: 5, found: 4 }"],
            ),
            (
                "a,b,error_row,error_column,error_code,error_message\n***,1,2,3,4,5\n",
                &["a|b", "masked_values"],
            ),
        ];
        for (text, expected) in table {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }
}
