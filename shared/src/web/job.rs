//! Jobs as clients see them.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    language::Language,
    record::RowError,
    store::jobs::{Column, Counts, Job, JobError, JobState},
};
use jiff::Timestamp;

/// The job in a path: a UUID, or a long id that ends with one.
pub fn job_id(text: &str) -> Option<Uuid> {
    text.rsplit('/').next()?.parse().ok()
}

/// A row's error.
pub fn row_error(error: &RowError, language: Language) -> Value {
    json!({
        "row": error.row,
        "line": error.line,
        "column": error.column,
        "code": error.code.as_str(),
        "severity": error.code.severity(),
        "message": error.message(language),
    })
}

/// What the sender of a file should know of its columns.
pub fn column_warnings(columns: &[Column], language: Language) -> Vec<Value> {
    let warning = |column: &Column| {
        let message = column.warning(language)?;
        Some(json!({"column": column.header, "code": column.ignored, "message": message}))
    };
    columns.iter().filter_map(warning).collect()
}

/// The id of a job that clients of the customer management interface know.
pub fn long_job_id(host: &str, job: &Job) -> String {
    format!(
        "{host}/{}/{}_customers/{}",
        job.organization,
        job.operation.as_str(),
        job.id
    )
}

/// Whether the file of an announced upload did not come in time.
fn is_overdue(job: &Job) -> bool {
    let overdue = job
        .upload_until
        .is_some_and(|until| until < Timestamp::now());
    overdue && job.state == JobState::Queued
}

/// A job.
pub fn job_body(job: &Job, language: Language) -> Map<String, Value> {
    let Counts {
        rows_read,
        created,
        updated,
        unchanged,
        superseded,
        duplicates,
        rejected,
    } = job.counts;
    let told = |error: &JobError| {
        let message = match language {
            Language::English => &error.en,
            Language::French => &error.fr,
        };
        json!({"code": error.code, "message": message})
    };
    let error = job.error.as_ref().map(told);
    let (state, error) = match is_overdue(job) {
        true => (JobState::Failed, Some(not_uploaded(language))),
        false => (job.state, error),
    };
    let body = json!({
        "warnings": column_warnings(&job.columns, language),
        "id": job.id,
        "operation": job.operation,
        "import_id": job.import_id,
        "state": state,
        "cancel_requested": job.cancel_requested_at.is_some(),
        "mode": job.mode,
        "dataset": job.dataset,
        "source": job.data_origin,
        "group": job.group,
        "key": job.key,
        "filename": job.filename,
        "size": job.size,
        "sha256": job.sha256,
        "format": job.format,
        "encoding": job.encoding,
        "delimiter": job.delimiter,
        "gzip": job.gzip,
        "columns": job.columns,
        "rows_total": job.rows_total,
        "rows_read": rows_read,
        "created": created,
        "updated": updated,
        "unchanged": unchanged,
        "superseded": superseded,
        "duplicates": duplicates,
        "rejected": rejected,
        "percent": percent(job),
        "rows_per_second": rows_per_second(job),
        "upload_expires_at": job.upload_until,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "error": error,
        "remark": job.remark.as_ref().map(told),
    });
    match body {
        Value::Object(body) => body,
        _ => Map::new(),
    }
}

fn not_uploaded(language: Language) -> Value {
    let message = match language {
        Language::English => "the file was not uploaded in time; ask for another upload",
        Language::French => "le fichier n'a pas été envoyé à temps ; demandez un autre envoi",
    };
    json!({"code": "not_uploaded", "message": message})
}

fn percent(job: &Job) -> Option<u64> {
    match job.rows_total {
        _ if job.state.is_complete() => Some(100),
        Some(0) | None => None,
        Some(total) => Some(job.counts.rows_read * 100 / total),
    }
}

fn rows_per_second(job: &Job) -> Option<u64> {
    let until = job.finished_at.unwrap_or_else(Timestamp::now);
    let elapsed = until.duration_since(job.started_at?).as_secs_f64();
    (elapsed > 0.0).then(|| (job.counts.rows_read as f64 / elapsed) as u64)
}
