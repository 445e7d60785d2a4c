//! `/v1/groups`.

use clientele::{
    Registry,
    store::{
        DeletedGroup, GroupId,
        jobs::{NewJob, Task},
    },
    web::{Call, Principal, Problem, Reply, job_body, json},
};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

/// Deletes a group, not its customers: it is unknown at once, and a job removes its memberships.
/// The same again, before the job has ended, answers with the same job.
pub(crate) async fn delete(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    id: &str,
) -> Reply {
    let unknown = || Problem::not_found("group");
    let id: GroupId = id.parse().map_err(|_| unknown())?;
    if !caller.may_reach(&id) {
        return Err(unknown());
    }
    let (store, organization) = (&registry.store, caller.organization);
    call.audit(|line| {
        line.group(&id);
        line.deletion();
    });
    let deleted = match store.group(organization, &id).await? {
        Some(_) if id.is_of_source() => return Err(group_of_source()),
        Some(group) => {
            let deleted = DeletedGroup {
                dataset: group.dataset,
                job: Uuid::new_v4(),
                at: Timestamp::now(),
                done_at: None,
            };
            if !store
                .mark_group_deleted(organization, &id, &deleted)
                .await?
            {
                return Err(unknown());
            }
            deleted
        }
        // A request that died before its job was handed over is made good by its retry.
        None => {
            let deleted = store.deleted_group(organization, &id).await?;
            let unfinished = deleted.filter(|deleted| deleted.done_at.is_none());
            unfinished.ok_or_else(unknown)?
        }
    };
    let new = NewJob {
        group: Some(id.to_string()),
        ..NewJob::without_file(
            Task::DeleteGroup,
            deleted.job,
            organization,
            &deleted.dataset,
        )
    };
    let job = store.register_job(&new, Timestamp::now()).await?;
    registry.bucket.put_note(&job, "registered").await?;
    call.audit(|line| line.job(job.id));
    let body = job_body(&job, call.language());
    Ok(json(StatusCode::ACCEPTED, &Value::Object(body)))
}

fn group_of_source() -> Problem {
    let detail = "this group holds all records of its source and cannot be deleted";
    Problem::conflict("group_of_source", detail)
}
