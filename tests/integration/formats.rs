//! One table in every format, encoding and dialect: the same records.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::stack::{Stack, file};

const HEADER: [&str; 4] = ["external_id", "name", "birth_year", "profession"];
const ROWS: [[&str; 4]; 3] = [
    ["1", "Zoë Müller", "1990", "boulangère"],
    ["2", "Ann", "2000", "farmer\nand baker"],
    ["3", "José", "", "élève"],
];

fn table(delimiter: &str, line_end: &str) -> String {
    let cell = |cell: &str| match cell.contains('\n') {
        true => format!("\"{cell}\""),
        false => cell.to_owned(),
    };
    let line = |cells: &[&str; 4]| {
        let cells: Vec<_> = cells.iter().map(|text| cell(text)).collect();
        cells.join(delimiter) + line_end
    };
    std::iter::once(&HEADER).chain(&ROWS).map(line).collect()
}

fn objects() -> Vec<Value> {
    let object = |row: &[&str; 4]| {
        let cells = HEADER.iter().zip(row).map(|(name, cell)| {
            let number = (*name == "birth_year").then(|| cell.parse::<i64>().ok());
            let value = number.flatten().map_or(json!(cell), Value::from);
            ((*name).to_owned(), value)
        });
        Value::Object(cells.collect())
    };
    ROWS.iter().map(object).collect()
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(bytes).collect()
}

/// Its characters are those that Windows-1252 has where Unicode has them.
fn windows_1252(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_encoding_and_dialect_gives_the_same_records() {
    let stack = Stack::start().await;
    let comma = table(",", "\n");
    let lines: String = objects().iter().map(|row| format!("{row}\n")).collect();
    let with_bom = format!("\u{feff}{comma}");
    // What it is, how it is named, what the job says of it.
    let files: Vec<(Vec<u8>, &str, [&str; 3])> = vec![
        (comma.clone().into(), "a.csv", ["csv", "UTF-8", ","]),
        (with_bom.into(), "b.csv", ["csv", "UTF-8", ","]),
        (
            windows_1252(&table(";", "\r\n")),
            "c.csv",
            ["csv", "windows-1252", ";"],
        ),
        (
            utf16(&table("\t", "\r\n"), u16::to_le_bytes),
            "d.txt",
            ["csv", "UTF-16LE", "\t"],
        ),
        (
            utf16(&table("|", "\n"), u16::to_be_bytes),
            "e.csv",
            ["csv", "UTF-16BE", "|"],
        ),
        (gzip(comma.as_bytes()), "f.csv.gz", ["csv", "UTF-8", ","]),
        (
            format!("sep=;\r\n{}", table(";", "\r\n")).into(),
            "g.csv",
            ["csv", "UTF-8", ";"],
        ),
        (
            json!(objects()).to_string().into(),
            "h.json",
            ["json", "UTF-8", ""],
        ),
        (
            json!({"n": 3, "data": objects()}).to_string().into(),
            "i.json",
            ["json", "UTF-8", ""],
        ),
        (lines.clone().into(), "j.ndjson", ["ndjson", "UTF-8", ""]),
        (
            gzip(lines.as_bytes()),
            "k.ndjson.gz",
            ["ndjson", "UTF-8", ""],
        ),
        // The name is not believed.
        (comma.into(), "l.xlsx", ["csv", "UTF-8", ","]),
    ];
    for (index, (content, name, found)) in files.into_iter().enumerate() {
        let key = format!("inbox/1/generic/customers/{name}");
        let job = stack.import_key(&key, content).await;
        let expected = if index == 0 { [3, 0] } else { [0, 3] };
        assert_eq!(
            [job.counts.created, job.counts.unchanged],
            expected,
            "{name}: {job:?}"
        );
        let delimiter = job.delimiter.map(String::from).unwrap_or_default();
        let said = [
            job.format.as_deref().unwrap(),
            job.encoding.as_deref().unwrap(),
            delimiter.as_str(),
        ];
        assert_eq!(said, found, "{name}");
        assert_eq!(job.gzip, name.ends_with(".gz"), "{name}");
    }
    assert_eq!(
        stack.record("customers", "2").await["profession"],
        "farmer\nand baker"
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_workbooks_hold_the_same_records_as_the_example_tables() {
    let stack = Stack::start().await;
    for dataset in ["customers", "meters"] {
        let key = |ending: &str| format!("inbox/1/generic/{dataset}/{dataset}.{ending}");
        let table = stack
            .import_key(&key("csv"), file(&format!("{dataset}.csv")))
            .await;
        let book = stack
            .import_key(&key("xlsx"), file(&format!("{dataset}.xlsx")))
            .await;
        assert_eq!(book.format.as_deref(), Some("xlsx"));
        assert_eq!(book.counts.rejected, 0);
        assert!(table.counts.created > 0);
        assert_eq!(
            book.counts.unchanged, book.counts.rows_read,
            "{:?}",
            book.counts
        );
    }
    stack.stop().await;
}
