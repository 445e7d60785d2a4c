//! `POST /v1/customer/check` and `PATCH /v1/customer`: rows are checked while the client waits,
//! and imported in the background if all of them are right.

mod upload;

use clientele::{
    Registry,
    dataset::{Dataset, workspace::WORKSPACE},
    decode::Limits,
    identity::DataOrigin,
    import::{self, Checked, FileError, Question},
    language::Language,
    record::Severity,
    store::{
        Group, GroupId,
        jobs::{Job, Mode, Operation},
    },
    web::{
        Call, Principal, Problem, Reply, column_warnings, customer_group, json, long_job_id,
        row_error,
    },
};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::{
    dataset_in::check_group,
    dataset_of_files, source_of_files,
    staging::{Rows, stage},
};
use upload::Upload;

/// The most rows of one request.
const MAX_ROWS: u64 = 10_000;
/// The most MiB of values in a request: what a compressed file expands to, as well.
const MAX_MEBIBYTES: u64 = 64;
/// The most row errors in a reply.
const MAX_ERRORS: usize = 1_000;

/// What clients of this interface know as the reply to rows without errors.
const CLEAN: &str = "Data is clean to upload";

/// Checks rows and has them imported into a group.
pub(crate) async fn check(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    answer(registry, call, caller, Mode::AllOrNothing).await
}

/// Checks rows that change customers of a group, and has them imported.
pub(crate) async fn update(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    answer(registry, call, caller, Mode::Update).await
}

async fn answer(registry: &Registry, call: &Call<'_>, caller: &Principal, mode: Mode) -> Reply {
    call.takes_query(&["dry_run", "source"])?;
    let is_dry_run = is_dry_run(call)?;
    let Upload {
        group,
        filename,
        content,
    } = Upload::of(call).await?;
    let is_file = filename.is_some();
    if group.as_deref() == Some(GroupId::of_workspace().as_str()) {
        // Without fields, the group of all customers cannot exist either.
        dataset_of_files(registry, caller, WORKSPACE).await?;
    }
    let group = customer_group(registry, call, caller, group).await?;
    let dataset = dataset_of_files(registry, caller, &group.dataset).await?;
    let origin = source(call, caller, &dataset, &group)?;
    // Changes stay inside the group, but for the customers of meters.
    if mode != Mode::Update || dataset.is_of_devices() {
        check_group(caller, &dataset, &origin).map_err(|_| Problem::no_customers())?;
    }
    let filename = filename.unwrap_or_else(|| "customers.json".to_owned());
    let question = Question {
        organization: caller.organization,
        origin: origin.clone(),
        dataset: dataset.clone(),
        group: Some(group.clone()),
        mode,
        filename: filename.clone(),
        content: content.clone(),
        limits: Some(Limits {
            rows: MAX_ROWS,
            mebibytes: MAX_MEBIBYTES,
        }),
    };
    let checked = import::check(&registry.store, &registry.keys, question).await;
    let language = call.language();
    let mut checked = checked
        .map_err(Problem::internal)?
        .map_err(|error| refused_file(&error, language))?;
    if !is_file {
        // Lines are those of the array in the request, which nobody counts.
        checked
            .errors
            .iter_mut()
            .for_each(|error| error.line = None);
    }
    call.audit(|line| line.count("rows", checked.counts.rows_read));
    refuse_errors(&checked, language)?;
    if is_dry_run {
        return Ok(json(StatusCode::OK, &prediction(&checked, language)));
    }
    let rows = Rows {
        dataset: &dataset,
        origin: &origin,
        group: Some(&group.id),
        operation: match mode {
            Mode::Update => Operation::Update,
            _ => Operation::Upload,
        },
        mode,
        filename: &filename,
        content,
    };
    let job = stage(registry, call, caller.organization, rows).await?;
    Ok(json(
        StatusCode::OK,
        &started(call, &checked, language, &job),
    ))
}

fn is_dry_run(call: &Call<'_>) -> Result<bool, Problem> {
    match call.query.get("dry_run").map(String::as_str) {
        None | Some("false" | "0") => Ok(false),
        Some("" | "true" | "1") => Ok(true),
        Some(_) => Err(Problem::bad_request(
            "invalid_query",
            "dry_run must be true or false",
        )),
    }
}

/// The source of a request's rows: the group's, if it is a source's own.
fn source(
    call: &Call<'_>,
    caller: &Principal,
    dataset: &Dataset,
    group: &Group,
) -> Result<DataOrigin, Problem> {
    let named = call.query.get("source").map(String::as_str);
    let own = group.id.source();
    let Some(own) = own.filter(|_| !dataset.is_workspace()) else {
        return source_of_files(caller, dataset, named);
    };
    match named.is_none_or(|name| name == own.as_str()) {
        true => source_of_files(caller, dataset, Some(own.as_str())),
        false => Err(Problem::bad_request(
            "group_of_other_source",
            "this group is kept for all the records of another source; name another group",
        )),
    }
}

fn refused_file(error: &FileError, language: Language) -> Problem {
    match error {
        // Clients know this one's words.
        FileError::RowsOfRequest { .. } => {
            Problem::bad_request(error.code(), error.message(Language::English))
        }
        error => Problem::bad_request(error.code(), error.message(language)),
    }
}

/// Refuses rows of which one has errors, or of which there is none.
fn refuse_errors(checked: &Checked, language: Language) -> Result<(), Problem> {
    let (rows, rejected) = (checked.counts.rows_read, checked.counts.rejected);
    if rows == 0 {
        let detail = format!("there are no rows; send 1 to {MAX_ROWS}");
        return Err(Problem::bad_request("row_count", detail));
    }
    if rejected == 0 {
        return Ok(());
    }
    let errors = checked
        .errors
        .iter()
        .filter(|error| error.code.severity() == Severity::Error);
    let shown = errors.take(MAX_ERRORS);
    let shown: Vec<Value> = shown.map(|error| row_error(error, language)).collect();
    let detail = format!("{rejected} of {rows} rows have errors, so nothing was written");
    Err(Problem::bad_request("rows_refused", detail)
        .with_errors(shown)
        .with_member("errors_total", checked.errors_found)
        .with_member("rows", rows))
}

fn prediction(checked: &Checked, language: Language) -> Value {
    let counts = checked.counts;
    let mut body = clean(checked, language);
    body.extend([
        ("dry_run".to_owned(), json!(true)),
        ("created".to_owned(), json!(counts.created)),
        ("updated".to_owned(), json!(counts.updated)),
        ("unchanged".to_owned(), json!(counts.unchanged)),
        ("superseded".to_owned(), json!(counts.superseded)),
        ("duplicates".to_owned(), json!(counts.duplicates)),
    ]);
    Value::Object(body)
}

fn started(call: &Call<'_>, checked: &Checked, language: Language, job: &Job) -> Value {
    let mut body = clean(checked, language);
    body.extend([
        ("job_id".to_owned(), json!(long_job_id(call.host(), job))),
        ("job".to_owned(), json!(format!("/v1/jobs/{}", job.id))),
    ]);
    Value::Object(body)
}

fn clean(checked: &Checked, language: Language) -> Map<String, Value> {
    let mut warnings = column_warnings(&checked.columns, language);
    let of_rows = checked.errors.iter().take(MAX_ERRORS);
    warnings.extend(of_rows.map(|warning| row_error(warning, language)));
    Map::from_iter([
        ("message".to_owned(), json!(CLEAN)),
        ("rows".to_owned(), json!(checked.counts.rows_read)),
        ("warnings".to_owned(), warnings.into()),
    ])
}
