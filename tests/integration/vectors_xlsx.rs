//! Spreadsheets from bug reports of other readers: each reads right or is refused with a code.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use clientele::{
    decode::{self, Hints},
    record::{RawRecord, RawValue},
};

/// The folder of public test data, when it is there.
fn vectors(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CLIENTELE_VECTORS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let folder = root.join(folder);
    if !folder.is_dir() {
        println!("skipped: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

/// A file's header and rows, or why it was refused.
fn read(path: &Path) -> Result<Vec<String>, String> {
    let code = |error: clientele::import::FileError| error.code().to_owned();
    let records = decode::records(File::open(path).unwrap(), &Hints::default()).map_err(code)?;
    let mut shown = vec![records.header.unwrap_or_default().join("|")];
    for row in records.rows {
        shown.push(show(&row.map_err(code)?));
    }
    Ok(shown)
}

fn show(row: &RawRecord) -> String {
    let cell = |value: &RawValue| match value {
        RawValue::Cell(text) => text.clone(),
        RawValue::CellNumber(number) => format!("#{number}"),
        RawValue::CellDate(date) => format!("@{date}"),
        RawValue::CellError(error) => format!("!{error}"),
        RawValue::Boolean(boolean) => format!("?{boolean}"),
        other => panic!("{other:?}"),
    };
    let cells: Vec<_> = row.values.iter().map(|(_, value)| cell(value)).collect();
    let ragged = row.malformed.map_or("", |_| " ragged");
    format!(
        "{}@{}{ragged}: {}",
        row.row,
        row.line.unwrap(),
        cells.join("|")
    )
}

/// Reads a file on a thread of its own, so that one that hangs fails the test.
fn read_in_time(path: &Path) -> Result<Vec<String>, String> {
    let (sender, receiver) = mpsc::channel();
    let owned = path.to_owned();
    thread::spawn(move || sender.send(read(&owned)));
    let outcome = receiver.recv_timeout(Duration::from_secs(15));
    outcome.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the files are known to hold: the header, then `row@line: cells`, where `#` marks a number,
/// `@` a date, `!` an error and `?` a boolean.
const KNOWN: [(&str, &[&str]); 30] = [
    ("any_sheets.xlsx", &["1|2", "1@2: #3|#4", "2@3: #5|#6"]),
    (
        "date.xlsx",
        &[
            "2021-01-01|15",
            "1@2: @2021-01-02T00:00:00|#16",
            "2@3: 255:10:10|#17",
        ],
    ),
    (
        "date_1904.xlsx",
        &[
            "2021-01-01|15",
            "1@2: @2021-01-02T00:00:00|#16",
            "2@3: 255:10:10|#17",
        ],
    ),
    (
        "date_iso.xlsx",
        &["2021-01-01", "1@2: @2021-01-01T10:10:10", "2@3: 10:10:10"],
    ),
    (
        "date_quoted_format.xlsx",
        &[
            "2021-01-01",
            "1@2: @2021-01-01T00:00:00",
            "2@3: @2021-01-01T00:00:00",
        ],
    ),
    (
        "empty_s_attribute.xlsx",
        &["Name|Value", "1@2: John|#1", "2@3: Sophia|#2"],
    ),
    (
        "empty_shared_string_value.xlsx",
        &["Name|City|Status", "1@2: Alice||Active", "2@3: |Berlin|"],
    ),
    ("encoded_entities.xlsx", &["&"]),
    (
        "errors.xlsx",
        &[
            "#DIV/0!",
            "1@2: !#NAME?",
            "2@3: !#VALUE!",
            "3@4: !#NULL!",
            "4@5: !#REF!",
            "5@6: !#NUM!",
            "6@7: !#N/A",
        ],
    ),
    ("has_x000D_.xlsx", &["ABC\r\nDEF"]),
    ("has_x000D_inline.xlsx", &["ABC\r\nDEF"]),
    // A note above the table stands where the header should.
    (
        "header-row.xlsx",
        &[
            "||Note 1",
            "1@9 ragged: Columns|Column A|Column B|Column C",
            "2@10 ragged: put data here|#1|#2|#3",
        ],
    ),
    (
        "inlineStr_cdata.xlsx",
        &["Hello CDATA|World", "1@2: 12345|NormalText"],
    ),
    (
        "inlineStr_with_value.xlsx",
        &[
            "NN|Hierarchy|Outline Number|ID|Name|Type|Description",
            "1@2: #1|+|1.|RQ11610|requirement|Textual Requirement|test",
        ],
    ),
    (
        "inventory-table.xlsx",
        &["Item|Type|Quantity", "1@2: #1|Apple|#50"],
    ),
    (
        "issue221.xlsm",
        &["Cell_A1|Cell_B1", "1@2: Cell_A2|Cell_B2"],
    ),
    (
        "issues.xlsx",
        &[
            "1",
            "1@2: #1.5",
            "2@3: ab",
            "3@4: ?false",
            "4@5: test",
            "5@6: @2016-10-20T00:00:00",
        ],
    ),
    (
        "merge_cells.xlsx",
        &["Row Merge||Not Merged", "1@2: Column Merge|Chunk Merged|"],
    ),
    (
        "merged_range.xlsx",
        &["A1|B1|C1|E1|F1|G1|H1", "1@3: A3|B3|C3|E3|F3|G3|H3"],
    ),
    ("no-header.xlsx", &["a|0", "1@4: b|#1"]),
    (
        "nonstandard-xml-ns-prefix.xlsx",
        &["a|b", "1@2: #1|#3", "2@3: #2|#4"],
    ),
    (
        "readings.xlsx",
        &[
            "Station|Celsius|Humidity|Pressure",
            "1@2: London|#15|#72|#1013",
        ],
    ),
    (
        "richtext-after-plain.xlsx",
        &[
            "abcd|abcd|abcd|abcd",
            "1@2: tvalrval1rval2|rval1rval2|rval1rval2|rval1rval2",
        ],
    ),
    ("rph.xlsx", &["課きく\u{3000}毛こ"]),
    (
        "shared_formula_simple.xlsx",
        &["1|2", "1@2: #2|#4", "2@3: #3|#6"],
    ),
    ("string-ref.xlsx", &["col1", "1@2: -8086931554011838357"]),
    (
        "table_with_absolute_paths.xlsx",
        &["Item|Name", "1@2: #100|North"],
    ),
    (
        "data__table.xlsx",
        &["id|name", "1@2: #1|english", "2@3: #2|中国人"],
    ),
    (
        "data__table-infer-boolean.xlsx",
        &[
            "number|string|boolean",
            "1@2: #1|two|?true",
            "2@3: #3|four|?false",
        ],
    ),
    (
        "data__cast-int-to-string-issue-1251.xlsx",
        &["A|B|C|D|E", "1@2: 001|b|#1|a|#1", "2@3: 002|c|#1|#1|#1"],
    ),
];

/// The only workbooks that are refused, and why.
const REFUSED: [(&str, &str); 8] = [
    ("empty_sheet.xlsx", "empty_file"),
    ("issue127.xlsx", "empty_file"),
    ("issue252.xlsx", "broken_workbook"),
    ("issue281.xlsm", "empty_file"),
    ("pass_protected.xlsb", "password_protected"),
    ("pass_protected.xlsx", "password_protected"),
    ("picture.xlsx", "empty_file"),
    ("vba.xlsm", "empty_file"),
];

#[test]
fn every_spreadsheet_reads_right_or_is_refused_with_a_code() {
    let mut known = 0;
    let (mut workbooks, mut refused, mut unsupported) = (0, 0, 0);
    for folder in ["calamine", "frictionless"].into_iter().filter_map(vectors) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let extension = path.extension().unwrap_or_default().to_str().unwrap();
            if !["xlsx", "xlsm", "xls", "xlsb", "ods"].contains(&extension) {
                continue;
            }
            // A message as plain text, whose name is the only thing of a spreadsheet.
            if name == "too_small.xls" {
                continue;
            }
            let outcome = read_in_time(&path);
            if let Some((_, code)) = REFUSED.iter().find(|(file, _)| *file == name) {
                assert_eq!(outcome.unwrap_err(), *code, "{name}");
                refused += 1;
                continue;
            }
            if !extension.starts_with("xlsx") && extension != "xlsm" {
                assert_eq!(outcome.unwrap_err(), "unsupported_format", "{name}");
                unsupported += 1;
                continue;
            }
            let rows = outcome.unwrap_or_else(|code| panic!("{name}: {code}"));
            workbooks += 1;
            if let Some((_, expected)) = KNOWN.iter().find(|(file, _)| *file == name) {
                let beginning: Vec<_> = rows.iter().take(expected.len()).collect();
                assert_eq!(beginning, expected.iter().collect::<Vec<_>>(), "{name}");
                known += 1;
            }
        }
    }
    println!("{workbooks} workbooks read, {refused} refused, {unsupported} of other formats");
    assert!(
        known == 0 || known == KNOWN.len(),
        "{known} files were compared"
    );
}
