//! What is wrong with a request, as clients of this interface know it: FastAPI's list of places,
//! messages and types. No message repeats a value.

use clientele::{
    dataset::Target,
    language::Language,
    record::{RawValue, RefusedRow, RowError, RowErrorCode, Validator},
    web::json,
};
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

/// The most problems in a reply.
pub(super) const MAX_DETAILS: usize = 1_000;

/// One thing that is wrong, and where.
#[derive(Debug, Serialize)]
pub(super) struct Detail {
    loc: Vec<Value>,
    msg: String,
    r#type: &'static str,
}

impl Detail {
    pub(super) fn new(loc: &[Value], r#type: &'static str, msg: impl Into<String>) -> Self {
        Self {
            loc: loc.to_vec(),
            msg: msg.into(),
            r#type,
        }
    }

    pub(super) fn missing(loc: &[Value]) -> Self {
        Self::new(loc, "missing", "Field required")
    }

    /// Something that these clients have no type of its own for.
    pub(super) fn value_error(loc: &[Value], msg: impl std::fmt::Display) -> Self {
        Self::new(loc, "value_error", format!("Value error, {msg}"))
    }

    pub(super) fn not_an_object(loc: &[Value]) -> Self {
        let msg = "Input should be a valid dictionary or object to extract fields from";
        Self::new(loc, "model_attributes_type", msg)
    }

    pub(super) fn lone_surrogate(loc: &[Value]) -> Self {
        let msg = "Input should be a valid string, unable to parse raw data as a unicode string";
        Self::new(loc, "string_unicode", msg)
    }
}

/// The reply to a request with which something is wrong.
pub(super) fn unprocessable(mut details: Vec<Detail>) -> Response<String> {
    details.truncate(MAX_DETAILS);
    json(
        StatusCode::UNPROCESSABLE_ENTITY,
        &json!({"detail": details}),
    )
}

/// What is wrong with a row that was refused: as much of it as a reply holds.
pub(super) fn of_row(
    base: &[Value],
    refused: &RefusedRow,
    validator: &mut Validator,
) -> Vec<Detail> {
    let errors = refused.errors.iter().take(MAX_DETAILS);
    errors
        .map(|error| of_error(base, error, refused, validator))
        .collect()
}

fn of_error(
    base: &[Value],
    error: &RowError,
    refused: &RefusedRow,
    validator: &mut Validator,
) -> Detail {
    let Some(column) = &error.column else {
        return match error.code {
            RowErrorCode::NotAnObject => Detail::not_an_object(base),
            RowErrorCode::LoneSurrogate => Detail::lone_surrogate(base),
            _ => Detail::value_error(base, error.message(Language::English)),
        };
    };
    let sent = sent(column, refused, validator);
    let name = sent.map_or(column.as_str(), |(header, _)| header);
    let mut loc = base.to_vec();
    loc.push(name.into());
    let value = sent.map(|(_, value)| value);
    match error.code {
        RowErrorCode::Required if value.is_none() => Detail::missing(&loc),
        RowErrorCode::Required => {
            let msg = "String should have at least 1 character";
            Detail::new(&loc, "string_too_short", msg)
        }
        RowErrorCode::TypeString | RowErrorCode::RequiredUnset => {
            Detail::new(&loc, "string_type", "Input should be a valid string")
        }
        RowErrorCode::TypeBoolean => match value {
            Some(RawValue::Text(_) | RawValue::Number(_)) => {
                let msg = "Input should be a valid boolean, unable to interpret input";
                Detail::new(&loc, "bool_parsing", msg)
            }
            _ => Detail::new(&loc, "bool_type", "Input should be a valid boolean"),
        },
        RowErrorCode::TooLong => {
            let limit = error.hint.as_deref().unwrap_or_default();
            let msg = format!("String should have at most {limit} characters");
            Detail::new(&loc, "string_too_long", msg)
        }
        RowErrorCode::Pattern => of_pattern(&loc, column, validator),
        RowErrorCode::NearMiss => {
            let meant = error.hint.as_deref().unwrap_or_default();
            let msg = format!("Extra inputs are not permitted: did you mean {meant}?");
            Detail::new(&loc, "extra_forbidden", msg)
        }
        RowErrorCode::DuplicateColumn => Detail::value_error(
            &loc,
            "another member means the same field; keep one of them",
        ),
        RowErrorCode::UnknownColumn => {
            Detail::new(&loc, "extra_forbidden", "Extra inputs are not permitted")
        }
        _ => Detail::value_error(&loc, error.message(Language::English)),
    }
}

/// The member that an error is about, as it was sent. An error names what was sent, or the field
/// that was to be.
fn sent<'r>(
    column: &str,
    refused: &'r RefusedRow,
    validator: &mut Validator,
) -> Option<(&'r str, &'r RawValue)> {
    let values = &refused.raw.values;
    let by_name = values.iter().find(|(header, _)| **header == *column);
    let field = validator.dataset().index_of(column);
    let found = by_name.or_else(|| {
        let field = Target::Field(field?);
        let mut values = values.iter();
        values.find(|(header, _)| validator.target(header) == field)
    });
    found.map(|(header, value)| (&**header, value))
}

/// Says what a text should look like, where a pattern would not.
fn of_pattern(loc: &[Value], column: &str, validator: &mut Validator) -> Detail {
    let field = match validator.target(column) {
        Target::Field(index) => validator.dataset().field(index),
        _ => None,
    };
    match field.map(|field| field.name.as_str()) {
        Some("email") => {
            let msg = "value is not a valid email address: it needs one @, with something \
                       before and after it, and no spaces";
            Detail::new(loc, "value_error", msg)
        }
        Some("latitude") => degrees(loc, 90),
        Some("longitude") => degrees(loc, 180),
        _ => {
            let msg = "String should have the form that the field asks for";
            Detail::new(loc, "string_pattern_mismatch", msg)
        }
    }
}

fn degrees(loc: &[Value], most: u8) -> Detail {
    let msg = format!("degrees are a text from -{most} to {most}, with a period: \"12.3456\"");
    Detail::value_error(loc, msg)
}
