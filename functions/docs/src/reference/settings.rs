//! `/v1/organization/settings` and `/v1/p14n/explain`.

use clientele::dataset::schema::Schema;
use serde_json::json;

use super::{
    Description,
    document::{RequestBody, Response},
    replies::conflict,
    shapes::{dataset, text},
};

const TAG: &str = "Organization";

fn pseudonyms() -> Schema {
    Schema::choice(["sha256", "hmac-sha256"])
        .described("How pseudonyms are made: as plain hashes, or keyed with the organization's pepper, so that nobody finds a phone number by trying.")
}

fn unknown_columns() -> Schema {
    Schema::choice(["keep", "drop", "reject"])
        .described("What becomes of columns that a dataset does not know: kept encrypted in custom, left out, or refused.")
}

fn settings() -> Schema {
    Schema::object([
        ("pseudonyms", pseudonyms()),
        ("unknown_columns", unknown_columns()),
    ])
    .closed()
}

pub(super) fn read() -> Description {
    Description::new(TAG, "Read the settings", "The organization's settings.")
        .answers(200, Response::json("The settings.", settings()))
}

pub(super) fn change() -> Description {
    let body = Schema::of("object")
        .with_optional([
            ("pseudonyms", pseudonyms().or_null()),
            ("unknown_columns", unknown_columns().or_null()),
        ])
        .closed();
    Description::new(TAG, "Change settings", "Changes the settings that are sent. Pseudonyms can change only while there are no records: the same person would have two.")
        .with_body(RequestBody::json(body, json!({"unknown_columns": "keep"})))
        .answers(200, Response::json("The settings as they are now.", settings()))
        .refuses(400, "There is no such setting, or it has no such value.")
        .answers(409, conflict("There are records, or imports that have not ended; or the first request with this Idempotency-Key is still being answered."))
}

pub(super) fn explain() -> Description {
    let body = Schema::object([
        ("field", text("The field's name.")),
        (
            "value",
            Schema::default().described("The value, as a row would have it."),
        ),
    ])
    .with_optional([(
        "dataset",
        dataset()
            .or_null()
            .described("The field's dataset; customers if none is given."),
    )]);
    let explained = Schema::object([
        ("dataset", dataset()),
        ("field", text("The field's name.")),
        (
            "normalized",
            Schema::default().described("The value as it is read; null if there is none."),
        ),
        (
            "mode",
            Schema::choice(["sha256", "hmac-sha256", "given", "blur", "encrypt", "none"])
                .described("What is done to it; given is a value that is a hash already."),
        ),
        (
            "result",
            Schema::default()
                .described("What is stored; null of an encrypted value, which differs each time."),
        ),
    ]);
    let example = json!({"field": "identification_number", "value": "L23FX1236"});
    Description::new(
        TAG,
        "Explain protection",
        "Shows what protection makes of a value of a field, and stores nothing.",
    )
    .speaks()
    .with_body(RequestBody::json(body, example))
    .answers(
        200,
        Response::json("What it makes of it.", explained.closed()),
    )
    .refuses(
        400,
        "There is no such field, or it does not take the value.",
    )
    .refuses(404, "There is no such dataset.")
}
