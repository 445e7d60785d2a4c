//! Published csv files read as their authors say.

use std::{collections::BTreeMap, fs, path::PathBuf};

use proptest::prelude::*;

use super::super::{Hints, records};
use crate::record::RawValue;

/// The folder of test data, if it is there.
fn folder(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    let root = std::env::var_os("CLIENTELE_VECTORS").map_or_else(beside, PathBuf::from);
    let folder = root.join(name);
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there", folder.display());
        return None;
    }
    Some(folder)
}

type Table = (Vec<String>, Vec<Vec<String>>);

fn table(bytes: Vec<u8>) -> Result<Table, &'static str> {
    let records = records(std::io::Cursor::new(bytes), &Hints::default()).map_err(|e| e.code())?;
    let header = records.header.unwrap_or_default();
    let header = header.iter().map(|name| name.to_string()).collect();
    let mut rows = Vec::new();
    for row in records.rows {
        let row = row.map_err(|error| error.code())?;
        let cell = |(_, value): (_, RawValue)| match value {
            RawValue::Cell(text) => text,
            other => format!("{other:?}"),
        };
        rows.push(row.values.into_iter().map(cell).collect());
    }
    Ok((header, rows))
}

#[test]
fn csv_spectrum_reads_as_its_json() {
    let Some(folder) = folder("csv-spectrum") else {
        return;
    };
    let mut read = 0;
    for file in fs::read_dir(folder.join("csvs")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let json = fs::read(folder.join(format!("json/{name}.json"))).unwrap();
        let expected: Vec<BTreeMap<String, String>> = serde_json::from_slice(&json)
            .or_else(|_| serde_json::from_slice(&json).map(|row| vec![row]))
            .unwrap();
        // A checkout may have turned the csv's line ends into LF, but not the JSON's escapes.
        let bytes = fs::read(&path).unwrap();
        let as_checked_out = |text: String| match bytes.contains(&b'\r') {
            true => text,
            false => text.replace("\r\n", "\n"),
        };
        let object = |object: BTreeMap<String, String>| {
            let cells = object.into_iter();
            cells
                .map(|(name, text)| (name, as_checked_out(text)))
                .collect()
        };
        let expected: Vec<BTreeMap<_, _>> = expected.into_iter().map(object).collect();
        let (header, rows) = table(bytes).unwrap();
        let object = |row: Vec<String>| header.iter().cloned().zip(row).collect();
        let rows: Vec<BTreeMap<_, _>> = rows.into_iter().map(object).collect();
        if name == "location_coordinates" {
            // Its JSON has another telephone number than its csv.
            let place = "Location Coordinates";
            assert_eq!(rows[0][place], expected[0][place]);
        } else {
            assert_eq!(rows, expected, "{name}");
        }
        read += 1;
    }
    assert!(read >= 11, "{read} files");
}

#[test]
fn odd_published_files_read_or_are_refused_with_a_code() {
    let Some(folder) = folder("frictionless") else {
        return;
    };
    let (mut tables, mut refused) = (0, BTreeMap::new());
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        match table(fs::read(&path).unwrap()) {
            Ok(_) => tables += 1,
            Err(code) => refused
                .entry(code)
                .or_insert_with(Vec::new)
                .push(path.file_name().unwrap().to_owned()),
        }
    }
    eprintln!("{tables} read, refused: {refused:?}");
    assert!(tables > 100, "{tables}");
}

/// Cells that may hold any delimiter, quote or line end, in a table of at least two by two.
fn any_table() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cell = "[a-z,;|\t\"'\r\n é€]{0,6}";
    (2_usize..6).prop_flat_map(move |columns| {
        let row = prop::collection::vec(cell, columns);
        let header = prop::collection::vec("[a-z]{1,8}", columns);
        (header, prop::collection::vec(row, 1..8))
            .prop_map(|(header, rows)| std::iter::once(header).chain(rows).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_table_written_with_any_delimiter_reads_back(
        rows in any_table(),
        delimiter in prop::sample::select(b",;\t|".to_vec()),
    ) {
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let (header, read) = table(writer.into_inner().unwrap()).unwrap();
        prop_assert_eq!(&header, &rows[0]);
        prop_assert_eq!(&read, &rows[1..]);
    }

    #[test]
    fn any_bytes_read_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = table(bytes);
    }

    #[test]
    fn any_text_of_delimiters_and_quotes_reads_or_is_refused(text in "[ab,;|\t\"\r\n\u{e9}]{0,80}") {
        let _ = table(text.into_bytes());
    }
}
