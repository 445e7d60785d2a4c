//! Looks through the cells of a sheet.

use quick_xml::events::{BytesStart, Event};

use super::part::each;
use crate::{decode::MAX_ROW_BYTES, import::FileError};

/// A spreadsheet's last row and column (Excel's specifications and limits).
const LAST_ROW: u32 = 1_048_576;
const LAST_COLUMN: u32 = 16_384;

/// The cells seen so far. What the reader of cells would misread is refused: it takes the first
/// text for one that is named by no number, and nothing for a value that is not plain text.
#[derive(Default)]
pub(super) struct Cells {
    row: u32,
    cell: Option<Cell>,
}

/// The cell that is open.
struct Cell {
    /// Where it begins, in bytes.
    start: u64,
    kind: Kind,
    is_in_value: bool,
    has_value: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// The number of a shared text.
    Shared,
    /// What says that it is a number.
    Number,
    /// What may be a number, a boolean or an error.
    Plain,
    /// A text or a date.
    Text,
}

impl Cells {
    pub(super) fn start(
        &mut self,
        element: &BytesStart<'_>,
        position: u64,
    ) -> Result<(), FileError> {
        match (element.local_name().as_ref(), &mut self.cell) {
            ("row", _) => self.row(element),
            ("c", _) => self.cell(element, position),
            // Whatever follows a value would take its place.
            ("v" | "f", Some(cell)) if cell.has_value => Err(FileError::BrokenWorkbook),
            ("is", Some(cell)) => {
                cell.has_value = true;
                Ok(())
            }
            ("v", Some(cell)) => {
                cell.is_in_value = true;
                cell.has_value = true;
                Ok(())
            }
            (_, Some(cell)) if cell.is_in_value => Err(FileError::BrokenWorkbook),
            _ => Ok(()),
        }
    }

    /// Anything but a start or an end.
    pub(super) fn content(&mut self, event: &Event<'_>) -> Result<(), FileError> {
        let Some(cell) = self.cell.as_ref().filter(|cell| cell.is_in_value) else {
            return Ok(());
        };
        let is_readable = match (cell.kind, event) {
            (Kind::Text, event) => !matches!(event, Event::CData(_)),
            (Kind::Shared, Event::Text(text)) => text.parse::<usize>().is_ok(),
            (Kind::Number, Event::Text(text)) => is_number(text),
            (Kind::Plain, Event::Text(_)) => true,
            (Kind::Shared | Kind::Number | Kind::Plain, _) => false,
        };
        is_readable.then_some(()).ok_or(FileError::BrokenWorkbook)
    }

    pub(super) fn end(&mut self, name: &str) {
        match (name, &mut self.cell) {
            ("c", _) => self.cell = None,
            ("v", Some(cell)) => cell.is_in_value = false,
            _ => {}
        }
    }

    /// Checks what grows between the starts of elements.
    pub(super) fn check_size(&self, position: u64) -> Result<(), FileError> {
        let size = self.cell.as_ref().map_or(0, |cell| position - cell.start);
        if size > MAX_ROW_BYTES as u64 {
            return Err(FileError::RowTooLong {
                line: self.row.into(),
                limit: MAX_ROW_BYTES / 1024,
            });
        }
        Ok(())
    }

    fn row(&mut self, element: &BytesStart<'_>) -> Result<(), FileError> {
        self.row += 1;
        each(element, "r", |number| {
            self.row = number.parse().map_err(|_| FileError::BrokenWorkbook)?;
            Ok(())
        })?;
        match (1..=LAST_ROW).contains(&self.row) {
            true => Ok(()),
            false => Err(FileError::BrokenWorkbook),
        }
    }

    fn cell(&mut self, element: &BytesStart<'_>, start: u64) -> Result<(), FileError> {
        each(element, "r", |reference| place(reference).map(|_| ()))?;
        let mut kind = Kind::Plain;
        each(element, "t", |name| {
            kind = match name {
                "s" => Kind::Shared,
                "n" => Kind::Number,
                "b" | "e" => Kind::Plain,
                _ => Kind::Text,
            };
            Ok(())
        })?;
        self.cell = Some(Cell {
            start,
            kind,
            is_in_value: false,
            has_value: false,
        });
        Ok(())
    }
}

/// Whether a text is a number to every reader. The reader of cells panics, and shows the text,
/// where its two ways to read one do not agree.
fn is_number(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E');
    !text.starts_with('+') && text.bytes().all(is_plain) && text.parse::<f64>().is_ok()
}

/// The size that a sheet claims to have. It is not relied on, but read.
pub(super) fn dimension(element: &BytesStart<'_>) -> Result<(), FileError> {
    each(element, "ref", |range| {
        let (start, end) = range.split_once(':').unwrap_or((range, range));
        let (start, end) = (place(start)?, place(end)?);
        match start.0 <= end.0 && start.1 <= end.1 {
            true => Ok(()),
            false => Err(FileError::BrokenWorkbook),
        }
    })
}

/// The 1-based row and column of a reference such as `B2`.
fn place(reference: &str) -> Result<(u32, u32), FileError> {
    let digits = reference.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = reference.strip_suffix(digits).unwrap_or_default();
    let column = letters.bytes().try_fold(0, |column: u32, letter| {
        let column = column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        (column <= LAST_COLUMN).then_some(column)
    });
    let is_number = digits.bytes().all(|b| b.is_ascii_digit());
    let row = digits.parse().ok().filter(|_| is_number);
    match (row, column) {
        (Some(row), Some(column)) if (1..=LAST_ROW).contains(&row) && column > 0 => {
            Ok((row, column))
        }
        _ => Err(FileError::BrokenWorkbook),
    }
}
