//! A JSON array of objects, or an object with one under `data`.

use std::{collections::HashSet, fmt, io::Read, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{Encoding, Format, Found, MAX_JSON_BYTES, Records};
use crate::{
    import::FileError,
    record::{Malformed, RawRecord, RawValue},
};

/// How many levels a row may have, its own included.
const MAX_DEPTH: usize = 32;

/// Reads a JSON document of at most [`MAX_JSON_BYTES`].
pub(super) fn records(reader: impl Read + Send + 'static) -> Result<Records, FileError> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_JSON_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(FileError::unreadable)?;
    if bytes.len() as u64 > MAX_JSON_BYTES {
        let limit = MAX_JSON_BYTES / (1024 * 1024);
        return Err(FileError::JsonTooLarge { limit });
    }
    let document: Document = serde_json::from_slice(&bytes).map_err(explain)?;
    let raw = |(index, row): (usize, Row)| RawRecord {
        row: index as u64 + 1,
        line: None,
        malformed: row.malformed,
        values: row.values,
    };
    let rows: Vec<_> = document.0.into_iter().enumerate().map(raw).collect();
    Ok(Records {
        found: Found {
            format: Format::Json,
            encoding: Some(Encoding::Utf8),
            delimiter: None,
            gzip: false,
        },
        header: None,
        rows: Box::new(rows.into_iter().map(Ok)),
    })
}

/// A parser's message without the document's content.
fn explain(error: serde_json::Error) -> FileError {
    match error.classify() {
        serde_json::error::Category::Data => FileError::JsonShape { depth: MAX_DEPTH },
        _ => FileError::Json {
            line: error.line(),
            column: error.column(),
        },
    }
}

/// The rows of `[…]` or `{"data": […]}`.
struct Document(Vec<Row>);

#[derive(Deserialize)]
struct Wrapped {
    data: Vec<Row>,
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DocumentVisitor;
        impl<'de> Visitor<'de> for DocumentVisitor {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<Document, A::Error> {
                let rows = serde::de::value::SeqAccessDeserializer::new(array);
                Vec::deserialize(rows).map(Document)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Document, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                Wrapped::deserialize(map).map(|wrapped| Document(wrapped.data))
            }
        }
        deserializer.deserialize_any(DocumentVisitor)
    }
}

/// One element of the array, whatever it is.
#[derive(Default)]
struct Row {
    values: Vec<(Arc<str>, RawValue)>,
    malformed: Option<Malformed>,
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut duplicate = false;
        let value = Strict {
            duplicate: &mut duplicate,
            depth: MAX_DEPTH,
        }
        .deserialize(deserializer)?;
        Ok(match value {
            _ if duplicate => Self {
                malformed: Some(Malformed::DuplicateKey),
                ..Self::default()
            },
            Value::Object(object) => Self {
                values: object
                    .into_iter()
                    .map(|(key, value)| (key.into(), value.into()))
                    .collect(),
                malformed: None,
            },
            _ => Self {
                malformed: Some(Malformed::NotAnObject),
                ..Self::default()
            },
        })
    }
}

/// Reads a JSON value of limited depth and notes whether an object in it names a key twice.
struct Strict<'a> {
    duplicate: &'a mut bool,
    /// Levels that may still be opened.
    depth: usize,
}

impl Strict<'_> {
    /// For the values one level down.
    fn inner<E: Error>(&mut self) -> Result<Strict<'_>, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Strict {
                duplicate: self.duplicate,
                depth,
            }),
            None => Err(E::custom("nested too deeply")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<Value, E> {
        Ok(boolean.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = array.next_element_seed(self.inner()?)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.inner()?)?;
            *self.duplicate |= !keys.insert(key.clone());
            object.insert(key, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;

    #[test]
    fn documents_read_as_rows() {
        let table: [(&str, &[&str]); 11] = [
            ("[]", &[]),
            ("[{\"a\": 1, \"b\": \"x\"}, {}]", &["1: 1|x", "2: "]),
            (
                "{\"data\": [{\"a\": null, \"b\": [true]}]}",
                &["1: null|[true]"],
            ),
            ("[1, {\"a\": 1}]", &["1: NotAnObject", "2: 1"]),
            (
                "[{\"a\": 1, \"a\": 2}, {\"a\": 3}]",
                &["1: DuplicateKey", "2: 3"],
            ),
            ("[{\"a\": {\"b\": 1, \"b\": 2}}]", &["1: DuplicateKey"]),
            ("{\"rows\": []}", &["json_shape"]),
            ("{\"data\": 1}", &["json_shape"]),
            ("[{\"a\": 1}", &["invalid_json"]),
            ("[{\"a\": 1}] x", &["invalid_json"]),
            ("[{\"a\": NaN}]", &["invalid_json"]),
        ];
        for (text, expected) in table {
            assert_eq!(read(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_without_a_stack_overflow() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(read(deep.as_bytes()), ["json_shape"]);
        let row =
            |levels: usize| format!("[{{\"a\": {}{}}}]", "[".repeat(levels), "]".repeat(levels));
        assert!(read(row(31).as_bytes())[0].starts_with("1: "));
        assert_eq!(read(row(32).as_bytes()), ["json_shape"]);
    }
}
