//! Unusual dialects, and quotes too many.

use std::io::{Cursor, Read};

use proptest::prelude::*;

use super::super::{
    Hints, records,
    tests::{read, read_mending},
};
use crate::record::RawValue;

#[test]
fn a_space_may_follow_each_delimiter() {
    let table: [(&str, &[&str]); 6] = [
        (
            "a, b, c\n1, \"x, y\", 3\n4, \"\"\"5\"\"\", \n",
            &["1@2: 1|x, y|3", "2@3: 4|\"5\"|"],
        ),
        (
            "a; b\r\n1; \"x; y\r\nz\"\r\n\r\n2; 3\r\n",
            &["1@2: 1|x; y\r\nz", "2@5: 2|3"],
        ),
        (
            "a, b\n1, \"x, y\"\n2\n",
            &["1@2: 1|x, y", "2@3: Ragged { expected: 2, found: 1 }"],
        ),
        // RFC 4180: spaces belong to a cell.
        ("a, b\n1, 2\n", &["1@2: 1| 2"]),
        ("a, b\n1, 2\n3, \"4\"\n", &["1@2: 1|2", "2@3: 3|4"]),
        ("a,b\n1,\"x, y\"\n2, 3\n", &["1@2: 1|x, y", "2@3: 2| 3"]),
    ];
    for (text, expected) in table {
        assert_eq!(read(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn quotes_may_be_single() {
    let table: [(&str, &[&str]); 7] = [
        (
            "'a','b'\n'1','x, y'\n'2','x\ny'\n'3','5\" pipe'\n",
            &["1@2: 1|x, y", "2@3: 2|x\ny", "3@5: 3|5\" pipe"],
        ),
        (
            "a;b\n1;'Côte d''Ivoire; sud'\n2;x\n",
            &["1@2: 1|Côte d'Ivoire; sud", "2@3: 2|x"],
        ),
        // Its quotes make no sense, but there is one way to read it.
        (
            "a,b\n1,'x, y'\n2,'s, t'\n3,'O'Neil, Ann'\n",
            &["1@2: 1|x, y", "2@3: 2|s, t", "3@4: 3|O'Neil, Ann"],
        ),
        (
            "a,b\n1,'x, y'\n2,'s, t'\n3,'z, w\n",
            &["1@2: 1|x, y", "2@3: 2|s, t", "UnclosedQuote { line: 4 }"],
        ),
        // An apostrophe is none.
        ("a,b\n'tis,x\n'twas,y\n", &["1@2: 'tis|x", "2@3: 'twas|y"]),
        (
            "a,b\n'tis,x\n'twas,y\n1\n",
            &[
                "1@2: 'tis|x",
                "2@3: 'twas|y",
                "3@4: Ragged { expected: 2, found: 1 }",
            ],
        ),
        (
            "a,b\n\"1\",'x\n2,y'\n3\n",
            &[
                "1@2: 1|'x",
                "2@3: 2|y'",
                "3@4: Ragged { expected: 2, found: 1 }",
            ],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn quotes_may_be_escaped_with_a_backslash() {
    let table: [(&str, &[&str]); 4] = [
        (
            "a,b\n\"5\\\" pipe, long\",1\n\"C:\\new\",2\n\"x\\\\\",3\n",
            &["1@2: 5\" pipe, long|1", "2@3: C:\\new|2", "3@4: x\\|3"],
        ),
        (
            "a;b\n\"5\\\"; pipe\";1\n\"x\"\"y\";2\n",
            &["1@2: 5\"; pipe|1", "2@3: x\"y|2"],
        ),
        // RFC 4180: a backslash is a letter.
        (
            "a,b\n\"C:\\\",1\n\"x\\\"\"y\",2\n",
            &["1@2: C:\\|1", "2@3: x\\\"y|2"],
        ),
        ("a,b\n\\,1\n", &["1@2: \\|1"]),
    ];
    for (text, expected) in table {
        assert_eq!(read(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn a_line_with_a_stray_quote_is_shown_as_it_stands() {
    let table: [(&str, &[&str]); 9] = [
        (
            "a,b,c\n1,\"x,2\n3,\"y\",4\n",
            &["1@2: 1|\"x|2", "2@3: 3|y|4"],
        ),
        (
            "a,b\n1,\"\n2,\"x\"\n3,y\n",
            &["1@2: 1|\"", "2@3: 2|x", "3@4: 3|y"],
        ),
        ("a,b\r\n1,2\r\n3,\"4", &["1@2: 1|2", "2@3: 3|\"4"]),
        ("a,b\n\"\"x, y\",1\n", &["1@2: \"x, y|1"]),
        ("a,b\n\"5\" pipe, long\",1\n", &["1@2: 5\" pipe, long|1"]),
        ("a,b\n\"48\"\",\"x\"\n2,3\n", &["1@2: 48\"|x", "2@3: 2|3"]),
        ("\"a,b\n1,\"2\"\n", &["1@2: 1|2"]),
        (
            "a,b\n1,\"x\"y,2\n3,4\n",
            &["1@2: Ragged { expected: 2, found: 3 }", "2@3: 3|4"],
        ),
        // Quotes that make sense stay as they are.
        (
            "a,b\n\"1\n2\",3\n\"\"\"\",5\" pipe\n",
            &["1@2: 1\n2|3", "2@4: \"|5\" pipe"],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read_mending(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn a_record_that_never_ends_is_refused_in_any_dialect() {
    let long = "x\n".repeat(700_000);
    let mending = format!("a,b\n1,\"{long}");
    assert_eq!(
        read_mending(mending.as_bytes()),
        ["RowTooLong { line: 2, limit: 1024 }"]
    );
    let single = format!("'a','b,'\n'1,','2'\n'3','{long}");
    assert_eq!(
        read(single.as_bytes()),
        ["1@2: 1,|2", "RowTooLong { line: 3, limit: 1024 }"]
    );
}

#[test]
fn quotes_that_never_make_sense_take_no_time() {
    let table = [
        // Each line looks well until the end of the file, and is read again and again.
        format!("a,b\n{}", "x\",\"y\n".repeat(150_000)),
        format!("a,b,c\n{}", "\"a,".repeat(300_000)),
        format!("a,b,c\n{}\n\"x", "\"\",\"\"".repeat(150_000)),
        format!("{}\n{}x", "a,".repeat(900), "\"\"\",".repeat(200_000)),
    ];
    for text in table {
        let start = std::time::Instant::now();
        let shown = read_mending(text.as_bytes());
        // Minutes, if it were quadratic.
        assert!(start.elapsed().as_secs() < 20, "{:?}", shown.last());
    }
}

/// A reader that gives one byte at a time.
struct Trickle(Cursor<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(1);
        self.0.read(buffer.get_mut(..length).unwrap_or_default())
    }
}

fn rows(reader: impl Read + Send + 'static, hints: &Hints) -> Result<Vec<Vec<String>>, String> {
    let records = records(reader, hints).map_err(|error| error.code().to_owned())?;
    let header = records.header.unwrap_or_default();
    let mut rows = vec![header.iter().map(|name| name.to_string()).collect()];
    for row in records.rows {
        let values = row.map_err(|error| error.code().to_owned())?.values;
        rows.push(
            values
                .into_iter()
                .map(|(_, value): (_, RawValue)| value.into_cell())
                .collect(),
        );
    }
    Ok(rows)
}

/// Writes cells, each of them quoted.
fn written(rows: &[Vec<String>], delimiter: &str, quote: char, escape: char) -> String {
    let cell = |cell: &String| {
        let mut text = cell.replace('\\', if escape == '\\' { "\\\\" } else { "\\" });
        text = text.replace(quote, &format!("{escape}{quote}"));
        format!("{quote}{text}{quote}")
    };
    let line = |row: &Vec<String>| row.iter().map(cell).collect::<Vec<_>>().join(delimiter);
    rows.iter().map(|row| line(row) + "\r\n").collect()
}

/// A table whose rows do not fall into as many cells as the header where its quotes are overlooked.
fn any_table() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cell = "[a-z,;|'\\\\\r\n é€]{0,6}";
    (2_usize..6).prop_flat_map(move |columns| {
        let row = prop::collection::vec(cell, columns);
        let needy = row.prop_map(|mut row| {
            row[0] = format!("a, , , , , ; ; ; ; ; \\' \"{}", row[0]);
            row
        });
        let header = prop::collection::vec("[a-z]{1,8}", columns);
        (header, prop::collection::vec(needy, 2..8))
            .prop_map(|(header, rows)| std::iter::once(header).chain(rows).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_table_in_an_unusual_dialect_reads_back(
        table in any_table(),
        (delimiter, quote, escape) in prop::sample::select(vec![
            (", ", '"', '"'), ("; ", '"', '"'), (",", '\'', '\''), (";", '\'', '\''),
            (",", '"', '\\'), (";", '"', '\\'), ("\t", '"', '\\'),
        ]),
    ) {
        let text = written(&table, delimiter, quote, escape).into_bytes();
        let whole = rows(Cursor::new(text.clone()), &Hints::default());
        prop_assert_eq!(whole.as_ref(), Ok(&table));
        let trickled = rows(Trickle(Cursor::new(text)), &Hints::default());
        prop_assert_eq!(trickled, whole);
    }

    #[test]
    fn mending_changes_nothing_where_quotes_make_sense(table in any_table()) {
        let text = written(&table, ",", '"', '"').into_bytes();
        let mends = Hints { mends_quotes: true, ..Hints::default() };
        prop_assert_eq!(rows(Cursor::new(text), &mends), Ok(table));
    }

    #[test]
    fn text_with_any_quotes_is_shown(text in "[ab,;'\\\\\" \r\n]{0,80}") {
        let mends = Hints { mends_quotes: true, ..Hints::default() };
        let shown = rows(Cursor::new(text.clone().into_bytes()), &mends);
        prop_assert!(shown.is_ok() || text.trim().is_empty(), "{:?}", shown);
        let _ = rows(Cursor::new(text.into_bytes()), &Hints::default());
    }
}
