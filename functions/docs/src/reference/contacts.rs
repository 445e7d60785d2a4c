//! `/external/v1/customers`, and the same under its old path.

use clientele::dataset::schema::Schema;
use serde_json::{Value, json};

use super::{
    Description, component,
    document::{Parameter, RequestBody, Response},
    replies::{conflict, location},
    shapes::{count, flag, job_path, number},
};

const TAG: &str = "Contacts";
const MAX_PAGE: u64 = 1_000_000_000;

/// A contact with the fields that somebody would begin with.
pub(super) fn example() -> Value {
    json!({
        "name": "Amina Yusuf", "email": "amina@example.com", "whatsapp_number": "+254700000001",
        "source": "web", "city": "Nairobi", "country": "Kenya",
    })
}

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    let place = Schema::any([Schema::of("string"), Schema::of("integer")]);
    let detail = Schema::object([
        (
            "loc",
            Schema::list(place).described("Where: body, query or header, then members and places."),
        ),
        ("msg", Schema::of("string").described("What is wrong.")),
        (
            "type",
            Schema::of("string")
                .described("What kind of thing.")
                .example("missing"),
        ),
    ]);
    let refused = Schema::object([(
        "detail",
        Schema::list(detail.closed()).described("One entry for each thing that is wrong."),
    )]);
    let made = Schema::object([
        ("created", count("How many were made.")),
        ("customers", Schema::list(component("ContactsRecord"))),
    ]);
    let later = Schema::object([
        ("job", job_path()),
        (
            "customer_ids",
            Schema::list(Schema::of("string")).described("What they will be called."),
        ),
    ]);
    let page = Schema::object([
        ("data", Schema::list(component("ContactsRecord"))),
        ("total", count("How many contacts there are.")),
        ("page", count("The page, from 1.")),
        ("page_size", count("Contacts a page.")),
        ("total_pages", count("How many pages there are.")),
        ("has_next", flag("Whether there is a page after it.")),
        ("has_previous", flag("Whether there is a page before it.")),
    ]);
    vec![
        ("ContactsRefused", refused.closed()),
        ("ContactsMade", made.closed()),
        ("ContactsLater", later.closed()),
        ("ContactsPage", page.closed()),
    ]
}

fn refused() -> Response {
    Response::json(
        "Something is wrong with the request: what, and where.",
        component("ContactsRefused"),
    )
}

fn making(summary: &'static str, text: &'static str) -> Description {
    Description::new(TAG, summary, text)
        .refuses(404, "The token is of another source.")
        .answers(409, conflict("Contacts of the repeated request were deleted since, its job was stopped, or it is still being answered."))
        .answers(422, refused())
}

pub(super) fn create() -> Description {
    making("Create a contact", "Stores a contact and gives it back in clear, with its id. Members that are no fields are kept, encrypted.")
        .with_body(RequestBody::json(component("ContactsRow"), example()))
        .answers(201, Response::json("The contact.", component("ContactsRecord")))
}

pub(super) fn create_many() -> Description {
    let body = Schema::object([(
        "customers",
        Schema::list(component("ContactsRow")).of_items(0, 100),
    )]);
    let later = Response::json(
        "They are safe, and a job will store them: something was slow.",
        component("ContactsLater"),
    );
    making(
        "Create several contacts",
        "Stores up to 100 contacts, all of them or none.",
    )
    .with_body(RequestBody::json(body, json!({"customers": [example()]})))
    .answers(
        201,
        Response::json("The contacts.", component("ContactsMade")),
    )
    .answers(202, later.with_header("Location", location("The job.")))
}

pub(super) fn list() -> Description {
    Description::new(TAG, "List contacts", "A page of the contacts, in a fixed order, which is not that of time: in clear for callers with the scope pii:reveal.")
        .takes(Parameter::query("page", "The page, from 1.", number(MAX_PAGE, 1)))
        .takes(Parameter::query("page_size", "Contacts a page.", number(1_000, 20)))
        .answers(200, Response::json("The page.", component("ContactsPage")))
        .refuses(404, "The token is of another source.")
        .answers(422, refused())
}
