//! `/v1/events`.

use clientele::dataset::schema::Schema;
use serde_json::{Value, json};

use super::{
    Description, component,
    document::{MediaType, RequestBody, Response},
    shapes::{count, text},
};

/// An event with what must be there.
pub(super) fn example() -> Value {
    json!({
        "eventType": "CUSTOMER", "eventAction": "CREATED", "version": 1.0,
        "body": {
            "customerId": "C-1001", "dateOfBirth": "1990-04-23", "status": "ACTIVE",
            "marketingOptIn": true,
            "addresses": [{
                "addressId": "A-1", "line1": "1 High Street", "city": "Leeds", "zipCode": "LS1 4AP",
                "countryCode": "GB",
            }],
            "createdAt": "2026-01-15T08:30:00Z", "updatedAt": "2026-02-01T10:00:00Z",
        },
    })
}

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    let statuses = ["created", "updated", "unchanged", "stale"];
    let counts = statuses.map(|status| (status, Schema::of("integer").at_least(0)));
    let index = || count("The event's place in the request, from 0.");
    let error = Schema::object([
        ("path", text("Where, as a JSON Pointer (RFC 6901).")),
        ("code", text("A stable code.")),
        ("message", text("What is wrong, in words.")),
    ]);
    let rejected = Schema::object([
        ("index", index()),
        (
            "errors",
            Schema::list(error.closed()).described("What is wrong with it: the first 20."),
        ),
    ]);
    let result = Schema::object([("index", index()), ("status", Schema::choice(statuses))]);
    let taken_in = Schema::object([
        ("accepted", count("Events that were taken in.")),
        ("rejected", Schema::list(rejected.closed())),
        ("counts", Schema::object(counts).closed()),
        ("results", Schema::list(result.closed())),
    ]);
    vec![("EventsTaken", taken_in.closed())]
}

pub(super) fn push() -> Description {
    let event = component("ProfilesEvent");
    let several = Schema::list(event.clone()).of_items(1, 10_000);
    let json = MediaType::of(Schema::any([event, several]))
        .named("one event", example())
        .named("several", json!([example()]));
    let lines = MediaType::of(Schema::of("string").described("One event a line."))
        .example(format!("{}\n", example()).into());
    Description::new("Events", "Send events", "One event, an array of up to 10,000 or one a line; a body may be compressed with gzip. The reply comes when they are stored. Events may come in any order and more than once: the record ends up the same.")
        .speaks()
        .with_body(RequestBody::of("application/json", json).or("application/x-ndjson", lines))
        .answers(202, Response::json("What became of each event.", component("EventsTaken")))
        .refuses(400, "The body holds no events, or too many.")
        .refuses(404, "The token is of another source.")
        .refuses(422, "The one event was not taken in, or the Idempotency-Key was sent with another request.")
}
