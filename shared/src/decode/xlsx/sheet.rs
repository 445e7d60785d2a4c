//! Streams the rows of a workbook's first sheet with a header row.

use std::{collections::HashSet, fs::File, io::BufReader, mem, sync::Arc};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxCellReader, XlsxError};

use super::{BATCH_BYTES, BATCH_ROWS, Message, Sender, cell};
use crate::{
    decode::{MAX_COLUMNS, MAX_ROW_BYTES},
    import::FileError,
    record::{Malformed, RawRecord, RawValue},
};

/// Errors of newer spreadsheets. The reader loses the place of a cell that shows one.
const UNREAD_ERRORS: [&str; 9] = [
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#CONNECT!",
    "#BUSY!",
    "#UNKNOWN!",
    "#PYTHON!",
    "#EXTERNAL!",
];

type Workbook = Xlsx<BufReader<File>>;

/// Sends the header and the rows of the first sheet that has a header row. Ends early when
/// nobody receives them.
pub(super) fn read(file: File, sender: &Sender) -> Result<(), FileError> {
    let mut workbook = Workbook::new(BufReader::new(file)).map_err(explain)?;
    let names = sheet_names(&workbook);
    // Of two sheets with one name, only the first can be opened.
    if names.iter().collect::<HashSet<_>>().len() != names.len() {
        return Err(FileError::BrokenWorkbook);
    }
    for name in names {
        let Some(header) = header(&mut workbook, &name)? else {
            continue;
        };
        if sender.send(Message::Header(header.names())).is_ok() {
            send_rows(&mut workbook, &name, &header, sender)?;
        }
        return Ok(());
    }
    Err(FileError::Empty)
}

/// The sheets that a reader of the workbook sees first, then the hidden ones. Charts are none.
fn sheet_names(workbook: &Workbook) -> Vec<String> {
    let mut sheets: Vec<_> = workbook
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .collect();
    sheets.sort_by_key(|sheet| sheet.visible != SheetVisible::Visible);
    sheets.iter().map(|sheet| sheet.name.clone()).collect()
}

/// The first row of a sheet that has values.
struct Header {
    /// The columns that are read, in their order.
    columns: Vec<Column>,
    /// Columns up to the last one with a name.
    width: usize,
}

struct Column {
    index: usize,
    name: Arc<str>,
}

impl Header {
    fn names(&self) -> Vec<Arc<str>> {
        self.columns.iter().map(|c| Arc::clone(&c.name)).collect()
    }
}

/// A sheet's header, if the sheet has any value.
fn header(workbook: &mut Workbook, name: &str) -> Result<Option<Header>, FileError> {
    let mut cells = Cells::open(workbook, name)?;
    let Some(first) = cells.next_row()? else {
        return Ok(None);
    };
    let width = first.width();
    let mut has_values = vec![false; width];
    let mut names: Vec<Option<Arc<str>>> = vec![None; width];
    for (index, value) in first.values {
        if let Some(name) = names.get_mut(index) {
            *name = Some(Arc::from(value.into_cell().trim()));
        }
    }
    // A column that has neither a name nor a value is a margin.
    if names.contains(&None) {
        while let Some(row) = cells.next_row()? {
            for (index, _) in &row.values {
                if let Some(has_values) = has_values.get_mut(*index) {
                    *has_values = true;
                }
            }
        }
    }
    let columns = names.into_iter().zip(has_values).enumerate();
    let kept = columns.filter_map(|(index, (name, has_values))| match name {
        Some(name) => Some(Column { index, name }),
        None => has_values.then(|| Column {
            index,
            name: Arc::from(""),
        }),
    });
    Ok(Some(Header {
        columns: kept.collect(),
        width,
    }))
}

fn send_rows(
    workbook: &mut Workbook,
    name: &str,
    header: &Header,
    sender: &Sender,
) -> Result<(), FileError> {
    let mut cells = Cells::open(workbook, name)?;
    cells.next_row()?;
    let mut count = 0;
    let (mut batch, mut bytes) = (Vec::new(), 0);
    loop {
        let row = cells.next_row();
        let is_last = !matches!(row, Ok(Some(_)));
        if batch.len() == BATCH_ROWS || bytes > BATCH_BYTES || is_last {
            // What was read before an error comes before it.
            if sender.send(Message::Rows(mem::take(&mut batch))).is_err() {
                return Ok(());
            }
            bytes = 0;
        }
        let Some(row) = row? else {
            return Ok(());
        };
        count += 1;
        let record = record(row, count, header);
        bytes += record.size();
        batch.push(record);
    }
}

fn record(row: Row, count: u64, header: &Header) -> RawRecord {
    let line = Some(row.line);
    let width = row.width();
    let mut by_column: Vec<Option<RawValue>> = vec![None; width.max(header.width)];
    for (index, value) in row.values {
        if let Some(place) = by_column.get_mut(index) {
            *place = Some(value);
        }
    }
    let mut take = |index: usize| {
        let value = by_column.get_mut(index).and_then(Option::take);
        value.unwrap_or_else(|| RawValue::Cell(String::new()))
    };
    let mut values: Vec<_> = header
        .columns
        .iter()
        .map(|column| (Arc::clone(&column.name), take(column.index)))
        .collect();
    // Cells beyond the header have no name.
    let surplus = header.width..width;
    values.extend(surplus.map(|index| (Arc::from(""), take(index))));
    let ragged = Malformed::Ragged {
        expected: header.width,
        found: width,
    };
    RawRecord {
        row: count,
        line,
        values,
        malformed: (width > header.width).then_some(ragged),
    }
}

/// The cells of a row that are not blank.
struct Row {
    /// The 1-based number that the spreadsheet shows.
    line: u64,
    /// The 0-based columns and their values, in the file's order.
    values: Vec<(usize, RawValue)>,
}

impl Row {
    /// Columns up to the last one with a value.
    fn width(&self) -> usize {
        let last = self.values.iter().map(|(index, _)| index + 1).max();
        last.unwrap_or_default()
    }
}

/// A sheet's rows that are not blank.
struct Cells<'a> {
    reader: XlsxCellReader<'a, BufReader<File>>,
    /// The first cell of the next row.
    ahead: Option<Place>,
    /// The last row that was begun, 0-based.
    last: Option<u32>,
    /// The reader must not be asked again after the last cell.
    ended: bool,
}

struct Place {
    row: u32,
    column: usize,
    value: RawValue,
}

impl<'a> Cells<'a> {
    fn open(workbook: &'a mut Workbook, name: &str) -> Result<Self, FileError> {
        Ok(Self {
            reader: workbook.worksheet_cells_reader(name).map_err(explain)?,
            ahead: None,
            last: None,
            ended: false,
        })
    }

    /// The next row with a value. Rows that go back and cells that come twice are what no
    /// spreadsheet writes; to guess which one counts would lose the other.
    fn next_row(&mut self) -> Result<Option<Row>, FileError> {
        let first = match self.ahead.take() {
            Some(first) => first,
            None => match self.next_cell()? {
                Some(first) => first,
                None => return Ok(None),
            },
        };
        let line = u64::from(first.row) + 1;
        if self.last.is_some_and(|last| first.row <= last) {
            return Err(FileError::RowsOutOfOrder { line });
        }
        self.last = Some(first.row);
        let mut values: Vec<(usize, RawValue)> = Vec::new();
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(place) = next {
            if self.last != Some(place.row) {
                self.ahead = Some(place);
                break;
            }
            if let RawValue::Cell(text) = &place.value {
                bytes += text.len();
            }
            if bytes > MAX_ROW_BYTES {
                let limit = MAX_ROW_BYTES / 1024;
                return Err(FileError::RowTooLong { line, limit });
            }
            let is_repeated = |last: &(usize, RawValue)| last.0 >= place.column;
            if values.last().is_some_and(is_repeated)
                && values.iter().any(|(column, _)| *column == place.column)
            {
                return Err(FileError::RowsOutOfOrder { line });
            }
            values.push((place.column, place.value));
            next = self.next_cell()?;
        }
        Ok(Some(Row { line, values }))
    }

    /// The next cell with a value. Blank ones, which only carry a format, are passed over.
    fn next_cell(&mut self) -> Result<Option<Place>, FileError> {
        if self.ended {
            return Ok(None);
        }
        let from = self.last.map_or(1, |row| u64::from(row) + 1);
        let unread = |error| match error {
            XlsxError::CellError(error) if UNREAD_ERRORS.contains(&error.as_str()) => {
                FileError::UnreadCellError { error, line: from }
            }
            error => explain(error),
        };
        while let Some(cell) = self.reader.next_cell().map_err(unread)? {
            let (row, column) = cell.get_position();
            let Some(value) = value(cell.get_value(), row)? else {
                continue;
            };
            let column = column as usize;
            if column >= MAX_COLUMNS {
                return Err(FileError::TooManyColumns { limit: MAX_COLUMNS });
            }
            return Ok(Some(Place { row, column, value }));
        }
        self.ended = true;
        Ok(None)
    }
}

/// A cell's value. One text may be named by many cells, so it is measured before it is copied.
fn value(cell: &DataRef<'_>, row: u32) -> Result<Option<RawValue>, FileError> {
    let length = match cell {
        DataRef::SharedString(text) => text.len(),
        _ => 0,
    };
    if length > MAX_ROW_BYTES {
        return Err(FileError::RowTooLong {
            line: u64::from(row) + 1,
            limit: MAX_ROW_BYTES / 1024,
        });
    }
    Ok(cell::value(cell))
}

/// The reader's messages may hold what stands in the file, so they are not repeated.
fn explain(_: XlsxError) -> FileError {
    FileError::BrokenWorkbook
}
