use std::io::Cursor;

use super::{
    super::tests::{read, read_lone},
    document,
    laws::{Decoder, rows_of, whole},
    lines,
};
use crate::{
    decode::{Format, Hints, MAX_ROW_BYTES, records},
    import::FileError,
    language::Language,
};

#[test]
fn documents_read_as_rows() {
    let table: [(&str, &[&str]); 29] = [
        ("[]", &[]),
        ("[{\"a\": 1, \"b\": \"x\"},\r\n {}]", &["1@1: 1|x", "2@2: "]),
        (
            "{\"data\": [{\"a\": null, \"b\": [true]}]}",
            &["1@1: null|[true]"],
        ),
        (
            "{\"x\": [{\"data\": [1]}],\n\"d\\u0061ta\":\n[\n{\"a\": 1}] , \"y\": \"]}\"}\n",
            &["1@4: 1"],
        ),
        ("[1, {\"a\": 1}]", &["1@1: NotAnObject", "2@1: 1"]),
        (
            "[{\"a\": 1, \"a\": 2}, {\"a\": 3}]",
            &["1@1: DuplicateKey", "2@1: 3"],
        ),
        (
            "[{\"a\": 1, \"\\u0061\": 2}, {\"a\": {\"b\": 1, \"b\": 2}}]",
            &["1@1: DuplicateKey", "2@1: DuplicateKey"],
        ),
        (
            "[{\"a\": \"\\ud83d\"}, {\"\\udc00\": [\"\\ud83d\\ude00\"]}, {\"a\": [\"\\ud83dx\"]}]",
            &[
                "1@1: LoneSurrogate",
                "2@1: LoneSurrogate",
                "3@1: LoneSurrogate",
            ],
        ),
        ("{\n\"rows\": []}", &["json_shape"]),
        ("{\n\"data\": 1}", &["json_shape"]),
        ("{\n\"data\": {}}", &["json_shape"]),
        ("{\n}", &["json_shape"]),
        ("{\"data\": [{}], \"data\": []}", &["1@1: ", "JsonShape"]),
        // Objects that are each spread over lines.
        ("{\n\"a\": 1\n}\n{\n\"a\": 2\n}\n", &["json_shape"]),
        ("[{\"a\": 1}", &["1@1: 1", "JsonCut { line: 1 }"]),
        (
            "[{\"a\": 1},\n{\"a\": \"",
            &["1@1: 1", "JsonCut { line: 2 }"],
        ),
        (
            "[{\"a\": 1}] x",
            &["1@1: 1", "Json { line: 1, column: 12 }"],
        ),
        (
            "[{\"a\": 1}]\n[]",
            &["1@1: 1", "Json { line: 2, column: 1 }"],
        ),
        (
            "[{\"é\": 1},\n\n {\"é\" 2}, {}]",
            &["1@1: 1", "Json { line: 3, column: 7 }"],
        ),
        ("[{\"a\": NaN}]", &["Json { line: 1, column: 8 }"]),
        ("[{\"a\": 01}]", &["Json { line: 1, column: 9 }"]),
        ("[{\"a\": 1,}]", &["Json { line: 1, column: 10 }"]),
        ("[{},]", &["1@1: ", "Json { line: 1, column: 5 }"]),
        ("[,{}]", &["Json { line: 1, column: 2 }"]),
        ("[{\"a\": \"\n\"}]", &["Json { line: 1, column: 9 }"]),
        ("[{\"a\": \"\\x\"}]", &["Json { line: 1, column: 10 }"]),
        ("{\"data\": [{}]", &["1@1: ", "JsonCut { line: 1 }"]),
        (
            "{\"data\": [{}], }",
            &["1@1: ", "Json { line: 1, column: 16 }"],
        ),
        (
            "{\"data\": [{}]]",
            &["1@1: ", "Json { line: 1, column: 14 }"],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn lines_read_as_rows_and_a_broken_one_leaves_its_neighbors() {
    let table: [(&str, &[&str]); 12] = [
        ("{\"a\":1}", &["1@1: 1"]),
        ("{}\n{}", &["1@1: ", "2@2: "]),
        (
            "\n{\"a\":1}\r\n \t\r\n\n  {\"a\":2}  \r\n",
            &["1@2: 1", "2@5: 2"],
        ),
        (
            "{\"a\":1}\n{\"é\" 1}\n{\"a\":3}\n",
            &["1@1: 1", "2@2: InvalidJson { column: 6 }", "3@3: 3"],
        ),
        (
            "{a:1}\n{\"a\":2}\n",
            &["1@1: InvalidJson { column: 2 }", "2@2: 2"],
        ),
        (
            "{\"a\":1}\n{\"a\":2}{\"a\":3}\n{\"a\":4}",
            &["1@1: 1", "2@2: InvalidJson { column: 8 }", "3@3: 4"],
        ),
        (
            "{\"a\":1}\n{\"a\":\n2}\n",
            &[
                "1@1: 1",
                "2@2: InvalidJson { column: 5 }",
                "3@3: InvalidJson { column: 2 }",
            ],
        ),
        (
            "{}\n[1]\n2\n{\"a\":1,\"a\":1}\n\"\\ud800\"\n{\"a\":\"\\ud800\"}",
            &[
                "1@1: ",
                "2@2: NotAnObject",
                "3@3: NotAnObject",
                "4@4: DuplicateKey",
                "5@5: NotAnObject",
                "6@6: LoneSurrogate",
            ],
        ),
        (
            "{\"data\":[1]}\n{\"data\":[2]}\n",
            &["1@1: [1]", "2@2: [2]"],
        ),
        ("{\"a\":{\"data\":[{}]}}\n", &["1@1: {\"data\":[{}]}"]),
        (
            "{\"a\":1}\n{\"a\":",
            &["1@1: 1", "2@2: InvalidJson { column: 5 }"],
        ),
        ("\u{feff}{\"a\":1}\n{\"a\":2}", &["1@1: 1", "2@2: 2"]),
    ];
    for (text, expected) in table {
        assert_eq!(read(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn a_lone_object_is_one_row_where_that_is_asked_for() {
    let table: [(&str, &[&str]); 26] = [
        (
            "{\n\"a\": 1,\n\"b\": {\"c\": [2]}\n}\n",
            &["1@1: 1|{\"c\":[2]}"],
        ),
        ("\u{feff} \n\n{\"a\":\n1}", &["1@3: 1"]),
        ("{\"a\": 1}", &["1@1: 1"]),
        ("{\n}", &["1@1: "]),
        ("{}", &["1@1: "]),
        ("{\n\"a\": 1, \"a\": 2}", &["1@1: DuplicateKey"]),
        ("{\n\"a\": [{\"b\": 1, \"b\": 2}]}", &["1@1: DuplicateKey"]),
        ("{\n\"a\": \"\\ud83d\"}", &["1@1: LoneSurrogate"]),
        // An array under `data` holds the rows here too, and nothing else under it does.
        (
            "{\n\"data\": [{\"a\": 1},\n{\"a\": 2}]}",
            &["1@2: 1", "2@3: 2"],
        ),
        ("{\n\"d\\u0061ta\": [{}]}", &["1@2: "]),
        // With other members, it is one of them.
        ("{\"a\": 1,\n\"data\": [{}]}", &["1@1: 1|[{}]"]),
        (
            "{\n\"data\": [{\"a\": 1}], \"b\": 1}",
            &["1@2: 1", "JsonShape"],
        ),
        ("{\n\"data\": 1}", &["1@1: 1"]),
        ("{\n\"data\": {\"data\": []}}", &["1@1: {\"data\":[]}"]),
        ("{\n\"data\": 1, \"data\": []}", &["1@1: DuplicateKey"]),
        ("{\n\"a\": {\"data\": [{}]}}", &["1@1: {\"data\":[{}]}"]),
        // What has always been rows still is.
        ("[{\"a\": 1}, {\"a\": 2}]", &["1@1: 1", "2@1: 2"]),
        ("{\"a\": 1}\n{\"a\": 2}\n", &["1@1: 1", "2@2: 2"]),
        // What is broken is, and neither the first of several is read nor the last.
        (
            "{\n\"a\": 1}\n{\n\"a\": 2}\n",
            &["Json { line: 3, column: 1 }"],
        ),
        (
            "{\n\"a\": 1},\n{\"a\": 2}",
            &["Json { line: 2, column: 8 }"],
        ),
        ("{\"a\": 1} junk", &["Json { line: 1, column: 10 }"]),
        ("{\"a\": 1}{\"a\": 2}", &["Json { line: 1, column: 9 }"]),
        ("{\n\"a\": 1,\n}", &["Json { line: 3, column: 1 }"]),
        ("{\n\"\u{e9}\": \"\n\"}", &["Json { line: 2, column: 7 }"]),
        ("{\n\"a\": 1", &["JsonCut { line: 2 }"]),
        ("[1]", &["1@1: NotAnObject"]),
    ];
    for (text, expected) in table {
        assert_eq!(read_lone(text.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn a_lone_object_may_be_longer_than_what_its_format_is_told_from() {
    // As pretty-printers write it, on one line, and as the first line of many.
    let row = |bytes: usize| format!("{{\n\"a\":\"{}\"}}", "x".repeat(bytes - 9));
    let one_line = |bytes: usize| row(bytes).replace('\n', " ");
    let begins = |text: &str| {
        let rows = read_lone(text.as_bytes());
        let begin = |row: &String| row.trim_end_matches('x').to_owned();
        rows.iter().map(begin).collect::<Vec<_>>()
    };
    let cells = |n: u64| format!("{n}@{n}: ");
    for bytes in [64 * 1024, 64 * 1024 + 1, 200_000, MAX_ROW_BYTES] {
        assert_eq!(begins(&row(bytes)), [cells(1)], "{bytes}");
        assert_eq!(begins(&one_line(bytes)), [cells(1)], "{bytes}");
        let two = format!("{0}\n{0}\n", one_line(bytes));
        assert_eq!(begins(&two), [cells(1), cells(2)], "{bytes}");
        let spread = format!("{0}\n{0}\n", row(bytes));
        assert_eq!(begins(&spread), ["Json { line: 3, column: 1 }"], "{bytes}");
        let junk = format!("{} x", one_line(bytes));
        let column = bytes + 2;
        assert_eq!(
            begins(&junk),
            [format!("Json {{ line: 1, column: {column} }}")]
        );
    }
    let over = "JsonRowTooLong { row: 1, line: 2, limit";
    let one_over = row(MAX_ROW_BYTES + 1);
    assert!(begins(&format!("\n{one_over}"))[0].starts_with(over));
    let many = "\n\"k\": 1,".repeat(MAX_ROW_BYTES / 8);
    assert!(begins(&format!("\n{{{many}\n\"z\": 1}}"))[0].starts_with(over));
}

#[test]
fn a_lone_object_may_have_as_many_levels_as_any_row() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let row = |levels: usize| format!("{{\n\"a\": {}}}", nested(levels));
    assert!(read_lone(row(31).as_bytes())[0].starts_with("1@1: [[["));
    assert_eq!(read_lone(row(32).as_bytes()), ["1@1: TooDeep"]);
    for levels in [33, 200_000] {
        let too_deep = "JsonTooDeep { line: 2, column: 38, limit: 32 }";
        assert_eq!(read_lone(row(levels).as_bytes()), [too_deep]);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_named_by_their_line() {
    let table: [(Decoder, &[u8]); 4] = [
        (lines::records, b"{\"a\":1}\n{\"a\":\"\xff\"}\n"),
        (document::records, b"[\n{\"a\":\"\xff\"}]"),
        (document::records, b"{\"data\":[],\n\"x\": \"\xff\"}"),
        (document::records, b"{\n\"\xff\": 1,\"data\":[]}"),
    ];
    for (read, bytes) in table {
        let (_, error) = rows_of(read(Box::new(Cursor::new(bytes.to_vec()))));
        assert_eq!(error, Some(FileError::NotUtf8 { line: 2 }), "{bytes:?}");
    }
}

#[test]
fn a_document_is_told_from_lines_by_content_and_then_by_name() {
    let long = "x".repeat(70_000);
    let cut = format!("{{\"a\": \"{long}\"}}\n{{\"a\": 2}}\n");
    let table: [(&str, &str, Format); 20] = [
        ("[{}]", "rows.ndjson", Format::Json),
        ("[{}]", "rows.csv", Format::Json),
        ("[]", "rows.csv", Format::Json),
        ("[id],name\n", "rows.csv", Format::Csv),
        ("{id},name\n", "rows.CSV.gz", Format::Csv),
        ("[id],name\n", "rows.json", Format::Json),
        ("{\"a\": 1}\n", "", Format::Ndjson),
        ("{\"a\": 1}\n{\"a\": 2}\n", "rows.json", Format::Ndjson),
        ("{\"a\": 1} {\"a\": 2}\n", "rows.json", Format::Json),
        ("{\"a\": 1} {\"a\": 2}\n", "rows.jsonl", Format::Ndjson),
        ("{\"data\": []}\n", "", Format::Json),
        ("{\"data\": []}\n", "rows.ndjson", Format::Ndjson),
        ("{\"data\": 1}\n", "", Format::Ndjson),
        ("{\n\"data\": []\n}\n", "rows.ndjson", Format::Json),
        ("{\"a\": 1,}\n", "rows.json", Format::Json),
        ("{\"a\": 1,}\n", "rows.jsonl.gz", Format::Ndjson),
        ("{\"a\": 1,}\n\n {\"a\": 2}", "rows.json", Format::Ndjson),
        (&cut, "rows.ndjson", Format::Ndjson),
        (&cut, "rows.json", Format::Json),
        (&cut, "", Format::Json),
    ];
    for (text, filename, expected) in table {
        let hints = Hints {
            filename: filename.to_owned(),
            ..Hints::default()
        };
        let shown = text.get(..40).unwrap_or(text);
        match records(Cursor::new(text.to_owned()), &hints) {
            Ok(records) => assert_eq!(records.found.format, expected, "{shown:?} {filename}"),
            Err(error) => {
                let code = error.code();
                assert!(code.contains("json"), "{shown:?} {filename}: {code}");
                assert_eq!(expected, Format::Json, "{shown:?} {filename}");
            }
        }
    }
}

#[test]
fn deep_nesting_is_refused_without_a_stack_overflow() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let too_deep = "JsonTooDeep { line: 1, column: 34, limit: 32 }";
    assert_eq!(read(nested(200_000).as_bytes()), [too_deep]);
    let row = |levels: usize| format!("{{\"a\": {}}}", nested(levels));
    assert_eq!(read(format!("[{}]", row(31)).as_bytes()).len(), 1);
    assert!(read(format!("[{}]", row(31)).as_bytes())[0].starts_with("1@1: [[["));
    assert!(read(format!("[{}]", row(32)).as_bytes())[0].starts_with("JsonTooDeep"));
    let beside = format!("{{\"x\": {},\n\"data\": []}}", nested(33));
    assert_eq!(read(beside.as_bytes()), ["json_too_deep"]);
    let lines = format!("{}\n{}\n{}\n{{}}\n", row(31), row(32), row(200_000));
    let rows = read(lines.as_bytes());
    assert!(rows[0].starts_with("1@1: [[["));
    assert_eq!(rows[1..], ["2@2: TooDeep", "3@3: TooDeep", "4@4: "]);
}

#[test]
fn a_row_has_a_limit_that_is_named_with_its_place() {
    let row = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    let (most, over) = (row(MAX_ROW_BYTES), row(MAX_ROW_BYTES + 1));
    assert_eq!(read(format!("[{most},{most}]").as_bytes()).len(), 2);
    let rows = read(format!("[{{}},\n\n{over}]").as_bytes());
    assert_eq!(rows[1], "JsonRowTooLong { row: 2, line: 3, limit: 1024 }");
    let rows = read(format!("{{}}\n{most}\r\n{most}").as_bytes());
    assert_eq!(rows.len(), 3);
    assert!(rows[2].starts_with("3@3: xxx"));
    for end in ["", "\n", "\r\n"] {
        let rows = read(format!("{{}}\n{over}{end}").as_bytes());
        assert_eq!(rows[1], "RowTooLong { line: 2, limit: 1024 }", "{end:?}");
    }
    let beside = format!(
        "{{\"data\":[],\n\"x\":[{}1]}}",
        format!("{most},").repeat(3)
    );
    assert_eq!(read(beside.as_bytes()), [] as [&str; 0]);
    let beside = format!("{{\"data\":[],\n\"x\":{over}}}");
    assert_eq!(read(beside.as_bytes()), [] as [&str; 0]);
    let text = "x".repeat(MAX_ROW_BYTES);
    let beside = format!("{{\"data\":[],\n\"x\":[\"{text}\"]}}");
    let too_long = "JsonTextTooLong { line: 2, limit: 1024 }";
    assert_eq!(read(beside.as_bytes()), [too_long]);
}

#[test]
fn no_digit_of_a_number_is_lost() {
    let table = [
        ("0", "0"),
        ("-7", "-7"),
        ("1.10", "1.1"),
        ("1e2", "100.0"),
        ("100E-2", "1.0"),
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "18446744073709551616 (long)"),
        ("-9223372036854775809", "-9223372036854775809 (long)"),
        ("10000000000000000000000", "1e+22"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("0.1000000000000000055", "0.1000000000000000055 (long)"),
        ("1e400", "1e400 (long)"),
        ("-1e-400", "-1e-400 (long)"),
        ("1e99999999999999999999", "1e99999999999999999999 (long)"),
        ("1e-99999999999999999999", "1e-99999999999999999999 (long)"),
        ("0e400", "0.0"),
    ];
    for (number, expected) in table {
        let rows = read(format!("[{{\"a\": {number} }}]").as_bytes());
        assert_eq!(rows, [format!("1@1: {expected}")], "{number}");
        let nested = read(format!("{{\"a\": {{\"b\": [{number}]}}}}").as_bytes());
        let kept = match expected.strip_suffix(" (long)") {
            Some(text) => format!("1@1: {{\"b\":[\"{text}\"]}}"),
            None => format!("1@1: {{\"b\":[{expected}]}}"),
        };
        assert_eq!(nested, [kept], "{number}");
    }
}

#[test]
fn messages_say_where() {
    let message = |text: &str| {
        let (_, error) = rows_of(document::records(whole(text)));
        error.unwrap().message(Language::English)
    };
    insta::assert_snapshot!(message("[{\"a\": x}]"), @"the JSON is broken at line 1, column 8");
    insta::assert_snapshot!(message("[\n{"), @"the JSON ends in the middle, at line 2; send the whole file");
}
