//! `/v1/customer…` and `/v1/fences/release`.

use std::iter;

use clientele::dataset::schema::{Additional, Schema};
use serde_json::{Value, json};

use super::{
    Description, component,
    document::{MediaType, Parameter, RequestBody, Response},
    replies::{conflict, unauthorized},
    shapes::{count, flag, group_id, id, job_id, job_path, predicted, source, text, time},
};

const TAG: &str = "Customers";
const NO_CUSTOMERS: &str = "The group is unknown, or has no customers.";
const CLEAN: &str = "Data is clean to upload";

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("CustomersRequest", customers_request()),
        (
            "CleanRows",
            clean([("job_id", job_id()), ("job", job_path())]),
        ),
        ("CleanDryRun", clean(prediction())),
        ("CustomersPage", page()),
        ("Deletion", deletion()),
    ]
}

fn customers_request() -> Schema {
    let row = Schema {
        additional_properties: Some(Additional::Allowed(true)),
        ..Schema::of("object")
    };
    Schema::object([
        ("customer_group_id", group_id().described("The group.")),
        ("customers", Schema::list(row.described("A row of the group's dataset: of workspace, with the fields that you have defined.")).of_items(1, 10_000)),
    ])
}

fn clean(members: impl IntoIterator<Item = (&'static str, Schema)>) -> Schema {
    let warning = Schema::any([component("ColumnWarning"), component("RowError")]);
    let all = [
        ("message", Schema::choice([CLEAN])),
        ("rows", count("How many rows there are.")),
        ("warnings", Schema::list(warning)),
    ];
    Schema::object(all.into_iter().chain(members)).closed()
}

fn prediction() -> impl Iterator<Item = (&'static str, Schema)> {
    let asked = ("dry_run", Schema::of("boolean"));
    iter::once(asked).chain(predicted())
}

fn page() -> Schema {
    let customer = Schema::object([
        ("customer_id", text("The customer's id at the source.")),
        ("uid", text("The record's identity.")),
        ("extended_profile", Schema::of("object").described("The fields that have a value, by their names. Encrypted ones are base64, unless they are revealed.")),
        ("created_at", time("When it was inserted.")),
        ("updated_at", time("When it last changed.")),
    ]);
    Schema::object([
        (
            "page",
            count("The page's number; null after a cursor.").or_null(),
        ),
        ("pages", count("How many pages there are.")),
        ("customers", Schema::list(customer.closed())),
        (
            "next_cursor",
            text("Where reading goes on; null at the end.").or_null(),
        ),
    ])
    .closed()
}

fn deletion() -> Schema {
    let digest = || text("A keyed digest of the uid.");
    let erased = Schema::object([
        ("uid_digest", digest()),
        ("meters", count("Records of meters that were removed.")),
        (
            "memberships",
            count("Memberships in groups that were removed."),
        ),
    ]);
    let receipt = Schema::object([
        ("id", Schema::text_of("uuid")),
        ("time", time("When it was asked for.")),
        ("principal", text("Who asked for it.")),
        ("organization_id", count("Whose customers they were.")),
        ("group", text("The group that they were named in.")),
        ("erased", Schema::list(erased.closed())),
        ("backups", text("What backups still hold, and how long.")),
    ]);
    let before = Schema::object([
        ("customer_id", text("The id, as it was sent.")),
        ("uid_digest", digest()),
        (
            "receipt",
            Schema::text_of("uuid").described("The earlier receipt."),
        ),
        ("time", time("When it was asked for.")),
    ]);
    Schema::object([
        ("deleted", count("Customers that were removed.")),
        (
            "not_found",
            Schema::list(Schema::of("string")).described("Ids that name nobody in the group."),
        ),
        (
            "erased_before",
            Schema::list(before.closed())
                .described("Those of them that an earlier request has removed."),
        ),
        (
            "receipt",
            receipt
                .closed()
                .or_null()
                .described("What was removed; null if nothing was."),
        ),
    ])
    .closed()
}

fn rows(description: Description, example: Value) -> Description {
    let form = Schema::object([
        (
            "file",
            Schema {
                format: Some("binary"),
                ..Schema::of("string")
            }
            .described("A csv, xlsx, json or ndjson file."),
        ),
        ("customer_group_id", group_id()),
    ]);
    let form = MediaType::of(form).encoded(
        json!({"file": {"contentType": "application/octet-stream, text/csv, application/json"}}),
    );
    let body = MediaType::of(component("CustomersRequest")).example(example);
    let dry_run = Schema::choice(["true", "false", "1", "0", ""]);
    let replies = Schema::any([component("CleanRows"), component("CleanDryRun")]);
    description
        .takes(Parameter::query("dry_run", "true stops before anything is written, and says what would be.", dry_run))
        .takes(Parameter::query("source", "The rows' source, where the group does not tell it.", source()))
        .speaks()
        .with_body(RequestBody::of("application/json", body).or("multipart/form-data", form))
        .answers(200, Response::json("All rows are right. Their import goes on in the background, unless this is a dry run.", replies))
        .refuses(400, "Rows have errors, and nothing was written; or something is missing or too much.")
        .answers(401, unauthorized(NO_CUSTOMERS))
        .refuses(404, "The token is not for this source.")
}

pub(super) fn check() -> Description {
    let text = "Checks up to 10,000 rows while you wait, as a file or as JSON. If all are right, a job imports them into the group; if one is not, nothing is written.";
    let example = json!({"customer_group_id": "customers.api", "customers": [{"external_id": "6574", "name": "John Smith"}]});
    rows(Description::new(TAG, "Upload and validate", text), example)
}

pub(super) fn update() -> Description {
    let text = "The same with rows that change customers of the group, found by their unique identifier. Fields that are not sent stay; a row that matches nobody is an error.";
    let example = json!({"customer_group_id": "customers.api", "customers": [{"external_id": "6574", "profession": "teacher"}]});
    rows(Description::new(TAG, "Update", text), example)
}

pub(super) fn count_pages() -> Description {
    let body = Schema::object([("customer_group_id", group_id().described("The group."))]);
    let pages = Schema::object([
        ("pages", count("How many pages there are.")),
        ("customers", count("How many customers there are.")),
        ("page_size", count("Customers of a full page.")),
    ]);
    Description::new(TAG, "Count pages", "How many pages a group has.")
        .with_body(RequestBody::json(
            body,
            json!({"customer_group_id": "customers.api"}),
        ))
        .answers(200, Response::json("The pages.", pages.closed()))
        .refuses(400, "The group is missing.")
        .answers(401, unauthorized(NO_CUSTOMERS))
}

pub(super) fn read() -> Description {
    let group = || ("customer_group_id", group_id().described("The group."));
    let page = (
        "page",
        Schema::of("integer")
            .between(0, u64::MAX)
            .described("The page, from 0."),
    );
    let cursor = ("cursor", text("The next_cursor of the last reply."));
    let reveal = || {
        (
            "reveal",
            flag("Whether encrypted values are shown in clear, which needs the scope pii:reveal."),
        )
    };
    let id = (
        "customer_id",
        text("The customer's id or uid; of a group of meters, the customer's id or a meter's uid."),
    );
    let none = |name| (name, Schema::of("null"));
    let by_page = Schema::object([group(), page]).with_optional([
        none("cursor"),
        none("customer_id"),
        reveal(),
    ]);
    let by_cursor = Schema::object([group(), cursor]).with_optional([
        none("page"),
        none("customer_id"),
        reveal(),
    ]);
    let by_id =
        Schema::object([group(), id]).with_optional([none("page"), none("cursor"), reveal()]);
    let body = Schema::any([
        by_page.titled("By page"),
        by_cursor.titled("By cursor"),
        by_id.titled("By id"),
    ]);
    Description::new(TAG, "Read customers", "Up to 1,000 customers of a group: the page of a number, those after a cursor, or those whom an id names. A reply over 5 MB is cut, and next_cursor gives the rest.")
        .with_body(RequestBody::json(body, json!({"customer_group_id": "customers.api", "page": 0})))
        .answers(200, Response::json("The page.", component("CustomersPage")))
        .refuses(400, "Something is missing, the cursor is not valid, or the id names too many customers (too_many_customers).")
        .answers(401, unauthorized(NO_CUSTOMERS))
}

pub(super) fn delete() -> Description {
    let body = Schema::object([
        ("customer_group_id", group_id().described("The group.")),
        (
            "customer_ids",
            Schema::list(id())
                .of_items(1, 1_000)
                .described("Ids or uids of customers in it."),
        ),
    ]);
    let example = json!({"customer_group_id": "customers.api", "customer_ids": ["6574"]});
    Description::new(TAG, "Delete customers", "Removes customers for good, with their meters and memberships, and leaves a fence: a later import does not bring them back. Not for groups of meters.")
        .with_body(RequestBody::json(body, example))
        .answers(200, Response::json("What was removed.", component("Deletion")))
        .refuses(400, "Something is missing or too much.")
        .answers(401, unauthorized(NO_CUSTOMERS))
        .refuses(409, "An id names several customers of the group; nothing was removed.")
}

pub(super) fn release() -> Description {
    let by_uid = Schema::object([(
        "uids",
        Schema::list(id()).of_items(1, 1_000).described("Uids."),
    )]);
    let by_id = Schema::object([
        (
            "customer_ids",
            Schema::list(id())
                .of_items(1, 1_000)
                .described("Ids at the source."),
        ),
        ("source", source()),
    ]);
    let released = Schema::object([
        ("released", count("How many may come back.")),
        (
            "not_found",
            Schema::list(Schema::of("string")).described("Those that were not erased."),
        ),
    ]);
    let body = Schema::any([by_uid.titled("By uids"), by_id.titled("By ids")]);
    Description::new(
        TAG,
        "Let erased customers come back",
        "Takes the fences of erased customers away, so that the next import may bring them back.",
    )
    .with_body(RequestBody::json(body, json!({"uids": ["1-generic-6574"]})))
    .answers(
        200,
        Response::json("Whose fences are gone.", released.closed()),
    )
    .refuses(
        400,
        "Something is missing, too much, or the source is not valid.",
    )
    .refuses(
        404,
        "The token is bound to groups, and a fence tells of none.",
    )
    .answers(
        409,
        conflict("The first request with this Idempotency-Key is still being answered."),
    )
}
