//! Files of examples, to be filled with rows of one's own: they import as they are.

use clientele::{
    dataset::{Dataset, FieldType},
    example::{ExampleValue, example_rows},
};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use serde_json::{Map, Value as Json, json};

/// What `/docs/{dataset}/example.…` may end in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExampleFormat {
    /// Comma-separated values in UTF-8.
    Csv,
    /// A workbook whose identifiers and texts have the text format, so that no digit gets lost.
    Xlsx,
    /// What the dataset API takes; of events, an array of them.
    Json,
}

impl ExampleFormat {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Xlsx, Self::Json];

    /// The file name's ending.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Json => "json",
        }
    }

    /// The media type (IANA).
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Json => "application/json",
        }
    }
}

/// Why a file of examples cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExampleFileError {
    /// As a csv.
    #[error("the example csv cannot be written: {0}")]
    Csv(#[from] csv::Error),
    /// As a workbook.
    #[error("the example workbook cannot be written: {0}")]
    Xlsx(#[from] XlsxError),
    /// As JSON.
    #[error("the example JSON cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// The example rows of a dataset as a file: the same bytes each time.
pub fn example_file(dataset: &Dataset, format: ExampleFormat) -> Result<Vec<u8>, ExampleFileError> {
    let rows = example_rows(dataset);
    match format {
        ExampleFormat::Csv => csv(&rows),
        ExampleFormat::Xlsx => Ok(xlsx(dataset.name(), &rows)?),
        ExampleFormat::Json => json(dataset, rows),
    }
}

type Row<'d> = Vec<ExampleValue<'d>>;

fn csv(rows: &[Row<'_>]) -> Result<Vec<u8>, ExampleFileError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(row) = rows.first() {
        writer.write_record(row.iter().map(|value| value.column))?;
    }
    for row in rows {
        writer.write_record(row.iter().map(|value| text(&value.value)))?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()).into())
}

fn text(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn json(dataset: &Dataset, rows: Vec<Row<'_>>) -> Result<Vec<u8>, ExampleFileError> {
    let object = |row: Row<'_>| -> Json {
        let filled = row.into_iter().filter(|value| !value.value.is_null());
        let members: Map<String, Json> = filled
            .map(|value| (value.column.to_owned(), value.value))
            .collect();
        members.into()
    };
    let rows: Json = rows.into_iter().map(object).collect();
    let document = match dataset.event() {
        Some(_) => rows,
        None => json!({"data": rows}),
    };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Column widths, in characters.
const WIDTHS: std::ops::RangeInclusive<usize> = 10..=60;

fn xlsx(name: &str, rows: &[Row<'_>]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // The time of a workbook's making would make each one another.
    let made = ExcelDateTime::from_ymd(2026, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
    let sheet = workbook.add_worksheet();
    sheet.set_name(name)?;
    sheet.set_freeze_panes(1, 0)?;
    let header = Format::new().set_bold();
    for (column, value) in (0..).zip(rows.first().into_iter().flatten()) {
        sheet.write_string_with_format(0, column, value.column, &header)?;
        let cells = rows.iter().filter_map(|row| row.get(usize::from(column)));
        let longest = cells.map(|value| text(&value.value).chars().count()).max();
        let width = longest.unwrap_or(0).max(value.column.chars().count()) + 2;
        sheet.set_column_width(column, width.clamp(*WIDTHS.start(), *WIDTHS.end()) as f64)?;
        sheet.set_column_format(column, &cell_format(value))?;
    }
    for (row, values) in (1..).zip(rows) {
        for (column, value) in (0..).zip(values) {
            write(sheet, row, column, value)?;
        }
    }
    workbook.save_to_buffer()
}

fn field_type(value: &ExampleValue<'_>) -> Option<FieldType> {
    Some(value.field?.r#type)
}

/// How a spreadsheet program takes what is typed into a column.
fn cell_format(value: &ExampleValue<'_>) -> Format {
    let number_format = match field_type(value) {
        Some(FieldType::Integer | FieldType::Float | FieldType::Boolean) => "General",
        Some(FieldType::Date) => "yyyy-mm-dd",
        _ => "@",
    };
    Format::new().set_num_format(number_format)
}

fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    value: &ExampleValue<'_>,
) -> Result<(), XlsxError> {
    let format = cell_format(value);
    match &value.value {
        Json::Null => {}
        Json::Bool(boolean) => drop(sheet.write_boolean(row, column, *boolean)?),
        Json::Number(number) => {
            let number = number.as_f64().unwrap_or_default();
            sheet.write_number_with_format(row, column, number, &format)?;
        }
        other => match date(value) {
            Some(date) => drop(sheet.write_datetime_with_format(row, column, &date, &format)?),
            None => drop(sheet.write_string_with_format(row, column, text(other), &format)?),
        },
    }
    Ok(())
}

/// The value as a spreadsheet's date, if it is one.
fn date(value: &ExampleValue<'_>) -> Option<ExcelDateTime> {
    let field = value
        .field
        .filter(|field| field.r#type == FieldType::Date)?;
    let date = field.date_format.parse(value.value.as_str()?)?;
    let year = u16::try_from(date.year()).ok()?;
    let (month, day) = (
        u8::try_from(date.month()).ok()?,
        u8::try_from(date.day()).ok()?,
    );
    ExcelDateTime::from_ymd(year, month, day).ok()
}
