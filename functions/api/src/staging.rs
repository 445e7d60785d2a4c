//! Rows of a request on their way to the import function, through the bucket.

use bytes::Bytes;
use clientele::{
    Registry,
    dataset::Dataset,
    identity::{DataOrigin, OrganizationId},
    import::ObjectKey,
    store::{
        GroupId,
        jobs::{Claim, Job, JobError, JobState, Mode, NewJob, Operation},
    },
    web::{Call, Problem},
};
use jiff::Timestamp;

use crate::{
    registration::{NOT_RECEIVED, register, was_abandoned},
    uploads::extension,
};

/// Rows to import.
pub(crate) struct Rows<'r> {
    pub(crate) dataset: &'r Dataset,
    pub(crate) origin: &'r DataOrigin,
    /// The group that they join, besides their source's.
    pub(crate) group: Option<&'r GroupId>,
    pub(crate) operation: Operation,
    pub(crate) mode: Mode,
    pub(crate) filename: &'r str,
    pub(crate) content: Bytes,
}

/// Registers a job for rows and puts them where the import function finds them.
pub(crate) async fn stage(
    registry: &Registry,
    call: &Call<'_>,
    organization: OrganizationId,
    rows: Rows<'_>,
) -> Result<Job, Problem> {
    registry.store.ensure_organization(organization).await?;
    let source = registry
        .store
        .ensure_source(organization, rows.origin)
        .await?;
    let name = format!("rows{}", extension(rows.filename));
    let job = register(registry, call, |id| NewJob {
        id,
        organization,
        operation: rows.operation,
        dataset: rows.dataset.name().to_owned(),
        data_origin: rows.origin.to_string(),
        source_id: source.id,
        group: rows.group.map(GroupId::to_string),
        mode: rows.mode,
        key: ObjectKey::staged(organization, id, &name),
        filename: rows.filename.to_owned(),
        object_modified: None,
        etag: None,
        upload_until: None,
    })
    .await?;
    // A job that somebody works on has its rows, from the call that this one repeats.
    if job.state != JobState::Queued {
        return Ok(job);
    }
    match registry.bucket.put(&job.key, rows.content).await {
        Ok(()) => Ok(job),
        Err(error) => abandon(registry, job).await.ok_or_else(|| error.into()),
    }
}

/// Ends a job whose rows did not reach the bucket. Gives it back if they did, and only the word of
/// it was lost: then somebody else works on the job, or has ended it. If nothing of this can be
/// found out, the job stays queued.
async fn abandon(registry: &Registry, job: Job) -> Option<Job> {
    const API: &str = "api";
    let (store, id) = (&registry.store, job.id);
    let now = Timestamp::now();
    let mut taken = match store.claim_job(job.organization, id, API, now).await {
        Ok(Claim::Taken(taken)) => taken,
        Ok(Claim::Held) => return Some(job),
        Ok(Claim::Ended(ended)) => return Some(*ended).filter(|ended| !was_abandoned(ended)),
        Err(error) => {
            tracing::error!(%error, job = %id, "a job perhaps without rows stays queued");
            return None;
        }
    };
    if taken.started_at.is_some() {
        // Whoever began goes on in another invocation.
        if let Err(error) = store.release_job(&taken, API).await {
            tracing::error!(%error, job = %id, "a job that has begun waits for a lease to end");
        }
        return Some(*taken);
    }
    taken.state = JobState::Failed;
    taken.finished_at = Some(now);
    taken.error = Some(JobError {
        code: NOT_RECEIVED.to_owned(),
        en: "the rows could not be kept; send them again".to_owned(),
        fr: "les lignes n'ont pas pu être conservées ; envoyez-les à nouveau".to_owned(),
    });
    if let Err(error) = store.save_job(&taken, 0).await {
        tracing::error!(%error, job = %id, "a job without rows stays queued");
    }
    None
}
