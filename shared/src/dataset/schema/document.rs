//! The schema as a JSON document, its members in the order in which people read them.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::super::{Dataset, EventFormat, Field, FieldType, Format};
use crate::{
    identity::MAX_PART_BYTES,
    language::{Language, Text},
    record::MAX_TEXT_CHARS,
};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Where `$defs` has the ISO 3166-1 codes.
const COUNTRY: &str = "#/$defs/country";
/// A text with something to see in it.
const NOT_BLANK: &str = r"\S";

const TYPE: &str = "What the event is about.";
const ACTION: &str = "What happened, as the sender sees it. Each of them adds a customer who is new and changes one who is known.";
const VERSION: &str = "The version of this format: a number, not a text.";
const BODY: &str = "What is known of the customer. Members that are not listed are allowed.";

/// The keywords that are used, at any level.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Schema {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    draft: Option<&'static str>,
    #[serde(rename = "$id", skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    any_of: Option<Vec<Schema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<Type>,
    #[serde(rename = "const", skip_serializing_if = "Option::is_none")]
    constant: Option<Box<RawValue>>,
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    values: Option<Vec<Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Box<Schema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_items: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    required: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Members<Schema>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examples: Vec<Box<RawValue>>,
    #[serde(rename = "$defs", skip_serializing_if = "Option::is_none")]
    definitions: Option<Members<Schema>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Type {
    One(&'static str),
    /// Null says that there is no value, so what may be missing may be null.
    OrNull([&'static str; 2]),
}

/// An object that keeps its order.
struct Members<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for Members<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Example<'e> {
    event_type: &'e str,
    event_action: Option<&'e String>,
    version: f64,
    body: Members<Box<RawValue>>,
}

/// The schema of a dataset's events, as it is published.
pub(super) fn of_events(
    dataset: &Dataset,
    event: &EventFormat,
) -> Result<String, serde_json::Error> {
    let envelope = envelope(dataset, event)?;
    let schema = Schema {
        draft: Some(DRAFT),
        // A name, not an address: every deployment serves it under its own.
        id: Some(format!("urn:clientele:schema:{}", dataset.name())),
        title: Some(format!("{} event", event.r#type)),
        description: Some(english(dataset.description())),
        r#type: Some(Type::One("object")),
        required: Some(envelope.iter().map(|(name, _)| name.clone()).collect()),
        properties: Some(Members(envelope)),
        examples: vec![event_example(dataset, event)?],
        definitions: uses_countries(dataset.fields())
            .then(|| Members(vec![("country".to_owned(), countries())])),
        ..Schema::default()
    };
    serde_json::to_string_pretty(&schema)
}

fn envelope(
    dataset: &Dataset,
    event: &EventFormat,
) -> Result<Vec<(String, Schema)>, serde_json::Error> {
    let described = |text: &str| Schema {
        description: Some(text.to_owned()),
        ..Schema::default()
    };
    let of_type = Schema {
        constant: Some(to_raw_value(&event.r#type)?),
        ..described(TYPE)
    };
    let action = Schema {
        values: Some(event.actions.iter().cloned().map(Some).collect()),
        ..described(ACTION)
    };
    let version = Schema {
        r#type: Some(Type::One("number")),
        constant: Some(to_raw_value(&event.version)?),
        ..described(VERSION)
    };
    let body = Schema {
        description: Some(BODY.to_owned()),
        ..object(sent(dataset))?
    };
    let members = [
        ("eventType", of_type),
        ("eventAction", action),
        ("version", version),
        ("body", body),
    ];
    Ok(Vec::from(
        members.map(|(name, schema)| (name.to_owned(), schema)),
    ))
}

/// An event with every field's example.
fn event_example(
    dataset: &Dataset,
    event: &EventFormat,
) -> Result<Box<RawValue>, serde_json::Error> {
    let values = sent(dataset).map(|field| Ok((field.name.clone(), example(field)?)));
    to_raw_value(&Example {
        event_type: &event.r#type,
        event_action: event.actions.first(),
        version: event.version,
        body: Members(values.collect::<Result<_, serde_json::Error>>()?),
    })
}

/// The fields that events may have.
pub(super) fn sent(dataset: &Dataset) -> impl Iterator<Item = &Field> + Clone {
    own(dataset.fields())
}

/// Those of some fields that senders fill.
fn own(fields: &[Field]) -> impl Iterator<Item = &Field> + Clone {
    fields.iter().filter(|field| !field.autogenerated)
}

fn english(text: &Text) -> String {
    text.in_language(Language::English).to_owned()
}

/// An object of fields. Members that are no fields are allowed.
fn object<'f>(
    fields: impl Iterator<Item = &'f Field> + Clone,
) -> Result<Schema, serde_json::Error> {
    let required = fields.clone().filter(|field| field.required);
    let properties = fields.map(|field| Ok((field.name.clone(), property(field)?)));
    Ok(Schema {
        r#type: Some(Type::One("object")),
        required: Some(required.map(|field| field.name.clone()).collect()),
        properties: Some(Members(
            properties.collect::<Result<_, serde_json::Error>>()?,
        )),
        ..Schema::default()
    })
}

fn property(field: &Field) -> Result<Schema, serde_json::Error> {
    Ok(Schema {
        description: Some(english(&field.description)),
        examples: vec![example(field)?],
        ..constraints(field)?
    })
}

/// What a field's values have to be.
fn constraints(field: &Field) -> Result<Schema, serde_json::Error> {
    let of_type = |name| Schema {
        r#type: Some(match field.required {
            true => Type::One(name),
            false => Type::OrNull([name, "null"]),
        }),
        ..Schema::default()
    };
    let with_format = |format| Schema {
        format: Some(format),
        ..of_type("string")
    };
    Ok(match field.r#type {
        FieldType::String if field.format == Some(Format::Country) => country(field.required),
        FieldType::String => Schema {
            min_length: field.required.then_some(1),
            max_length: Some(max_chars(field)),
            pattern: field.required.then_some(NOT_BLANK),
            ..of_type("string")
        },
        FieldType::Integer => of_type("integer"),
        FieldType::Float => of_type("number"),
        FieldType::Boolean => of_type("boolean"),
        FieldType::Date => with_format("date"),
        FieldType::Datetime => with_format("date-time"),
        FieldType::Enum => {
            let values = field.values.iter().cloned().map(Some);
            let unset = (!field.required).then_some(None);
            Schema {
                values: Some(values.chain(unset).collect()),
                ..Schema::default()
            }
        }
        FieldType::Json => Schema::default(),
        FieldType::List => Schema {
            items: Some(Box::new(object(own(&field.fields))?)),
            max_items: field.max_items,
            ..of_type("array")
        },
    })
}

fn country(required: bool) -> Schema {
    let known = Schema {
        reference: Some(COUNTRY),
        ..Schema::default()
    };
    let none = Schema {
        r#type: Some(Type::One("null")),
        ..Schema::default()
    };
    match required {
        true => known,
        false => Schema {
            any_of: Some(vec![known, none]),
            ..Schema::default()
        },
    }
}

/// The longest text of a field, in characters.
pub(super) fn max_chars(field: &Field) -> usize {
    match field.identity {
        // In bytes, in truth, which a schema cannot count: the record's check does.
        Some(_) => MAX_PART_BYTES,
        None => MAX_TEXT_CHARS,
    }
}

fn uses_countries(fields: &[Field]) -> bool {
    let mut fields = fields.iter();
    fields.any(|f| f.format == Some(Format::Country) || uses_countries(&f.fields))
}

fn countries() -> Schema {
    let all = celes::Country::get_countries();
    let codes: BTreeSet<&str> = all.iter().map(|country| country.alpha2).collect();
    Schema {
        description: Some("The alpha-2 codes of ISO 3166-1.".to_owned()),
        values: Some(
            codes
                .into_iter()
                .map(|code| Some(code.to_owned()))
                .collect(),
        ),
        ..Schema::default()
    }
}

/// A field's example as JSON: the file has it as a csv file would.
fn example(field: &Field) -> Result<Box<RawValue>, serde_json::Error> {
    match field.r#type {
        FieldType::String | FieldType::Enum | FieldType::Date | FieldType::Datetime => {
            to_raw_value(&field.example)
        }
        FieldType::Integer
        | FieldType::Float
        | FieldType::Boolean
        | FieldType::Json
        | FieldType::List => RawValue::from_string(field.example.clone()),
    }
}
