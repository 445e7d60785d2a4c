//! Workbooks as spreadsheets write them, and as only an attacker does.

use std::io::{Cursor, Read, Write};

use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{super::tests::read, Rows};

const CONTENT_TYPES: &str = "<Types/>";
const PACKAGE: &str = r#"<Relationships><Relationship Id="r1" Type="a/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str =
    r#"<workbook><sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>"#;
const SHEETS: &str = r#"<Relationships><Relationship Id="r1" Type="a/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
const SHEET: &str = "xl/worksheets/sheet1.xml";

/// An archive of parts.
fn archive<N: AsRef<str>, C: AsRef<[u8]>>(parts: impl IntoIterator<Item = (N, C)>) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name.as_ref(), SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content.as_ref()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The smallest workbook, with some parts replaced or added.
fn workbook(replaced: &[(&str, &str)]) -> Vec<u8> {
    let ordinary = [
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", PACKAGE),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", SHEETS),
        (SHEET, "<worksheet><sheetData/></worksheet>"),
    ];
    let is_replaced = |name: &str| replaced.iter().any(|(other, _)| *other == name);
    let kept = ordinary.into_iter().filter(|(name, _)| !is_replaced(name));
    archive(kept.chain(replaced.iter().copied()))
}

/// A workbook whose only sheet has these rows under a header of two columns.
fn sheet(rows: &str) -> Vec<u8> {
    let header = r#"<row r="1"><c t="str"><v>a</v></c><c t="str"><v>b</v></c></row>"#;
    let xml = format!("<worksheet><sheetData>{header}{rows}</sheetData></worksheet>");
    workbook(&[(SHEET, &xml)])
}

#[test]
fn typed_cells_read_as_they_were_written() {
    let mut book = Workbook::new();
    book.add_worksheet()
        .set_name("Cover")
        .unwrap()
        .set_hidden(true);
    let sheet = book.add_worksheet();
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let shaded = Format::new().set_bold();
    let header = ["id", "when", "locked", "price", "", "note", "sum"];
    for (column, name) in header.iter().enumerate() {
        sheet.write(2, column as u16 + 1, *name).unwrap();
    }
    let day = ExcelDateTime::from_ymd(2021, 1, 31).unwrap();
    sheet.write(3, 1, "007").unwrap();
    sheet.write_with_format(3, 2, &day, &date).unwrap();
    sheet.write(3, 3, true).unwrap();
    sheet.write(3, 4, 12.5).unwrap();
    sheet.write(3, 6, " é\n<&> ").unwrap();
    sheet
        .write(3, 7, Formula::new("=1+1").set_result("2"))
        .unwrap();
    sheet.write_blank(5, 12, &shaded).unwrap();
    sheet.write(6, 1, 7).unwrap();
    sheet.write(6, 5, "in a column without a name").unwrap();
    sheet.write(7, 8, "beyond the header").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    assert_eq!(
        read(&bytes),
        [
            "1@4: 007|2021-01-31T00:00:00|true|12.5|| é\n<&> |2",
            "2@7: 7||||in a column without a name||",
            "3@8: Ragged { expected: 8, found: 9 }",
        ]
    );
}

#[test]
fn rows_that_no_spreadsheet_program_writes_read_or_are_refused() {
    let table: [(&str, &[&str]); 22] = [
        // Cells without references follow one another.
        (
            r#"<row><c><v>1</v></c><c><v>2</v></c></row>"#,
            &["1@2: 1|2"],
        ),
        (r#"<row r="9"><c r="B9"><v>2</v></c></row>"#, &["1@9: |2"]),
        (
            r#"<row r="2"><c r="B2"><v>2</v></c><c r="A2"><v>1</v></c></row>"#,
            &["1@2: 1|2"],
        ),
        (
            r#"<row r="2"><c r="A2"><v>1</v></c><c r="A2"><v>2</v></c></row>"#,
            &["RowsOutOfOrder { line: 2 }"],
        ),
        (
            r#"<row r="3"><c r="A3"><v>1</v></c></row><row r="2"><c r="A2"><v>2</v></c></row>"#,
            &["1@3: 1", "RowsOutOfOrder { line: 2 }"],
        ),
        (
            r#"<row r="2"><c r="A2" t="inlineStr"><is><r><t>x</t></r><r><t>_x000D_y</t></r></is></c></row>"#,
            &["1@2: x\ry|"],
        ),
        (
            r#"<row r="2"><c r="A2" t="e"><v>#N/A</v></c></row>"#,
            &["1@2: #N/A|"],
        ),
        (
            r#"<row r="2"><c r="A2" t="e"><v>#SPILL!</v></c></row>"#,
            &["unread_cell_error"],
        ),
        // The far corner: a dense table would have 17 thousand million cells.
        (
            r#"<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>"#,
            &["too_many_columns"],
        ),
        (
            r#"<row r="1048577"><c><v>1</v></c></row>"#,
            &["broken_workbook"],
        ),
        (
            r#"<row r="2"><c r="XFE2"><v>1</v></c></row>"#,
            &["broken_workbook"],
        ),
        (
            r#"<row r="2"><c r="AAAAAAAAA2"><v>1</v></c></row>"#,
            &["broken_workbook"],
        ),
        (
            r#"<row r="2"><c r="A4294967298"><v>1</v></c></row>"#,
            &["broken_workbook"],
        ),
        (
            r#"<row r="2"><c r="A"><v>1</v></c></row>"#,
            &["broken_workbook"],
        ),
        // What stands in these would be read as another value or none.
        (
            r#"<row r="2"><c r="A2" t="s"><v>x</v></c></row>"#,
            &["broken_workbook"],
        ),
        (
            r#"<row r="2"><c r="A2"><v><!-- -->1</v></c></row>"#,
            &["broken_workbook"],
        ),
        (
            r#"<row r="2"><c r="A2"><v>1&#50;</v></c></row>"#,
            &["broken_workbook"],
        ),
        (
            r#"<row r="2"><c r="A2"><v>1</v><f>A1</f></c></row>"#,
            &["broken_workbook"],
        ),
        (
            r#"<row r="2"><c r="A2" t="str"><v><![CDATA[x]]></v></c></row>"#,
            &["broken_workbook"],
        ),
        (
            r#"<row r="2"><c r="A2" t="n"><v>-1.5E+3</v></c></row>"#,
            &["1@2: -1500|"],
        ),
        (
            r#"<row r="2"><c r="A2" t="n"><v>+1</v></c></row>"#,
            &["broken_workbook"],
        ),
        (
            r#"<row r="2"><c r="A2" t="n"><v>1,5</v></c></row>"#,
            &["broken_workbook"],
        ),
    ];
    for (rows, expected) in table {
        let read: Vec<_> = read(&sheet(rows))
            .iter()
            .map(|row| row.strip_suffix('|').unwrap_or(row).to_owned())
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|row| row.strip_suffix('|').unwrap_or(row))
            .collect();
        assert_eq!(read, expected, "{rows}");
    }
}

#[test]
fn hostile_workbooks_are_refused() {
    let sheets = |name: &dyn Fn(usize) -> String, count: usize| {
        let sheet = |n| format!(r#"<sheet name="{}" r:id="r1"/>"#, name(n));
        let sheets: String = (0..count).map(sheet).collect();
        format!("<workbook><sheets>{sheets}</sheets></workbook>")
    };
    let worksheet = |inner: &str| format!("<worksheet>{inner}<sheetData/></worksheet>");
    let formats = |length: usize| {
        let code = "0".repeat(length);
        let cells = r#"<xf numFmtId="200"/>"#.repeat(70_000);
        format!(
            r#"<styleSheet><numFmts><numFmt numFmtId="200" formatCode="{code}"/></numFmts><cellXfs>{cells}</cellXfs></styleSheet>"#
        )
    };
    let table: [(&str, String, &str); 14] = [
        (
            "xl/sharedStrings.xml",
            r#"<sst uniqueCount="4000000000"></sst>"#.to_owned(),
            "too_many_texts",
        ),
        (
            "xl\\SHAREDstrings.xml",
            r#"<sst x="1" uniqueCount='18446744073709551616'></sst>"#.to_owned(),
            "too_many_texts",
        ),
        (
            "xl/workbook.xml",
            sheets(&|n| n.to_string(), 100_000),
            "too_many_sheets",
        ),
        (
            "xl/workbook.xml",
            sheets(&|_| "One".to_owned(), 2),
            "broken_workbook",
        ),
        ("xl/styles.xml", formats(4_000), "too_many_styles"),
        (SHEET, "\0".repeat(16 * 1024 * 1024), "hostile_xml"),
        (
            SHEET,
            format!("<a b='{}'/>", "x".repeat(16 * 1024 * 1024)),
            "hostile_xml",
        ),
        (SHEET, "<a>".repeat(100_000), "hostile_xml"),
        (
            SHEET,
            format!(r#"<!DOCTYPE a [<!ENTITY b "c">]>{}"#, worksheet("")),
            "hostile_xml",
        ),
        (
            SHEET,
            worksheet(r#"<dimension ref="B2:A1"/>"#),
            "broken_workbook",
        ),
        (
            SHEET,
            worksheet("").replace("</worksheet>", ""),
            "empty_file",
        ),
        (
            SHEET,
            "<worksheet><sheetData><row>".to_owned(),
            "broken_workbook",
        ),
        (
            SHEET,
            format!(
                "<sheetData><row><c t='str'><v>{}</v></c></row></sheetData>",
                "x".repeat(2_000_000)
            ),
            "row_too_long",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            SHEETS.replace("worksheets/sheet1.xml", "media/image1.png"),
            "broken_workbook",
        ),
    ];
    for (name, content, expected) in table {
        let head: String = content.chars().take(60).collect();
        assert_eq!(
            read(&workbook(&[(name, &content)])),
            [expected],
            "{name} {head}"
        );
    }
}

#[test]
fn archives_of_other_kinds_are_named() {
    let mut encrypted = vec![0xd0, 0xcf, 0x11, 0xe0, 0, 0, 0];
    encrypted.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    let many = (0..10_001).map(|n| (n.to_string(), ""));
    let mut zip64 = sheet("");
    zip64.extend(b"PK\x06\x06\x2c");
    zip64.extend([0; 27]);
    zip64.extend(1_000_000_000_u64.to_le_bytes());
    zip64.extend([0; 16]);
    zip64.extend(b"PK\x06\x07");
    zip64.extend([0; 16]);
    zip64.extend(b"PK\x05\x06");
    zip64.extend([0xff; 16]);
    zip64.extend([0; 2]);
    let table = [
        (encrypted, "password_protected"),
        (vec![0xd0, 0xcf, 0x11, 0xe0, 0], "unsupported_format"),
        (
            archive([("mimetype", ""), ("content.xml", "")]),
            "unsupported_format",
        ),
        (workbook(&[("xl/workbook.bin", "")]), "unsupported_format"),
        (
            archive([("_rels/.rels", ""), ("word/document.xml", "")]),
            "unsupported_format",
        ),
        (archive([("a.csv", "a,b")]), "unsupported_format"),
        (archive(many), "too_many_parts"),
        (zip64, "too_many_parts"),
        (archive([("_rels/.rels", "")]), "broken_workbook"),
        (sheet(""), ""),
    ];
    for (bytes, expected) in table {
        assert_eq!(read(&bytes).concat(), expected);
    }
}

#[test]
fn the_thread_ends_when_nobody_wants_more_rows() {
    let rows: String = (2..10_000)
        .map(|n| format!(r#"<row r="{n}"><c><v>1</v></c></row>"#))
        .collect();
    let (_, rows) = super::open(Cursor::new(sheet(&rows))).unwrap();
    let Rows {
        messages, thread, ..
    } = rows;
    drop(messages);
    thread.unwrap().join().unwrap();
}

#[test]
fn rows_come_in_their_order_and_end_with_what_is_wrong() {
    let row = |n: u64| format!(r#"<row r="{n}"><c><v>{n}</v></c></row>"#);
    let mut rows: String = (2..=1_001).map(row).collect();
    rows.push_str(&row(7));
    let rows = read(&sheet(&rows));
    assert_eq!(rows.len(), 1_001);
    assert_eq!(rows[999], "1000@1001: 1001|");
    assert_eq!(rows[1_000], "RowsOutOfOrder { line: 7 }");
}

fn small() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for row in 0..20 {
        sheet.write(row, 0, "text").unwrap();
        sheet.write(row, 1, row).unwrap();
    }
    book.save_to_buffer().unwrap()
}

fn parts(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let count = zip.len();
    let part = |index| {
        let mut entry = zip.by_index(index).unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (entry.name().unwrap().into_owned(), content)
    };
    (0..count).map(part).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_workbooks_end(
        cut in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 0..4),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = small();
        for (place, mask) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= mask;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read(&bytes);
    }

    /// Behind a right checksum, damage reaches the readers of XML.
    #[test]
    fn workbooks_with_damaged_xml_end(
        part in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"<>/\"'=&;!-[0A9 \xff"[..])), 1..4),
    ) {
        let mut parts = parts(&small());
        let part = part.index(parts.len());
        let content = &mut parts[part].1;
        for (place, byte) in damage {
            let place = place.index(content.len());
            content[place] = byte;
        }
        read(&archive(parts));
    }
}
