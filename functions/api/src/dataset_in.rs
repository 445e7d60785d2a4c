//! `POST /api/v1/in/{dataset}` and `…/check`.

use bytes::Bytes;
use clientele::{
    Registry,
    dataset::Dataset,
    identity::DataOrigin,
    import::{self, Question},
    store::{
        GroupId,
        jobs::{Job, Mode, Operation},
    },
    web::{Call, Principal, Problem, Reply, column_warnings, json, row_error},
};
use http::{Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    dataset_named, source_named,
    staging::{Rows, stage},
};

/// The most rows of one request.
const MAX_ROWS: usize = 10_000;
/// The most row errors in a reply.
const MAX_ERRORS: usize = 1_000;

/// What clients of this interface know as the reply to a push.
const STARTED: &str = "Import started";

#[derive(Deserialize)]
struct Push {
    /// Parsed in full, so that what the import could not read is refused now.
    data: Vec<Value>,
}

fn check_rows(call: &Call<'_>) -> Result<(), Problem> {
    let push: Push = call.object()?;
    match push.data.len() {
        1..=MAX_ROWS => Ok(()),
        found => Err(Problem::bad_request(
            "row_count",
            format!("data must hold 1 to {MAX_ROWS} rows, and holds {found}"),
        )),
    }
}

/// Registers a job for the rows and hands them to the import function through the bucket.
pub(crate) async fn import(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    dataset: &str,
) -> Reply {
    let dataset = dataset_named(dataset)?;
    let origin = source_named(call, caller, &dataset)?;
    check_group(caller, &dataset, &origin)?;
    check_rows(call)?;

    let rows = Rows {
        dataset: &dataset,
        origin: &origin,
        group: None,
        operation: Operation::Import,
        mode: Mode::Write,
        filename: &format!("{}.json", dataset.name()),
        content: Bytes::copy_from_slice(call.body),
    };
    let job = stage(registry, call, caller.organization, rows).await?;
    Ok(started(&job))
}

fn started(job: &Job) -> Response<String> {
    let path = format!("/v1/jobs/{}", job.id);
    let body = json!({
        "id": job.import_id,
        // Many clients read at most six digits of a second.
        "created_at": format!("{:.3}", job.created_at),
        "status": STARTED,
        "job": path,
    });
    let mut response = json(StatusCode::CREATED, &body);
    if let Ok(location) = path.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Says what an import of the rows would do.
pub(crate) async fn check(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    dataset: &str,
) -> Reply {
    let dataset = dataset_named(dataset)?;
    let origin = source_named(call, caller, &dataset)?;
    check_group(caller, &dataset, &origin)?;
    check_rows(call)?;
    let question = Question {
        organization: caller.organization,
        origin,
        dataset,
        group: None,
        mode: Mode::Write,
        filename: String::new(),
        content: Bytes::copy_from_slice(call.body),
        limits: None,
    };
    let checked = import::check(&registry.store, &registry.keys, question)
        .await
        .map_err(Problem::internal)?;
    let language = call.language();
    let checked =
        checked.map_err(|error| Problem::bad_request(error.code(), error.message(language)))?;
    let shown = checked.errors.iter().take(MAX_ERRORS);
    let errors: Vec<Value> = shown.map(|error| row_error(error, language)).collect();
    let counts = checked.counts;
    call.audit(|line| line.count("rows", counts.rows_read));
    let body = json!({
        "rows": counts.rows_read,
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "superseded": counts.superseded,
        "duplicates": counts.duplicates,
        "rejected": counts.rejected,
        "warnings": column_warnings(&checked.columns, language),
        "errors": errors,
    });
    Ok(json(StatusCode::OK, &body))
}

/// A principal that is bound to groups may write only into a source whose group it may reach.
pub(crate) fn check_group(
    caller: &Principal,
    dataset: &Dataset,
    origin: &DataOrigin,
) -> Result<(), Problem> {
    let may_write = |dataset: &Dataset| caller.may_reach(&GroupId::of_source(dataset, origin));
    // A meter's row writes its customer too. A source that may push meters may push theirs.
    let customers =
        !dataset.is_of_devices() || caller.source().is_some() || may_write(&Dataset::customers());
    match may_write(dataset) && customers {
        true => Ok(()),
        false => Err(Problem::not_found("source")),
    }
}
