//! `/v1/workspace/fields`.

use clientele::dataset::schema::Schema;
use serde_json::json;

use super::{
    Description, component,
    document::{RequestBody, Response},
    shapes::{count, flag, text},
};

const TAG: &str = "Workspace";

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    let named = Schema::object([("value", text("What is stored."))])
        .with_optional([("name", text("The name that people know it by."))]);
    let value = Schema::any([Schema::of("string"), named.closed()]);
    let types = ["string", "number", "boolean", "date", "currency", "enum"];
    let field = Schema::object([
        ("name", text("The field's name.")),
        ("field_type", Schema::choice(types)),
        ("required", flag("Whether a row without it is refused.")),
        ("is_pii", flag("Whether it is encrypted.")),
        (
            "unique_identifier",
            flag("Whether it tells customers apart."),
        ),
    ])
    .with_optional([
        (
            "field_format",
            text("A date's format or a currency's code."),
        ),
        ("values", Schema::list(value)),
        ("pattern", text("What texts match.")),
    ]);
    let fields = Schema::object([
        ("fields", Schema::list(field.closed())),
        ("version", count("How often they were replaced.")),
    ]);
    vec![("WorkspaceFields", fields.closed())]
}

pub(super) fn read() -> Description {
    Description::new(
        TAG,
        "Read the fields",
        "The fields of your workspace's customers: none before you define them.",
    )
    .answers(
        200,
        Response::json("The fields.", component("WorkspaceFields")),
    )
}

pub(super) fn replace() -> Description {
    let example = json!({"fields": [
        {"name": "customer_no", "field_type": "string", "unique_identifier": true},
        {"name": "full_name", "field_type": "string", "is_pii": true},
        {"name": "joined", "field_type": "date", "field_format": "dd/MM/yyyy"},
    ]});
    Description::new(TAG, "Replace the fields", "Defines the fields anew. The same fields again change nothing; what stored customers depend on cannot change.")
        .with_body(RequestBody::json(component("WorkspaceFieldsRequest"), example))
        .answers(200, Response::json("The fields as they are now.", component("WorkspaceFields")))
        .refuses(400, "The definition is not valid: errors says what is wrong with which field.")
        .refuses(409, "The fields have changed meanwhile, or customers or imports depend on them as they are.")
}
