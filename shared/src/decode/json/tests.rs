use std::{
    io::{self, Cursor, Read},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{super::tests::read, document, lines};
use crate::{
    decode::{Format, Hints, MAX_ROW_BYTES, Records, records},
    import::FileError,
    language::Language,
    record::{Malformed, RawRecord},
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
    let long = "x".repeat(10_000);
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
    let beside = format!("{{\"data\":[],\n\"x\":\"{over}");
    assert_eq!(read(beside.replace("\\\"", "").as_bytes()).len(), 1);
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

/// A reader that gives a byte at a time and is interrupted before each.
struct Drip(Cursor<Vec<u8>>, bool);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

type Reader = Box<dyn Read + Send>;
type Decoder = fn(Reader) -> Result<Records, FileError>;

/// Rows as JSON, `Err` with what is wrong with a row, then the file's error.
fn rows_of(
    records: Result<Records, FileError>,
) -> (Vec<Result<Value, Malformed>>, Option<FileError>) {
    let mut rows = Vec::new();
    let records = match records {
        Ok(records) => records,
        Err(error) => return (rows, Some(error)),
    };
    for row in records.rows {
        let row: RawRecord = match row {
            Ok(row) => row,
            Err(error) => return (rows, Some(error)),
        };
        assert_eq!(row.row, rows.len() as u64 + 1);
        let values = row.values.into_iter();
        let object = values.map(|(key, value)| (key.to_string(), value.into_json()));
        rows.push(match row.malformed {
            Some(malformed) => Err(malformed),
            None => Ok(object.collect::<Map<_, _>>().into()),
        });
    }
    (rows, None)
}

fn whole(text: &str) -> Reader {
    Box::new(Cursor::new(text.to_owned()))
}

fn drip(text: &str) -> Reader {
    Box::new(Drip(Cursor::new(text.to_owned().into_bytes()), false))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\[\\]{}\",:\\\\ \n\u{e9}\u{1f600}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn objects() -> impl Strategy<Value = Vec<Value>> {
    let object = prop::collection::btree_map(any::<String>(), value(), 0..4);
    let object = object.prop_map(|map| Value::Object(map.into_iter().collect()));
    prop::collection::vec(object, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_written_reads_back(objects in objects(), beside in value()) {
        let array = Value::from(objects.clone());
        let wrapped = json!({"a": beside, "data": objects, "z": beside});
        let lines: String = objects.iter().map(|object| format!("{object}\n")).collect();
        let texts: [(String, Decoder); 5] = [
            (array.to_string(), document::records),
            (format!("{array:#}"), document::records),
            (wrapped.to_string(), document::records),
            (format!("{wrapped:#}"), document::records),
            (lines, lines::records),
        ];
        let expected: Vec<_> = objects.into_iter().map(Ok).collect();
        for (text, read) in texts {
            for reader in [whole(&text), drip(&text)] {
                prop_assert_eq!(&rows_of(read(reader)), &(expected.clone(), None), "{}", text);
            }
        }
    }

    #[test]
    fn a_damaged_document_reads_as_serde_json_says(
        objects in objects(), at in any::<prop::sample::Index>(), byte in "[\\[\\]{}\",:\\\\0-9eE.+tnu \n]"
    ) {
        let mut text: Vec<char> = json!({"a": objects, "data": objects}).to_string().chars().collect();
        let at = at.index(text.len());
        text[at] = byte.chars().next().unwrap();
        let text: String = text.into_iter().collect();
        let (rows, error) = rows_of(document::records(whole(&text)));
        let sound = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        match error {
            None => prop_assert!(sound, "{}", text),
            Some(error) if error.code() == "invalid_json" => prop_assert!(!sound, "{}", text),
            Some(error) => prop_assert_eq!(error.code(), "json_shape"),
        }
        prop_assert_eq!(rows.len(), rows_of(document::records(drip(&text))).0.len());
    }
}

/// Text that is repeated, between a beginning and an end, without being held.
struct Repeated {
    parts: Vec<(&'static [u8], u64)>,
    offset: usize,
    given: Arc<AtomicU64>,
}

impl Repeated {
    fn new(parts: &[(&'static str, u64)]) -> Self {
        let bytes = |(part, times): &(&'static str, u64)| (part.as_bytes(), *times);
        Self {
            parts: parts.iter().map(bytes).collect(),
            offset: 0,
            given: Arc::default(),
        }
    }
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some((part, times)) = self.parts.first_mut() {
            if *times == 0 {
                self.parts.remove(0);
                continue;
            }
            let read = (&part[self.offset..]).read(buffer)?;
            self.given.fetch_add(read as u64, Ordering::Relaxed);
            self.offset += read;
            if self.offset == part.len() {
                self.offset = 0;
                *times -= 1;
            }
            return Ok(read);
        }
        Ok(0)
    }
}

#[test]
fn no_more_of_a_stream_is_read_than_its_rows_so_far_and_a_buffer() {
    const ROWS: u64 = 6_000;
    const BUFFER: u64 = 64 * 1024;
    let row = "{\"external_id\": \"1\", \"name\": \"Ann\", \"phone\": \"+256\"}\n";
    let next = ",{\"external_id\": \"1\", \"name\": \"Ann\", \"phone\": \"+256\"}";
    let table: [(_, _, Decoder); 4] = [
        (
            vec![("[{}", 1), (next, ROWS), ("]", 1)],
            ROWS + 1,
            document::records,
        ),
        (
            vec![("{\"data\":[{}", 1), (next, ROWS), ("]}", 1)],
            ROWS + 1,
            document::records,
        ),
        (
            vec![("{\"x\":[{}", 1), (next, ROWS), ("],\"data\":[{}]}", 1)],
            1,
            document::records,
        ),
        (vec![(row, ROWS)], ROWS, lines::records),
    ];
    for (parts, expected, read) in table {
        let stream = Repeated::new(&parts);
        let given = Arc::clone(&stream.given);
        let records = read(Box::new(stream)).unwrap();
        let before = given.load(Ordering::Relaxed);
        let mut rows = 0;
        for row in records.rows {
            assert!(row.unwrap().malformed.is_none());
            rows += 1;
            let most = before + rows * next.len() as u64 + BUFFER;
            assert!(given.load(Ordering::Relaxed) <= most);
        }
        assert_eq!(rows, expected);
    }
}

#[test]
fn a_stream_without_an_end_is_refused_after_a_row_s_length() {
    let endless = |begin, part| Repeated::new(&[(begin, 1), (part, u64::MAX)]);
    let code = |records: Result<Records, FileError>| {
        let error = rows_of(records).1.map(|error| error.code());
        error.unwrap()
    };
    let table = [
        ("[{\"a\": \"", "xyz", "row_too_long"),
        ("[{\"a\": 1", "0", "row_too_long"),
        ("[{\"a\": 1", " \n", "row_too_long"),
        ("{\"a\": \"", "xyz", "text_too_long"),
        ("[", "[", "json_too_deep"),
    ];
    for (begin, part, expected) in table {
        assert_eq!(code(document::records(endless(begin, part))), expected);
    }
    assert_eq!(code(lines::records(endless("{", " "))), "row_too_long");
}

/// The cases of a folder, or nothing where the vectors are not there.
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
fn vectors(folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = std::env::var_os("CLIENTELE_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors")),
        PathBuf::from,
    );
    let Ok(files) = std::fs::read_dir(root.join("JSONTestSuite").join(folder)) else {
        println!("skipped: no JSONTestSuite in {}", root.display());
        return Vec::new();
    };
    let case = |file: io::Result<std::fs::DirEntry>| {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        (name, std::fs::read(file.path()).unwrap())
    };
    files.map(case).collect()
}

#[test]
fn the_json_test_suite_is_accepted_and_refused_as_it_says() {
    let mut wrong = Vec::new();
    let (mut sound, mut broken) = (0, 0);
    for (name, bytes) in vectors("test_parsing") {
        let (_, error) = rows_of(document::records(Cursor::new(bytes.clone())));
        let error = error.map(|error| error.code());
        // The same by way of the file's beginning, which must not panic.
        let (rows, told) = rows_of(records(Cursor::new(bytes), &Hints::default()));
        let lines_refused = rows.iter().any(Result::is_err) && told.is_none();
        match name.get(..2) {
            Some("y_") => {
                sound += 1;
                if !matches!(error, None | Some("json_shape")) {
                    wrong.push((name, error));
                }
            }
            Some("n_") => {
                broken += 1;
                let table = told.is_none() && !rows.is_empty() && !lines_refused;
                if error.is_none() || table {
                    wrong.push((name, error));
                }
            }
            _ => {}
        }
    }
    assert_eq!(wrong, []);
    assert!((sound, broken) == (95, 188) || sound + broken == 0);
    for (_, bytes) in vectors("test_transform") {
        let _ = rows_of(document::records(Cursor::new(bytes.clone())));
        let _ = rows_of(records(Cursor::new(bytes), &Hints::default()));
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
