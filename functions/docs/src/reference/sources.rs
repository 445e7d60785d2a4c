//! `/v1/sources`.

use clientele::dataset::schema::Schema;
use serde_json::json;

use super::{
    Description,
    document::{Parameter, RequestBody, Response},
    replies::{conflict, no_store},
    shapes::{builtin_dataset, count, shared_source, source, text, time},
};

const TAG: &str = "Sources";

fn datasets() -> Schema {
    Schema::list(builtin_dataset()).of_items(1, 20)
}

/// What is told of a token besides itself.
fn told() -> [(&'static str, Schema); 4] {
    [
        (
            "id",
            Schema::text_of("uuid").described("The token's id, to revoke it."),
        ),
        (
            "datasets",
            datasets().described("What it may push and read."),
        ),
        ("created_at", time("When it was made.")),
        ("created_by", text("Who made it.")),
    ]
}

/// A token for some datasets of a source: contacts and profiles have sources of their own.
fn token_for<const N: usize>(source: Schema, datasets: [&'static str; N]) -> Schema {
    let datasets = Schema::list(Schema::choice(datasets)).of_items(1, 20);
    Schema::object([
        (
            "data_origin",
            source.described("The source, which is made if it is new."),
        ),
        ("datasets", datasets.described("What the token is for.")),
    ])
}

pub(super) fn grant() -> Description {
    let several = token_for(shared_source(), ["customers", "meters"]);
    let contacts = token_for(Schema::choice(["external"]), ["contacts"]);
    let profiles = token_for(Schema::choice(["events"]), ["profiles"]);
    let body = Schema::any([several, contacts, profiles]);
    let made = Schema::object(told().into_iter().chain([
        ("data_origin", source()),
        ("token", text("The token: shown now and never again. Null in the reply to a repeated request.").or_null()),
    ]));
    let example = json!({"data_origin": "generic", "datasets": ["customers", "meters"]});
    let made = Response::json("The token.", made.closed());
    Description::new(TAG, "Make a source's token", "Makes a token with which a source pushes and reads its own records, and nothing else. A source has at most 10.")
        .with_body(RequestBody::json(body, example))
        .answers(201, made.with_header("Cache-Control", no_store()))
        .refuses(400, "The source or a dataset is not valid, or they do not go together.")
        .answers(409, conflict("The source has 10 tokens, or the first request with this Idempotency-Key is still being answered."))
}

pub(super) fn list() -> Description {
    let of_list = Schema::object([
        ("id", count("The source's id.")),
        ("data_origin", source().described("Its name.")),
        ("tokens", Schema::list(Schema::object(told()).closed())),
    ]);
    let sources = Schema::object([
        ("sources", Schema::list(of_list.closed())),
        (
            "next_after",
            source()
                .or_null()
                .described("What after is to be for the next sources, if there may be more."),
        ),
    ]);
    Description::new(TAG, "List sources", "The sources by their names, up to 100 at a time, with the ids of their tokens, without the tokens themselves.")
        .takes(Parameter::query("after", "The name that they come after: next_after of the last reply.", source()))
        .answers(200, Response::json("Sources.", sources.closed()))
        .refuses(400, "A parameter is not valid.")
}

pub(super) fn revoke() -> Description {
    let revoked = Schema::object([("revoked", count("How many tokens were revoked."))]);
    let token = Schema::text_of("uuid");
    Description::new(
        TAG,
        "Revoke a source's tokens",
        "Takes a source's tokens back, or one of them. The source and its records stay.",
    )
    .takes(Parameter::path(
        "data_origin",
        "The source's name.",
        source(),
    ))
    .takes(Parameter::query(
        "token",
        "The id of the one token to revoke.",
        token,
    ))
    .answers(200, Response::json("They are revoked.", revoked.closed()))
    .refuses(400, "The query has another parameter.")
    .refuses(404, "There is no such source or token.")
}
