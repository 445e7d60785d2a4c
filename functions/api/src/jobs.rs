//! `GET /v1/jobs`, `GET /v1/jobs/{id}` and `POST /v1/jobs/{id}/cancel`.

use clientele::{
    Registry,
    store::jobs::{Cancelled, Job, Operation},
    web::{Call, Principal, Problem, Reply, Scope, job_body, job_id, json, row_error},
};
use http::StatusCode;
use serde_json::{Value, json};

const DEFAULT_JOBS: u64 = 50;
const MAX_JOBS: u64 = 100;
/// Import ids are counted up from 1.
const MAX_IMPORT_ID: u64 = i64::MAX as u64;
const DEFAULT_ERRORS: u64 = 100;
const MAX_ERRORS: u64 = 1_000;

/// The organisation's latest jobs, or those before an import id: `next_before` of the last reply.
pub(crate) async fn list(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let limit = call.number("limit", DEFAULT_JOBS, MAX_JOBS)?;
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    let before = match call.query.get("before") {
        Some(_) => Some(call.number("before", 1, MAX_IMPORT_ID)?),
        None => None,
    };
    let jobs = registry
        .store
        .jobs(caller.organization, limit, before)
        .await?;
    let full = jobs.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    let next = jobs.last().filter(|_| full).map(|job| job.import_id);
    let language = call.language();
    let shown = jobs.iter().filter(|job| may_see(caller, job));
    // The columns are on each job's own page: a hundred wide files would not fit into a reply.
    let brief = |job: &Job| {
        let mut body = job_body(job, language);
        body.remove("columns");
        body.remove("warnings");
        Value::Object(body)
    };
    let jobs: Vec<Value> = shown.map(brief).collect();
    Ok(json(
        StatusCode::OK,
        &json!({"jobs": jobs, "next_before": next}),
    ))
}

/// One job, with its first row errors.
pub(crate) async fn one(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    id: &str,
) -> Reply {
    let limit = call.number("errors", DEFAULT_ERRORS, MAX_ERRORS)?;
    let job = visible(registry, call, caller, id).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let errors = registry
        .store
        .row_errors(job.organization, job.id, limit)
        .await?;
    let language = call.language();
    let mut body = job_body(&job, language);
    let errors: Vec<Value> = errors
        .iter()
        .map(|error| row_error(error, language))
        .collect();
    body.insert("errors".to_owned(), errors.into());
    Ok(json(StatusCode::OK, &Value::Object(body)))
}

/// Stops a job. One that is worked on stops after the batch under way: 202.
pub(crate) async fn cancel(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    id: &str,
) -> Reply {
    let job = visible(registry, call, caller, id).await?;
    if !job.operation.can_be_cancelled() {
        let detail = "the group is gone already; its deletion cannot be cancelled";
        return Err(Problem::conflict("job_not_cancellable", detail));
    }
    // Who may not start one may not stop one either.
    if job.operation == Operation::Rewrap && !caller.may(Scope::WorkspaceAdmin) {
        return Err(Problem::forbidden(Scope::WorkspaceAdmin.as_str()));
    }
    let now = jiff::Timestamp::now();
    let cancelled = registry
        .store
        .cancel_job(job.organization, job.id, now)
        .await?;
    let (status, job) = match cancelled {
        Cancelled::Now(job) => (StatusCode::OK, job),
        Cancelled::Soon(job) => (StatusCode::ACCEPTED, job),
        Cancelled::Ended(_) => {
            return Err(Problem::conflict("job_ended", "the job has ended already"));
        }
        Cancelled::Unknown => return Err(Problem::not_found("job")),
    };
    let body = job_body(&job, call.language());
    Ok(json(status, &Value::Object(body)))
}

/// The job in a path. One that the caller may not see does not exist.
pub(crate) async fn visible(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    id: &str,
) -> Result<Job, Problem> {
    let id = job_id(id).ok_or_else(|| Problem::not_found("job"))?;
    let job = registry.store.job(caller.organization, id).await?;
    let job = job
        .filter(|job| may_see(caller, job))
        .ok_or_else(|| Problem::not_found("job"))?;
    call.audit(|line| line.job(job.id));
    Ok(job)
}

/// A principal that is bound to groups sees the jobs that write into them.
fn may_see(caller: &Principal, job: &Job) -> bool {
    if !caller.is_bound_to_groups() {
        return true;
    }
    let named = job.group.as_deref().and_then(|group| group.parse().ok());
    job.own_group()
        .into_iter()
        .chain(named)
        .any(|group| caller.may_reach(&group))
}
