//! `/api/v1/in` and `/api/v1/out`.

use std::iter;

use clientele::dataset::{Dataset, schema::Schema};
use serde_json::{Value, json};

use super::{
    Description, component,
    document::{MediaType, Parameter, RequestBody, Response},
    record_name,
    replies::{location, refused},
    sent_name,
    shapes::{builtin_dataset, count, job_path, number, predicted, source, text, time},
};

const TAG: &str = "Datasets";
const MAX_PAGE: u64 = 1_000_000_000;

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    let rows = Dataset::all_builtin().iter();
    let row = Schema::any(rows.map(|dataset| component(&sent_name(dataset))));
    let row = row.described("A row of the path's dataset. Names of fields match as headers of files do: whatever their case, spaces, accents, - and _, and by alias; members of an event's body by their exact name. Unknown members are kept in custom, unless your organization has chosen otherwise.");
    let records = Dataset::all_builtin().iter();
    let record = Schema::any(records.map(|dataset| component(&record_name(dataset))));
    vec![
        (
            "Rows",
            Schema::object([("data", Schema::list(row).of_items(1, 10_000))]),
        ),
        (
            "ImportStarted",
            Schema::object([
                ("id", count("The import's id.")),
                ("created_at", time("When it was registered.")),
                ("status", Schema::choice(["Import started"])),
                ("job", job_path()),
            ])
            .closed(),
        ),
        ("Prediction", prediction()),
        (
            "Records",
            Schema::object([
                ("data", Schema::list(record)),
                ("page", count("The page's number, from 1.")),
                ("pages", count("How many pages there are.")),
                ("total", count("How many records there are.")),
            ])
            .closed(),
        ),
    ]
}

fn prediction() -> Schema {
    let rows = ("rows", count("How many rows were sent."));
    let refused = [
        ("rejected", count("Rows that would be refused.")),
        ("warnings", Schema::list(component("ColumnWarning"))),
        (
            "errors",
            Schema::list(component("RowError")).described("The first 1,000."),
        ),
    ];
    let members = iter::once(rows).chain(predicted()).chain(refused);
    Schema::object(members).closed()
}

fn dataset() -> Parameter {
    Parameter::path("dataset", "The dataset.", builtin_dataset())
}

fn of_source() -> Parameter {
    Parameter::query(
        "source",
        "The source: a source's token can name its own alone, and contacts and profiles have one of their own. `api` if a user names none.",
        source(),
    )
}

fn body() -> RequestBody {
    let content = MediaType::of(component("Rows"));
    let datasets = ["customers", "meters", "contacts", "profiles"];
    let content = datasets.into_iter().fold(content, |content, name| {
        content.named(name, json!({"data": [example(name)]}))
    });
    RequestBody::of("application/json", content)
}

/// A row of a dataset: the few fields that somebody would begin with.
fn example(dataset: &str) -> Value {
    match dataset {
        "meters" => json!({
            "customer_external_id": "6574", "manufacturer": "HOP", "serial_number": "A1233754345JL",
            "device_external_id": "1234", "installation_date": "2021-01-01", "customer_name": "John Smith",
        }),
        "contacts" => super::contacts::example(),
        "profiles" => super::events::example(),
        _ => json!({
            "external_id": "6574", "name": "John Smith", "phone": "+2560123456789", "birth_year": 2000,
            "country": "UG", "gender": "F", "household_size": 4,
        }),
    }
}

pub(super) fn push() -> Description {
    let started = Response::json("The rows are an import now.", component("ImportStarted"));
    Description::new(TAG, "Push rows", "Registers an import of 1 to 10,000 rows, which goes on in the background. What is wrong with rows is told by the job; the other rows land.")
        .takes(dataset())
        .takes(of_source())
        .with_body(body())
        .answers(201, started.with_header("Location", location("The job.")))
        .refuses(400, "The body has no array data of 1 to 10,000 rows, or the source is not valid.")
        .refuses(404, "There is no such dataset, or the token is not for this source and dataset.")
}

pub(super) fn check() -> Description {
    Description::new(TAG, "Check rows", "Says what a push of these rows would do, and writes nothing.")
        .takes(dataset())
        .takes(of_source())
        .speaks()
        .with_body(body())
        .answers(200, Response::json("What would become of the rows.", component("Prediction")))
        .refuses(400, "The body has no array data of 1 to 10,000 rows, the rows cannot be read together, or the source is not valid.")
        .refuses(404, "There is no such dataset, or the token is not for this source and dataset.")
}

pub(super) fn read() -> Description {
    let equal = |name, description| Parameter::query(name, description, text(""));
    Description::new(TAG, "Read records", "A page of a source's records, in a fixed order, which is not that of time. Pseudonyms and ciphertexts stay what they are; a record's own custom is in clear.")
        .takes(dataset())
        .takes(of_source())
        .takes(Parameter::query("page", "The page, from 1.", number(MAX_PAGE, 1)))
        .takes(Parameter::query("size", "Records a page.", number(1_000, 50)))
        .takes(equal("q[uid_eq]", "The record with this uid alone."))
        .takes(equal("q[external_id_eq]", "The record with this external_id alone; of meters, those of this customer."))
        .answers(200, Response::json("A page.", component("Records")))
        .answers(400, refused("A parameter is not valid, or the page would be larger than a reply can be."))
        .refuses(404, "There is no such dataset, or the token is not for this source and dataset.")
}
