//! Jobs whose file is imported in parts, by many invocations at once.
//!
//! A part's result reaches the job's counts in one transaction with the item that says that the
//! part is done: however often a part is imported, it counts once.

use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnConsumedCapacity, ReturnValue, TransactWriteItem, Update,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Counts, Job, JobError, JobState, LEASE, expiry, milliseconds, read};
use crate::{
    identity::OrganizationId,
    store::{
        Store, StoreError,
        capacity::Units,
        item::number,
        layout::{self, EXPIRES_AT},
        retry::Backoff,
        transact::Transacted,
    },
};

/// What became of a part's rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct PartResult {
    /// The part's number, from 1.
    pub number: u32,
    /// What became of its rows.
    pub counts: Counts,
    /// Row errors that were kept.
    pub errors_kept: u64,
}

/// Whether a part's result was added to its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartDone {
    /// It was.
    Counted,
    /// An earlier invocation had done the part.
    Already,
    /// The job has ended without it.
    JobEnded,
}

/// What nobody should ever read.
fn rows_missing() -> JobError {
    JobError {
        code: "rows_missing".to_owned(),
        en: "some of the file's rows were not imported; send it again".to_owned(),
        fr: "certaines lignes du fichier n'ont pas été importées ; renvoyez-le".to_owned(),
    }
}

impl Store {
    /// Saves how far a file has been split, and extends the invocation's lease or, once all parts
    /// are put or the invocation stops, gives it back. Returns the job as it stands, or nothing
    /// when the invocation does not hold it any more.
    pub async fn save_split(
        &self,
        job: &Job,
        parts_put_before: u64,
        keeps_lease: bool,
    ) -> Result<Option<Job>, StoreError> {
        let split = job.split;
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let owner = job.lease_owner.clone().unwrap_or_default();
        let (owner_after, until) = match keeps_lease {
            true => (text(&owner), milliseconds(Timestamp::now() + LEASE)),
            false => (AttributeValue::Null(true), AttributeValue::Null(true)),
        };
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(layout::job(job.organization, job.id).to_item()))
            .update_expression(
                "SET #rows = :rows, #parts = :parts, #done = :done, #owner = :owner, #until = :until",
            )
            .condition_expression(
                "#state = :running AND #owner = :me AND #parts = :before AND #done = :false",
            )
            .expression_attribute_names("#rows", "rows_split")
            .expression_attribute_names("#parts", "parts_put")
            .expression_attribute_names("#done", "split_done")
            .expression_attribute_names("#owner", "lease_owner")
            .expression_attribute_names("#until", "lease_until")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":rows", number(split.rows_split))
            .expression_attribute_values(":parts", number(split.parts_put))
            .expression_attribute_values(":done", AttributeValue::Bool(split.split_done))
            .expression_attribute_values(":false", AttributeValue::Bool(false))
            .expression_attribute_values(":owner", owner_after)
            .expression_attribute_values(":until", until)
            .expression_attribute_values(":running", text("running"))
            .expression_attribute_values(":me", text(&owner))
            .expression_attribute_values(":before", number(parts_put_before))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                let item = output.attributes.ok_or(StoreError::corrupt("job", "pk"))?;
                Ok(Some(read(item)?))
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => {
                    // A save whose reply was lost is found done.
                    let found = self.job(job.organization, job.id).await?;
                    Ok(found.filter(|found| {
                        found.lease_owner == job.lease_owner.clone().filter(|_| keeps_lease)
                            && (found.split.parts_put, found.split.split_done)
                                == (split.parts_put, split.split_done)
                    }))
                }
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }

    /// Whether a part was imported.
    pub async fn part_is_done(
        &self,
        organization: OrganizationId,
        id: Uuid,
        number: u32,
    ) -> Result<bool, StoreError> {
        let key = layout::job_part(organization, id, number);
        Ok(self.get(&key).await?.is_some())
    }

    /// Adds a part's result to its job, once.
    pub async fn complete_part(
        &self,
        job: &Job,
        result: &PartResult,
    ) -> Result<PartDone, StoreError> {
        let mut done = layout::job_part(job.organization, job.id, result.number).to_item();
        done.insert(EXPIRES_AT.to_owned(), expiry(job.created_at));
        let actions = vec![self.put_new(done)?, self.count_part(job, result)?];
        let mut backoff = Backoff::new("closing a part");
        loop {
            match self.transact(actions.clone()).await? {
                Transacted::Done => return Ok(PartDone::Counted),
                Transacted::Canceled(failed) if failed.contains(&0) => {
                    return Ok(PartDone::Already);
                }
                Transacted::Canceled(failed) if failed.contains(&1) => {
                    return Ok(PartDone::JobEnded);
                }
                Transacted::Canceled(_) => {}
            }
            backoff.wait().await?;
        }
    }

    /// The transaction's action that moves the job's counts.
    fn count_part(&self, job: &Job, result: &PartResult) -> Result<TransactWriteItem, StoreError> {
        let counts = result.counts;
        let added = [
            ("rows_read", counts.rows_read),
            ("created", counts.created),
            ("updated", counts.updated),
            ("unchanged", counts.unchanged),
            ("superseded", counts.superseded),
            ("duplicates", counts.duplicates),
            ("rejected", counts.rejected),
            ("errors_kept", result.errors_kept),
            ("parts_done", 1),
        ];
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(layout::job(job.organization, job.id).to_item()))
            .condition_expression("#state = :running")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":running", AttributeValue::S("running".to_owned()));
        let mut terms = Vec::with_capacity(added.len());
        for (name, count) in added {
            terms.push(format!("#{name} :{name}"));
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), number(count));
        }
        let update = update
            .update_expression(format!("ADD {}", terms.join(", ")))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Ends a job whose parts are all done. Returns the job when it has ended, by whomever.
    pub async fn close_split_job(
        &self,
        organization: OrganizationId,
        id: Uuid,
        now: Timestamp,
    ) -> Result<Option<Job>, StoreError> {
        let Some(mut job) = self.job(organization, id).await? else {
            return Ok(None);
        };
        if job.state.is_ended() {
            return Ok(Some(job));
        }
        if !job.split.is_complete() {
            return Ok(None);
        }
        let is_whole = Some(job.counts.rows_read) == job.rows_total;
        job.state = match (is_whole, job.counts.rejected) {
            (true, 0) => JobState::Completed,
            (true, _) => JobState::CompletedWithRejections,
            (false, _) if job.cancel_requested_at.is_some() => JobState::Cancelled,
            (false, _) => {
                tracing::error!(job = %job.id, "the parts of a job do not have all of its rows");
                job.error = Some(rows_missing());
                JobState::Failed
            }
        };
        job.finished_at = Some(now);
        (job.lease_owner, job.lease_until) = (None, None);
        // Nothing changes a job between its last part and its end, so the first of several
        // invocations that get here wins, and they all want the same.
        match self.end_job(&job).await? {
            true => Ok(Some(job)),
            false => Ok(self
                .job(organization, id)
                .await?
                .filter(|job| job.state.is_ended())),
        }
    }

    async fn end_job(&self, job: &Job) -> Result<bool, StoreError> {
        let item = super::write(job).ok_or(StoreError::corrupt("job", "state"))?;
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("#state = :running AND #parts_done = :parts_done")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#parts_done", "parts_done")
            .expression_attribute_values(":running", AttributeValue::S("running".to_owned()))
            .expression_attribute_values(":parts_done", number(job.split.parts_done))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(StoreError::call("PutItem")(error)),
            },
        }
    }
}
