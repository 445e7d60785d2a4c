//! `/v1/groups`.

use clientele::dataset::schema::Schema;
use serde_json::json;

use super::{
    Description, component,
    document::{Parameter, RequestBody, Response},
    replies::{conflict, location},
    shapes::{self, count, dataset, group_id, job_id, job_path, number, own_group_id, text},
};

const TAG: &str = "Groups";
const MAX_NAME: usize = 200;

pub(super) fn schemas() -> Vec<(&'static str, Schema)> {
    let group = Schema::object([
        ("id", group_id().described("The group's id.")),
        ("name", text("Its name for people.")),
        ("dataset", dataset().described("What its records are of.")),
        ("customers", count("How many records are in it.")),
    ]);
    let groups = Schema::object([
        ("groups", Schema::list(component("Group"))),
        (
            "next_after",
            group_id()
                .or_null()
                .described("What after is to be for the next groups, if there may be more."),
        ),
    ]);
    let deletion = Schema::object([("job_id", job_id()), ("job", job_path())]);
    vec![
        ("Group", group.closed()),
        ("Groups", groups.closed()),
        ("GroupDeletion", deletion.closed()),
    ]
}

fn name() -> Schema {
    shapes::name(MAX_NAME).described("A name for people, without control characters.")
}

fn id() -> Parameter {
    Parameter::path("id", "The group's id.", group_id())
}

pub(super) fn list() -> Description {
    Description::new(
        TAG,
        "List groups",
        "The groups that you may reach, by their ids, each with how many records are in it.",
    )
    .takes(Parameter::query(
        "id",
        "The one group to list, if there is such a group.",
        text("A group's id."),
    ))
    .takes(Parameter::query(
        "limit",
        "How many at most.",
        number(100, 50),
    ))
    .takes(Parameter::query(
        "after",
        "The id that they come after: next_after of the last reply.",
        group_id(),
    ))
    .answers(200, Response::json("Groups.", component("Groups")))
    .refuses(400, "A parameter is not valid.")
}

pub(super) fn create() -> Description {
    let body = Schema::object([
        ("name", name()),
        ("dataset", dataset().described("What its records will be of.")),
    ])
    .with_optional([(
        "id",
        own_group_id().or_null().described("An id of your own; one is made if none is given. Ids such as customers.generic are kept for the groups of all of a source's records."),
    )]);
    let example = json!({"id": "tenants", "name": "Tenants", "dataset": "customers"});
    Description::new(TAG, "Create a group", "Makes a group without members. The same request again finds it made.")
        .with_body(RequestBody::json(body, example))
        .answers(200, Response::json("It was there already.", component("Group")))
        .answers(201, Response::json("It is made.", component("Group")).with_header("Location", location("The group.")))
        .refuses(400, "A field is missing or not valid, or the id is reserved.")
        .answers(409, conflict("There is another group with this id, one of this id is still being deleted, or the first request with this Idempotency-Key is still being answered."))
}

pub(super) fn rename() -> Description {
    let body = Schema::object([("name", name())]);
    Description::new(TAG, "Rename a group", "Gives a group another name.")
        .takes(id())
        .with_body(RequestBody::json(body, json!({"name": "Tenants of 2026"})))
        .answers(200, Response::json("It has the name.", component("Group")))
        .refuses(400, "The name is missing or not valid.")
        .refuses(404, "There is no such group.")
}

pub(super) fn delete() -> Description {
    let accepted = Response::json(
        "It is gone; a job removes its memberships.",
        component("GroupDeletion"),
    );
    Description::new(
        TAG,
        "Delete a group",
        "Deletes a group, and not the records in it. It is unknown at once.",
    )
    .takes(id())
    .answers(202, accepted.with_header("Location", location("The job.")))
    .refuses(404, "There is no such group.")
    .refuses(
        409,
        "All of a source's records are in this group as long as they are there.",
    )
}
