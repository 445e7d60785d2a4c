//! Jobs that calls register, each once however often its call is repeated.

use clientele::{
    Registry,
    store::jobs::{Job, JobState, NewJob},
    web::{Call, Problem},
};
use jiff::Timestamp;
use uuid::Uuid;

/// The code of a job whose rows could not be put into the bucket.
pub(crate) const NOT_RECEIVED: &str = "not_received";

/// Registers a call's job. A repeated call finds the one that it registered before, unless that
/// will never get its rows: then another follows it.
pub(crate) async fn register(
    registry: &Registry,
    call: &Call<'_>,
    new: impl Fn(Uuid) -> NewJob,
) -> Result<Job, Problem> {
    let mut id = call.new_id();
    loop {
        let now = Timestamp::now();
        let job = registry.store.register_job(&new(id), now).await?;
        if !waits_in_vain(&job, now) {
            call.audit(|line| line.job(job.id));
            return Ok(job);
        }
        id = Uuid::new_v5(&id, b"the job after");
    }
}

fn waits_in_vain(job: &Job, now: Timestamp) -> bool {
    let is_overdue = job.upload_until.is_some_and(|until| until < now);
    // Of a job without a file that nobody could be told of.
    let was_not_started = job.state == JobState::Cancelled && job.started_at.is_none();
    was_abandoned(job)
        || is_overdue && job.state == JobState::Queued
        || was_not_started && !job.operation.has_file()
}

/// Whether the call that registered a job ended it, since its rows could not be kept.
pub(crate) fn was_abandoned(job: &Job) -> bool {
    job.error.as_ref().is_some_and(|e| e.code == NOT_RECEIVED)
}
