//! The JSON Schema of a definition as clients send it.

use super::{
    super::{
        DateFormat,
        pattern::MAX_PATTERN_BYTES,
        schema::{Schema, Type},
    },
    WORKSPACE, WorkspaceType,
    parse::{MAX_FIELDS, MAX_NAME_BYTES, MAX_VALUE_BYTES},
};
const DEFINITION: &str = "The fields of a workspace's customers, which each organization defines for itself. Exactly one of them is the unique identifier.";
const FIELD: &str = "A field of one type.";
const NAME: &str = "The field's name, in records and as a column's header, where case, spaces, accents, - and _ make no difference: no two fields may be told apart by these alone, and none may be called like a field that the registry fills. 128 bytes of UTF-8 at most.";
const REQUIRED: &str = "Whether a row without it is refused. A unique identifier always is.";
const PII: &str = "Whether values are personal data: they are encrypted before anything is stored.";
const IDENTIFIER: &str = "Whether it tells customers apart: the field of one string that is this.";
const PATTERN: &str = "What the whole text must match: a regular expression without look-around and backreferences, of 1,000 bytes at most.";
const VERSION: &str = "The version that the definition replaces, as the last reply gave it: 409 if another one is stored by now. Left out, it replaces whichever there is.";

/// The schema of `{"fields": […], "version": …}`.
pub fn definition_schema() -> Schema {
    let fields = Schema {
        min_items: Some(1),
        max_items: Some(MAX_FIELDS),
        ..Schema::list(field())
    };
    let version = Schema::of("integer").at_least(0).or_null();
    let example = serde_json::json!({"fields": [
        {"name": "Customer No", "field_type": "string", "unique_identifier": true},
        {"name": "Full Name", "field_type": "string", "is_pii": true, "required": true},
        {"name": "Joined", "field_type": "date", "field_format": "dd/MM/yyyy"},
        {"name": "Balance", "field_type": "currency", "field_format": "ZMW"},
        {"name": "Segment", "field_type": "enum", "values": ["gold", {"value": "s", "name": "Silver"}]},
    ]});
    Schema::object([("fields", fields)])
        .with_optional([("version", version.described(VERSION))])
        .titled("Workspace fields")
        .described(DEFINITION)
        .example(example)
}

/// The same as a document of its own.
pub(in crate::dataset) fn definition_document() -> Schema {
    definition_schema().document(WORKSPACE)
}

fn field() -> Schema {
    Schema::any(WorkspaceType::ALL.map(field_of)).described(FIELD)
}

/// A field of a type, and no member that is not for that type.
fn field_of(of: WorkspaceType) -> Schema {
    let is_string = of == WorkspaceType::String;
    let flag = || Schema::of("boolean").or_null();
    let format = match of {
        WorkspaceType::Date => Schema::choice(DateFormat::all().map(DateFormat::as_str))
            .described("How the dates are written."),
        WorkspaceType::Currency => Schema::text_like("^[A-Za-z]{3}$")
            .described("The currency of the amounts: its code in ISO 4217."),
        _ => nothing("Only dates and currencies have a format."),
    };
    let values = match of {
        WorkspaceType::Enum => Schema {
            min_items: Some(1),
            ..Schema::list(value())
        }
        .described("The values, which are the same in letters of any case."),
        _ => Schema {
            r#type: Some(Type::OrNull(["array", "null"])),
            max_items: Some(0),
            ..Schema::default()
        },
    };
    let pattern = match is_string {
        true => Schema {
            max_length: Some(MAX_PATTERN_BYTES),
            ..Schema::of("string").or_null()
        }
        .described(PATTERN),
        false => nothing("Only strings have a pattern."),
    };
    let identifier = match is_string {
        true => flag().described(IDENTIFIER),
        false => Schema::choice([serde_json::json!(false), serde_json::Value::Null]),
    };
    let required = [
        (
            "name",
            Schema::of("string")
                .of_length(1, MAX_NAME_BYTES)
                .described(NAME),
        ),
        (
            "field_type",
            Schema {
                constant: Some(of.as_str().into()),
                ..Schema::of("string")
            },
        ),
    ];
    let needs_format = matches!(of, WorkspaceType::Date | WorkspaceType::Currency);
    let needs_values = of == WorkspaceType::Enum;
    let mut schema = Schema::object(required).with_optional([
        ("field_format", format),
        ("values", values),
        ("required", flag().described(REQUIRED)),
        ("is_pii", flag().described(PII)),
        ("pattern", pattern),
        ("unique_identifier", identifier),
    ]);
    if let Some(required) = &mut schema.required {
        required.extend(needs_format.then_some("field_format".into()));
        required.extend(needs_values.then_some("values".into()));
    }
    schema.titled(of.as_str()).closed()
}

/// What means that there is nothing.
fn nothing(why: &'static str) -> Schema {
    Schema::choice([serde_json::json!(""), serde_json::Value::Null]).described(why)
}

/// One of an enum's values.
fn value() -> Schema {
    let text = || Schema::of("string").of_length(1, MAX_VALUE_BYTES);
    let named = Schema::object([("value", text().described("What is stored."))])
        .with_optional([(
            "name",
            text()
                .or_null()
                .described("The name that people know it by, taken in rows as well."),
        )])
        .closed();
    Schema::any([text(), named])
}
