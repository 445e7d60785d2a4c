//! Events checked against their schema.

use std::sync::OnceLock;

use jsonschema::{
    Draft, PatternOptions, ValidationError, Validator,
    error::ValidationErrorKind,
    paths::{Location, LocationSegment},
};
use serde_json::Value;
use thiserror::Error;

use super::{
    super::{Dataset, EventFormat, Field, FieldType, Format},
    document::{max_chars, sent},
};
use crate::record::{MAX_RECORD_BYTES, RowErrorCode};

/// Events hold no birth years.
const ANY_YEAR: i16 = 0;
/// The most problems of one event that are told: whoever wrote it will not read more.
const MAX_PROBLEMS: usize = 100;

/// The schema of a dataset's events.
pub struct EventSchema {
    document: String,
    /// Compiled when the first event is checked: whoever only reads the document need not wait.
    validator: OnceLock<Validator>,
    event: EventFormat,
    /// The body's.
    fields: Vec<Field>,
}

/// Why a dataset's file gives no schema.
#[derive(Debug, Error)]
pub enum EventSchemaError {
    /// An example in the file is no JSON.
    #[error("a dataset's schema cannot be written: {0}")]
    Document(#[from] serde_json::Error),
    /// What comes out is no schema.
    #[error("a dataset's schema is none: {0}")]
    Schema(#[from] Box<ValidationError<'static>>),
}

/// One thing that is wrong with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaProblem {
    /// Where, as a JSON Pointer (RFC 6901) such as `/body/addresses/0/zipCode`; of a member that is
    /// missing, where it should be.
    pub path: String,
    /// What is wrong.
    pub code: RowErrorCode,
    /// A limit, a list or a form to follow; never what the event holds.
    pub hint: Option<String>,
}

/// What an event has at a place.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// The event itself.
    Event,
    Type,
    Action,
    Version,
    Body,
    Field(&'a Field),
    /// An element of a list, with these fields.
    Element(&'a [Field]),
    /// Nothing that the schema knows.
    Unknown,
}

fn compile(document: &str) -> Result<Validator, EventSchemaError> {
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        // Draft 2020-12 takes formats for mere notes unless told otherwise.
        .should_validate_formats(true)
        // Of the two engines, the one whose time grows with the text alone.
        .with_pattern_options(PatternOptions::regex())
        .build(&serde_json::from_str(document)?)
        .map_err(Box::new)?;
    Ok(validator)
}

impl EventSchema {
    /// Makes a dataset's schema.
    pub(in crate::dataset) fn new(
        dataset: &Dataset,
        event: &EventFormat,
    ) -> Result<Self, EventSchemaError> {
        Ok(Self {
            document: serde_json::to_string_pretty(&dataset.document(ANY_YEAR)?)?,
            validator: OnceLock::new(),
            event: event.clone(),
            fields: sent(dataset).cloned().collect(),
        })
    }

    #[allow(clippy::panic)] // As with the datasets' files: a test compiles them all.
    fn validator(&self) -> &Validator {
        let make = || compile(&self.document).unwrap_or_else(|error| panic!("{error}"));
        self.validator.get_or_init(make)
    }

    /// The schema as it is published: JSON, for people and validators alike.
    pub fn document(&self) -> &str {
        &self.document
    }

    /// Everything that is wrong with an event, each place once, in the order in which the dataset
    /// has its fields; of an event with more than 100 problems, 100 of them.
    ///
    /// A body larger than a record may be, or with too long a list, is told as that alone: what it
    /// takes to check an event is bounded.
    pub fn problems(&self, event: &Value) -> Vec<SchemaProblem> {
        if event.get("body").map_or(0, size) > MAX_RECORD_BYTES {
            return vec![SchemaProblem {
                path: "/body".to_owned(),
                code: RowErrorCode::RecordTooLarge,
                hint: Some((MAX_RECORD_BYTES / 1024).to_string()),
            }];
        }
        let too_long: Vec<_> = self.too_long_lists(event).collect();
        if !too_long.is_empty() {
            return too_long;
        }
        let errors = self.validator().iter_errors(event);
        let mut found: Vec<_> = errors.map(|error| self.problem(&error)).collect();
        found.sort_by(|(order, _), (other, _)| order.cmp(other));
        found.dedup_by(|(_, problem), (_, before)| problem.path == before.path);
        let problems = found.into_iter().map(|(_, problem)| problem);
        problems.take(MAX_PROBLEMS).collect()
    }

    fn too_long_lists(&self, event: &Value) -> impl Iterator<Item = SchemaProblem> {
        let problem = |field: &Field| {
            let limit = field.max_items?;
            let elements = event.get("body")?.get(&field.name)?.as_array()?;
            (elements.len() > limit).then(|| SchemaProblem {
                path: format!("/body/{}", field.name),
                code: RowErrorCode::TooManyElements,
                hint: Some(limit.to_string()),
            })
        };
        self.fields.iter().filter_map(problem)
    }

    /// A problem, and its place in the order of all.
    fn problem(&self, error: &ValidationError<'_>) -> (Vec<usize>, SchemaProblem) {
        let at = error.instance_path();
        let (path, code, hint) = match error.kind() {
            ValidationErrorKind::Required { property } => {
                let path = at.join(property.as_str().unwrap_or_default());
                (path, RowErrorCode::Required, None)
            }
            _ => {
                let (code, hint) = self.verdict(self.find(at).1, error.instance());
                (at.clone(), code, hint)
            }
        };
        let problem = SchemaProblem {
            path: path.as_str().to_owned(),
            code,
            hint,
        };
        (self.find(&path).0, problem)
    }

    /// What is at a path, and its place in the order of all.
    fn find(&self, path: &Location) -> (Vec<usize>, Place<'_>) {
        let mut order = Vec::new();
        let mut place = Place::Event;
        for segment in path.segments() {
            let (position, inner) = self.step(place, &segment);
            order.push(position);
            place = inner;
        }
        (order, place)
    }

    fn step<'a>(&'a self, place: Place<'a>, segment: &LocationSegment<'_>) -> (usize, Place<'a>) {
        match (place, segment) {
            (Place::Event, LocationSegment::Property(name)) => match name.as_ref() {
                "eventType" => (0, Place::Type),
                "eventAction" => (1, Place::Action),
                "version" => (2, Place::Version),
                "body" => (3, Place::Body),
                _ => (usize::MAX, Place::Unknown),
            },
            (Place::Body, LocationSegment::Property(name)) => member(&self.fields, name),
            (Place::Element(fields), LocationSegment::Property(name)) => member(fields, name),
            (Place::Field(list), LocationSegment::Index(index)) => {
                (*index, Place::Element(&list.fields))
            }
            _ => (usize::MAX, Place::Unknown),
        }
    }

    /// What is wrong with a value that is not what its place asks for.
    fn verdict(&self, place: Place<'_>, value: &Value) -> (RowErrorCode, Option<String>) {
        match place {
            Place::Event | Place::Element(_) | Place::Unknown => (RowErrorCode::TypeObject, None),
            _ if value.is_null() => (RowErrorCode::RequiredUnset, None),
            Place::Body => (RowErrorCode::TypeObject, None),
            Place::Type => (RowErrorCode::NotInEnum, Some(self.event.r#type.clone())),
            Place::Action => (RowErrorCode::NotInEnum, Some(self.event.actions.join(", "))),
            Place::Version if !value.is_number() => (RowErrorCode::TypeFloat, None),
            // As JSON has it: 1.0, not 1.
            Place::Version => {
                let version = Value::from(self.event.version).to_string();
                (RowErrorCode::NotInEnum, Some(version))
            }
            Place::Field(field) => of_field(field, value),
        }
    }
}

fn member<'a>(fields: &'a [Field], name: &str) -> (usize, Place<'a>) {
    let mut fields = fields.iter().enumerate();
    match fields.find(|(_, field)| field.name == name) {
        Some((position, field)) => (position, Place::Field(field)),
        None => (usize::MAX, Place::Unknown),
    }
}

/// What is wrong with a field's value, which is not null.
fn of_field(field: &Field, value: &Value) -> (RowErrorCode, Option<String>) {
    match field.r#type {
        FieldType::String if field.format == Some(Format::Country) => {
            (RowErrorCode::UnknownCountry, None)
        }
        FieldType::String => of_text(field, value),
        FieldType::Integer => (RowErrorCode::TypeInteger, None),
        FieldType::Float => (RowErrorCode::TypeFloat, None),
        FieldType::Boolean => (RowErrorCode::TypeBoolean, None),
        FieldType::Date => {
            let format = field.date_format.as_str();
            let form = format!("{} ({format})", field.example);
            (RowErrorCode::TypeDate, Some(form))
        }
        FieldType::Datetime => (RowErrorCode::TypeDatetime, None),
        FieldType::Enum => (RowErrorCode::NotInEnum, Some(field.listed_values())),
        FieldType::List => (RowErrorCode::TypeList, None),
        // Any value is one.
        FieldType::Json => (RowErrorCode::TypeObject, None),
    }
}

fn of_text(field: &Field, value: &Value) -> (RowErrorCode, Option<String>) {
    let Some(text) = value.as_str() else {
        return (RowErrorCode::TypeString, None);
    };
    let limit = max_chars(field);
    let too_long = match field.identity {
        Some(_) => RowErrorCode::KeyTooLong,
        None => RowErrorCode::TooLong,
    };
    match text.chars().count() > limit {
        true => (too_long, Some(limit.to_string())),
        // Nothing but blanks.
        false => (RowErrorCode::Required, None),
    }
}

/// A body's size as a record's is measured.
fn size(body: &Value) -> usize {
    let of_value = |value: &Value| match value {
        Value::String(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::Array(_) | Value::Object(_) => value.to_string().len(),
    };
    match body {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + of_value(value))
            .sum(),
        other => of_value(other),
    }
}
