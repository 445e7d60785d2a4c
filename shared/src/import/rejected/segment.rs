//! Some refused rows of a batch as one object: JSON, padded to the size of the csv that it becomes.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    language::Language,
    record::{Malformed, RawRecord, RefusedRow, RowError, RowErrorCode},
};

/// A segment of this many bytes takes no further row. With its last row, it fits into a reply.
const MAX_SEGMENT_BYTES: usize = 1536 * 1024;
/// The largest row that is repeated, in bytes of csv; a csv's own rows are at most half as large
/// before their quotes are doubled. Of larger ones, which only JSON has, the errors are kept.
const MAX_ROW_BYTES: usize = 2 * 1024 * 1024;
/// Of a row: its number, the `error_` columns' quotes and delimiters, a word on missing values.
const ROW_OVERHEAD: usize = 256;

/// Refused rows.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Segment {
    /// The columns' headers that the rows refer to.
    pub(super) columns: Vec<String>,
    /// The rows, in their order.
    pub(super) rows: Vec<Row>,
}

/// A refused row.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    /// The 1-based data row.
    pub(super) row: u64,
    /// Columns and texts, in the row's order.
    pub(super) cells: Vec<(usize, String)>,
    /// Cells beyond the header's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) surplus: Vec<String>,
    /// Whether values may stand in other columns than their own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) shifted: bool,
    /// Whether the values are not here: the row is too large, or was refused after they were
    /// protected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) left_out: bool,
    /// What is wrong with it.
    pub(super) errors: Vec<RowError>,
}

/// Packs a batch's refused rows into segments. `width` is the number of columns of the job.
pub(super) fn pack(rows: Vec<RefusedRow>, width: usize) -> Vec<(u64, Vec<u8>)> {
    let mut waiting = VecDeque::from(rows);
    let mut packed = Vec::new();
    while let Some(first) = waiting.front().map(|refused| refused.raw.row) {
        let mut packer = Packer::default();
        while let Some(refused) = waiting.pop_front() {
            packer.add(refused, width);
            if packer.weight >= MAX_SEGMENT_BYTES {
                break;
            }
        }
        packed.extend(packer.finish().map(|bytes| (first, bytes)));
    }
    packed
}

/// A segment that is being filled.
#[derive(Default)]
struct Packer {
    segment: Segment,
    positions: HashMap<Arc<str>, usize>,
    /// The most bytes of csv that it can become.
    weight: usize,
}

impl Packer {
    fn add(&mut self, refused: RefusedRow, width: usize) {
        let RefusedRow { raw, errors } = refused;
        let mut row = Row {
            row: raw.row,
            shifted: raw.malformed.is_some(),
            left_out: raw.values.is_empty(),
            cells: Vec::new(),
            surplus: Vec::new(),
            errors,
        };
        let before = self.segment.columns.len();
        let columns = self.fill(&mut row, raw);
        let mut weight = self.weight_of(&row, width);
        if weight > MAX_ROW_BYTES {
            row.cells = Vec::new();
            row.surplus = Vec::new();
            row.left_out = true;
            self.forget_columns(before);
            weight = self.weight_of(&row, width);
        } else {
            self.weight += columns;
        }
        self.weight += weight;
        self.segment.rows.push(row);
    }

    /// Moves a row's values over, and returns the bytes of columns that were new.
    fn fill(&mut self, row: &mut Row, raw: RawRecord) -> usize {
        let surplus = match raw.malformed {
            Some(Malformed::Ragged { expected, found }) => found.saturating_sub(expected),
            _ => 0,
        };
        let own = raw.values.len().saturating_sub(surplus);
        let mut new = 0;
        for (position, (header, value)) in raw.values.into_iter().enumerate() {
            if position >= own {
                row.surplus.push(value.into_cell());
                continue;
            }
            let is_damaged = row.errors.iter().any(|error| {
                error.column.as_deref() == Some(&header)
                    && matches!(
                        error.code,
                        RowErrorCode::SpreadsheetDamage | RowErrorCode::TypeString
                    )
            });
            let next = self.segment.columns.len();
            let column = *self.positions.entry(header).or_insert_with_key(|header| {
                new += quoted(header);
                self.segment.columns.push(header.to_string());
                next
            });
            let cell = match is_damaged {
                true => value.into_damaged_cell(),
                false => value.into_cell(),
            };
            row.cells.push((column, cell));
        }
        new
    }

    fn forget_columns(&mut self, from: usize) {
        self.segment.columns.truncate(from);
        self.positions.retain(|_, position| *position < from);
    }

    fn weight_of(&self, row: &Row, width: usize) -> usize {
        let cells: usize = row.cells.iter().map(|(_, text)| quoted(text)).sum();
        let surplus: usize = row.surplus.iter().map(|text| quoted(text)).sum();
        let errors: usize = row.errors.iter().map(weight_of_error).sum();
        // A blank cell for each column that the row does not have.
        cells + surplus + errors + width + self.segment.columns.len() + ROW_OVERHEAD
    }

    fn finish(self) -> Option<Vec<u8>> {
        let mut bytes = serde_json::to_vec(&self.segment).ok()?;
        // The list of objects then tells how many of them one reply can hold.
        let padded = bytes.len().max(self.weight);
        bytes.resize(padded, b' ');
        Some(bytes)
    }
}

/// The most bytes that a text takes as a cell: quotes doubled, and itself quoted, marked and
/// delimited.
fn quoted(text: &str) -> usize {
    text.len() + text.bytes().filter(|byte| *byte == b'"').count() + 4
}

fn weight_of_error(error: &RowError) -> usize {
    let messages = [Language::English, Language::French].map(|language| error.message(language));
    let longest = messages.iter().map(|message| quoted(message)).max();
    let column = error.column.as_deref().map_or(0, quoted);
    longest.unwrap_or_default() + column + error.code.as_str().len() + 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RawValue, RowErrorCode};

    fn refused(row: u64, values: Vec<(&str, RawValue)>) -> RefusedRow {
        let error = RowError {
            row,
            line: None,
            column: Some("external_id".to_owned()),
            code: RowErrorCode::Required,
            hint: None,
        };
        let value = |(header, value): (&str, RawValue)| (Arc::from(header), value);
        RefusedRow {
            raw: RawRecord {
                row,
                line: None,
                values: values.into_iter().map(value).collect(),
                malformed: None,
            },
            errors: vec![error],
        }
    }

    fn cell(text: impl Into<String>) -> RawValue {
        RawValue::Cell(text.into())
    }

    fn unpacked(packed: &[(u64, Vec<u8>)]) -> Vec<(u64, Segment)> {
        let segment =
            |(first, bytes): &(u64, Vec<u8>)| (*first, serde_json::from_slice(bytes).unwrap());
        packed.iter().map(segment).collect()
    }

    #[test]
    fn rows_are_packed_in_their_order_and_into_segments_of_bounded_size() {
        let text = "x".repeat(300 * 1024);
        let rows = (1..=20).map(|row| refused(row, vec![("a", cell(&text)), ("b", cell("\""))]));
        let packed = pack(rows.collect(), 2);
        assert_eq!(packed.len(), 4);
        for (_, bytes) in &packed {
            assert!(bytes.len() <= MAX_SEGMENT_BYTES + MAX_ROW_BYTES);
        }
        let segments = unpacked(&packed);
        let rows: Vec<u64> = segments
            .iter()
            .flat_map(|(_, segment)| segment.rows.iter().map(|row| row.row))
            .collect();
        assert_eq!(rows, (1..=20).collect::<Vec<_>>());
        for (first, segment) in &segments {
            assert_eq!(segment.rows[0].row, *first);
        }
    }

    #[test]
    fn a_row_that_no_reply_could_hold_keeps_its_errors_alone() {
        let huge = RawValue::Text("x".repeat(MAX_ROW_BYTES));
        let packed = pack(
            vec![
                refused(1, vec![("a", huge)]),
                refused(2, vec![("b", cell("1"))]),
            ],
            1,
        );
        let segments = unpacked(&packed);
        let [(1, segment)] = segments.as_slice() else {
            panic!("one segment")
        };
        assert_eq!(segment.columns, ["b"]);
        let [large, small] = segment.rows.as_slice() else {
            panic!("two rows")
        };
        assert!(large.left_out && large.cells.is_empty() && !large.errors.is_empty());
        assert!(!small.left_out && small.cells == [(0, "1".to_owned())]);
    }

    #[test]
    fn surplus_cells_of_a_ragged_row_stay_apart() {
        let mut row = refused(1, vec![("a", cell("1")), ("", cell("2")), ("", cell("3"))]);
        row.raw.malformed = Some(Malformed::Ragged {
            expected: 2,
            found: 3,
        });
        let segments = unpacked(&pack(vec![row], 2));
        let row = &segments[0].1.rows[0];
        assert_eq!(row.cells, [(0, "1".to_owned()), (1, "2".to_owned())]);
        assert_eq!(row.surplus, ["3"]);
        assert!(row.shifted);
    }
}
