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
    registration::{NOT_RECEIVED, register},
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
    if job.state == JobState::Queued
        && let Err(error) = registry.bucket.put(&job.key, rows.content).await
    {
        abandon(registry, job).await;
        return Err(error.into());
    }
    Ok(job)
}

/// Ends a job whose rows did not reach the bucket. If this fails too, the job stays queued.
async fn abandon(registry: &Registry, job: Job) {
    let (organization, id) = (job.organization, job.id);
    let now = Timestamp::now();
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
