//! `POST /api/v1/in/{dataset}` and `…/check`.

use clientele::{
    Registry,
    dataset::Dataset,
    identity::DataOrigin,
    import::{self, ImportError, ObjectKey},
    store::{
        GroupId,
        jobs::{Claim, Job, JobError, JobState, Mode, NewJob, Operation},
    },
    web::{Call, Principal, Problem, Reply, column_warnings, json, row_error},
};
use http::{Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    dataset_named,
    registration::{NOT_RECEIVED, register},
    source_named,
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
    let push: Push = call.body()?;
    // An array would pass for the struct, its elements for the fields.
    if call.body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::bad_request(
            "invalid_body",
            "the body must be a JSON object with an array of rows under \"data\"",
        ));
    }
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
    let origin = source_named(call, caller)?;
    check_group(caller, &dataset, &origin)?;
    check_rows(call)?;

    let organization = caller.organization;
    registry.store.ensure_organization(organization).await?;
    let source = registry.store.ensure_source(organization, &origin).await?;
    let filename = format!("{}.json", dataset.name());
    let job = register(registry, call, |id| NewJob {
        id,
        organization,
        operation: Operation::Import,
        dataset: dataset.name().to_owned(),
        data_origin: origin.to_string(),
        source_id: source.id,
        group: None,
        mode: Mode::Write,
        key: ObjectKey::staged(organization, id, &filename),
        filename: filename.clone(),
        object_modified: None,
        etag: None,
        upload_until: None,
    })
    .await?;
    // A job that somebody works on has its rows, from the call that this one repeats.
    if job.state == JobState::Queued
        && let Err(error) = registry.bucket.put(&job.key, call.body.to_vec()).await
    {
        abandon(registry, job).await;
        return Err(error.into());
    }
    Ok(started(&job))
}

fn started(job: &Job) -> Response<String> {
    let path = format!("/v1/jobs/{}", job.id);
    let body = json!({
        "id": job.import_id,
        "created_at": job.created_at,
        "status": STARTED,
        "job": path,
    });
    let mut response = json(StatusCode::CREATED, &body);
    if let Ok(location) = path.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Ends a job whose rows did not reach the bucket. If this fails too, the job stays queued.
async fn abandon(registry: &Registry, job: Job) {
    let (organization, id) = (job.organization, job.id);
    let now = jiff::Timestamp::now();
    let claim = registry.store.claim_job(organization, id, "api", now).await;
    let Ok(Claim::Taken(mut job)) = claim else {
        return;
    };
    job.state = JobState::Failed;
    job.finished_at = Some(now);
    job.error = Some(JobError {
        code: NOT_RECEIVED.to_owned(),
        en: "the rows could not be kept; send them again".to_owned(),
        fr: "les lignes n'ont pas pu être conservées ; envoyez-les à nouveau".to_owned(),
    });
    if let Err(error) = registry.store.save_job(&job, 0).await {
        tracing::error!(%error, job = %id, "a job without rows stays queued");
    }
}

/// Says what an import of the rows would do.
pub(crate) async fn check(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    dataset: &str,
) -> Reply {
    let dataset = dataset_named(dataset)?;
    let origin = source_named(call, caller)?;
    check_group(caller, &dataset, &origin)?;
    check_rows(call)?;
    let checked = import::check(
        &registry.store,
        &registry.keys,
        caller.organization,
        &origin,
        dataset,
        call.body.to_vec(),
    )
    .await
    .map_err(|error: ImportError| Problem::internal(error))?;
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
