//! `GET /v1/jobs/{id}/report`.

use std::collections::HashSet;

use clientele::{
    Registry,
    import::rejected::RejectedRows,
    language::Language,
    record::{RowError, Severity},
    store::jobs::{Job, MAX_KEPT_ERRORS},
    web::{Call, Principal, Reply, job_body, json, row_error},
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::jobs;

/// Rows that a group of errors names.
const FIRST_ROWS: usize = 10;

/// A job with its row errors, one by one and grouped by what is wrong with which column.
pub(crate) async fn report(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    id: &str,
) -> Reply {
    let job = jobs::visible(registry, call, caller, id).await?;
    let errors = registry
        .store
        .row_errors(job.organization, job.id, MAX_KEPT_ERRORS)
        .await?;
    let language = call.language();
    let rejected = RejectedRows::of(&registry.bucket, &job);
    let shown: Vec<Value> = errors.iter().map(|e| row_error(e, language)).collect();
    let mut body = job_body(&job, language);
    body.extend([
        ("error_groups".to_owned(), groups(&errors, language).into()),
        ("errors_kept".to_owned(), errors.len().into()),
        (
            "errors_truncated".to_owned(),
            is_truncated(&job, &errors).into(),
        ),
        ("errors".to_owned(), shown.into()),
        (
            "rejected_csv".to_owned(),
            json!((job.counts.rejected > 0).then(|| json!({
                "url": format!("/v1/jobs/{}/rejected.csv", job.id),
                "rows": job.counts.rejected,
                "expires_at": job.finished_at.map(|_| rejected.expires_at()),
            }))),
        ),
    ]);
    Ok(json(StatusCode::OK, &Value::Object(body)))
}

/// Errors that say the same of the same column, the most frequent first.
fn groups(errors: &[RowError], language: Language) -> Vec<Value> {
    let mut groups: Vec<(&RowError, Vec<u64>)> = Vec::new();
    for error in errors {
        // Hints of row errors name other rows, so that they do not tell groups apart.
        let same = |(first, _): &&mut (&RowError, Vec<u64>)| {
            first.code == error.code && first.column == error.column
        };
        match groups.iter_mut().find(same) {
            Some((_, rows)) => rows.push(error.row),
            None => groups.push((error, vec![error.row])),
        }
    }
    groups.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    let group = |(first, rows): &(&RowError, Vec<u64>)| {
        json!({
            "code": first.code.as_str(),
            "column": first.column,
            "severity": first.code.severity(),
            "count": rows.len(),
            "first_rows": rows.iter().take(FIRST_ROWS).collect::<Vec<_>>(),
            "example": first.message(language),
        })
    };
    groups.iter().map(group).collect()
}

/// Whether there were more errors and warnings than a job keeps.
fn is_truncated(job: &Job, errors: &[RowError]) -> bool {
    let rows = |severity: Severity| {
        let of = errors.iter().filter(|e| e.code.severity() == severity);
        of.map(|error| error.row).collect::<HashSet<_>>().len() as u64
    };
    errors.len() >= MAX_KEPT_ERRORS
        || rows(Severity::Error) < job.counts.rejected
        || rows(Severity::Warning) < job.counts.duplicates
}
