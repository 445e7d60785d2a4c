//! Stopping a job on request.
//!
//! A job that nobody works on ends at once. One that is worked on is asked to stop: its
//! invocation ends it after the batch under way, so that its counts stay exact.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use uuid::Uuid;

use super::{CANCEL_REQUESTED_AT, Job, JobState, LEASE};
use crate::{
    identity::OrganizationId,
    store::{Store, StoreError, retry::Backoff},
};

/// What a request to cancel came to.
#[derive(Debug)]
pub enum Cancelled {
    /// The job has ended, and was stopped by this request.
    Now(Box<Job>),
    /// The job will end after the batch under way.
    Soon(Box<Job>),
    /// The job had ended before.
    Ended(Box<Job>),
    /// There is no such job.
    Unknown,
}

impl Store {
    /// Asks a job to stop.
    pub async fn cancel_job(
        &self,
        organization: OrganizationId,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Cancelled, StoreError> {
        let mut backoff = Backoff::new("cancelling a job");
        loop {
            let Some(mut job) = self.job(organization, id).await? else {
                return Ok(Cancelled::Unknown);
            };
            if job.state.is_ended() {
                return Ok(Cancelled::Ended(Box::new(job)));
            }
            if is_idle(&job, now) {
                let before = job.lease_until;
                job.state = JobState::Cancelled;
                job.finished_at = Some(now);
                job.cancel_requested_at.get_or_insert(now);
                if self.end_idle_job(&job, before).await? || self.has_ended_as(&job).await? {
                    return Ok(Cancelled::Now(Box::new(job)));
                }
            } else if job.cancel_requested_at.is_some() {
                return Ok(Cancelled::Soon(Box::new(job)));
            } else if self.request_cancel(&job, now).await? {
                job.cancel_requested_at = Some(now);
                return Ok(Cancelled::Soon(Box::new(job)));
            }
            backoff.wait().await?;
        }
    }

    /// Ends a job, if nobody has taken it up since.
    async fn end_idle_job(&self, job: &Job, lease_until: Option<i64>) -> Result<bool, StoreError> {
        let until = lease_until.map_or(AttributeValue::Null(true), |until| {
            AttributeValue::N(until.to_string())
        });
        let finished_at = job.finished_at.unwrap_or(job.created_at).to_string();
        self.update_running(
            job,
            "SET #state = :cancelled, #finished = :at, #cancel = :at",
            "#until = :until AND #parts = :parts",
            &[
                ("#finished", "finished_at"),
                ("#cancel", CANCEL_REQUESTED_AT),
                ("#until", "lease_until"),
                ("#parts", "parts_done"),
            ],
            vec![
                (":cancelled", AttributeValue::S("cancelled".to_owned())),
                (":at", AttributeValue::S(finished_at)),
                (":until", until),
                (
                    ":parts",
                    AttributeValue::N(job.split.parts_done.to_string()),
                ),
            ],
        )
        .await
    }

    async fn request_cancel(&self, job: &Job, now: Timestamp) -> Result<bool, StoreError> {
        self.update_running(
            job,
            "SET #cancel = :at",
            "attribute_type(#cancel, :null)",
            &[("#cancel", CANCEL_REQUESTED_AT)],
            vec![
                (":at", AttributeValue::S(now.to_string())),
                (":null", AttributeValue::S("NULL".to_owned())),
            ],
        )
        .await
    }
}

/// Whether nobody works on a job: it is queued, or whoever did must be dead by now.
fn is_idle(job: &Job, now: Timestamp) -> bool {
    if job.state == JobState::Queued {
        return true;
    }
    // Parts have no lease; each looks at the request before it begins.
    if job.split.is_split {
        let asked = job.cancel_requested_at;
        return asked.is_some_and(|asked| asked + LEASE < now);
    }
    let now = now.as_millisecond();
    job.lease_until.is_none_or(|until| until < now)
}
