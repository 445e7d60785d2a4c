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

#[test]
fn every_spreadsheet_reads_or_is_refused_with_a_code() {
    for folder in ["calamine", "frictionless"] {
        let Some(folder) = vectors(folder) else {
            continue;
        };
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            if !["xlsx", "xlsm", "xls", "xlsb", "ods"].contains(&&*extension) {
                continue;
            }
            println!(
                "{} {:?}",
                path.file_name().unwrap().display(),
                read_in_time(&path)
            );
        }
    }
}
