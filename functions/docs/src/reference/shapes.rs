//! Values that many requests and replies have.

use clientele::{dataset::Dataset, dataset::schema::Schema, identity::MAX_DATA_ORIGIN};

/// A text.
pub(super) fn text(description: &'static str) -> Schema {
    Schema::of("string").described(description)
}

/// How many there are of something.
pub(super) fn count(description: &'static str) -> Schema {
    Schema::of("integer").at_least(0).described(description)
}

/// A point in time (RFC 3339), in UTC.
pub(super) fn time(description: &'static str) -> Schema {
    Schema::text_of("date-time").described(description)
}

/// True or false.
pub(super) fn flag(description: &'static str) -> Schema {
    Schema::of("boolean").described(description)
}

/// What would become of rows that are good.
pub(super) fn predicted() -> [(&'static str, Schema); 5] {
    [
        ("created", count("Records that would be new.")),
        ("updated", count("Records that would change.")),
        ("unchanged", count("Rows that would change nothing.")),
        (
            "superseded",
            count("Rows whose record a later import has written."),
        ),
        (
            "duplicates",
            count("Rows that a later row is about as well."),
        ),
    ]
}

/// Where a job can be read.
pub(super) fn job_path() -> Schema {
    text("Where the job can be read.").example("/v1/jobs/019a9d3e-5b0c-7c1e-9a57-2f1c0f9a6f11")
}

/// A job's long id.
pub(super) fn job_id() -> Schema {
    text("The job's long id; every route of jobs takes it, or the UUID at its end alone.")
        .example("registry.example/1/upload_customers/019a9d3e-5b0c-7c1e-9a57-2f1c0f9a6f11")
}

/// A name for people: something to see, and no control characters.
pub(super) fn name(most: usize) -> Schema {
    let visible = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";
    Schema::text_like(visible).of_length(1, most)
}

/// What means folders in a path.
const DOTS: &str = r"^\.{1,2}$";

/// A group's id.
pub(super) fn group_id() -> Schema {
    Schema {
        not: Some(Box::new(Schema::text_like(DOTS))),
        ..Schema::text_like("^[a-z0-9_.-]{1,64}$").example("tenants")
    }
}

/// A group's id that a group may be made with: those of all of a source's records are kept.
pub(super) fn own_group_id() -> Schema {
    let datasets: Vec<_> = Dataset::all_builtin()
        .iter()
        .map(|dataset| dataset.name())
        .collect();
    let kept = format!("^(?:{}|workspace)\\.[a-z0-9_]{{1,32}}$", datasets.join("|"));
    Schema {
        not: Some(Box::new(Schema::text_like(format!("{DOTS}|{kept}")))),
        ..group_id()
    }
}

/// The name of a source that several datasets may have.
pub(super) fn shared_source() -> Schema {
    let kept = ["external", "events", "workspace"];
    Schema {
        not: Some(Box::new(Schema::choice(kept))),
        ..source()
    }
}

/// A source's name.
pub(super) fn source() -> Schema {
    Schema::text_like("^[a-z0-9_]+$")
        .of_length(1, MAX_DATA_ORIGIN)
        .example("generic")
}

/// A built-in dataset's name.
pub(super) fn builtin_dataset() -> Schema {
    Schema::choice(Dataset::all_builtin().iter().map(|dataset| dataset.name()))
}

/// A dataset's name, the organization's own included.
pub(super) fn dataset() -> Schema {
    let names = Dataset::all_builtin().iter().map(|dataset| dataset.name());
    Schema::choice(names.chain(["workspace"]))
}

/// A whole number of the query, from 1, and what it is when it is left out.
pub(super) fn number(most: u64, default: u64) -> Schema {
    Schema::of("integer").between(1, most).with_default(default)
}

/// A customer's id, as clients have it.
pub(super) fn id() -> Schema {
    Schema::any([
        Schema::of("string"),
        Schema::of("integer").between(0, u64::MAX),
    ])
}
