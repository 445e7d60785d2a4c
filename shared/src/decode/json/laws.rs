//! What holds for any text and any reader, and the public test suite.

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

use super::{document, lines};
use crate::{
    decode::{Hints, Records, records},
    import::FileError,
    record::{Malformed, RawRecord},
};

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

pub(super) type Reader = Box<dyn Read + Send>;
pub(super) type Decoder = fn(Reader) -> Result<Records, FileError>;

/// Rows as JSON, `Err` with what is wrong with a row, then the file's error.
pub(super) fn rows_of(
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

pub(super) fn whole(text: &str) -> Reader {
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

fn object() -> impl Strategy<Value = Value> {
    let key = prop_oneof![any::<String>(), Just("data".to_owned())];
    let object = prop::collection::btree_map(key, value(), 0..4);
    object.prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn objects() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(object(), 0..5)
}

fn lone() -> Hints {
    Hints {
        lone_object: true,
        ..Hints::default()
    }
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
    fn a_lone_object_reads_back_and_as_nothing_but_one_row(object in object()) {
        prop_assume!(!object["data"].is_array());
        let texts = [object.to_string(), format!(" {object:#}\n")];
        for text in &texts {
            for reader in [whole(text), drip(text)] {
                let read = rows_of(document::records_or_lone_row(reader));
                prop_assert_eq!(read, (vec![Ok(object.clone())], None), "{}", text);
            }
            let told = rows_of(records(whole(text), &lone()));
            prop_assert_eq!(told, (vec![Ok(object.clone())], None), "{}", text);
        }
        let (rows, error) = rows_of(document::records_or_lone_row(whole(&texts[1].repeat(2))));
        prop_assert_eq!(rows, []);
        prop_assert_eq!(error.map(|error| error.code()), Some("invalid_json"));
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
    let lone = document::records_or_lone_row(endless("{\"a\": \"", "xyz"));
    assert_eq!(code(lone), "row_too_long");
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
        let whole = || Cursor::new(bytes.clone());
        for read in [document::records, document::records_or_lone_row] {
            let (_, error) = rows_of(read(whole()));
            let code = error.map(|error| error.code());
            let right = match name.get(..2) {
                Some("y_") => matches!(code, None | Some("json_shape")),
                Some("n_") => code.is_some(),
                _ => true,
            };
            if !right {
                wrong.push((name.clone(), code));
            }
        }
        // The same by way of the file's beginning, which must not panic.
        for hints in [Hints::default(), lone()] {
            let (rows, error) = rows_of(records(whole(), &hints));
            let taken = error.is_none() && !rows.is_empty() && rows.iter().all(Result::is_ok);
            if taken && name.starts_with("n_") {
                wrong.push((name.clone(), None));
            }
        }
        sound += usize::from(name.starts_with("y_"));
        broken += usize::from(name.starts_with("n_"));
    }
    assert_eq!(wrong, []);
    assert!((sound, broken) == (95, 188) || sound + broken == 0);
    for (_, bytes) in vectors("test_transform") {
        let whole = || Cursor::new(bytes.clone());
        let _ = rows_of(document::records(whole()));
        for hints in [Hints::default(), lone()] {
            let _ = rows_of(records(whole(), &hints));
        }
    }
}
