//! Jobs: the visible side of imports, and of other work that goes on in the background.
//!
//! A job is registered once per object, in the order that decides whose rows win. It is worked
//! on under a lease: repeated events find it held and leave it alone, a retry of the same
//! invocation takes it up again, and when a lease has run out, anybody may.

mod cancel;
mod job;
mod parts;
mod running;

pub use cancel::Cancelled;
pub use job::{
    Claim, Column, Counts, Ignored, Job, JobError, JobState, Mode, NewJob, Operation, Split,
};
pub use parts::{PartDone, PartResult};

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValue};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_dynamo::{from_item, to_item};
use uuid::Uuid;

use super::{
    Store, StoreError,
    capacity::Units,
    layout::{self, EXPIRES_AT, Item, JOB_ID, PK, SK},
    organizations::Numbered,
    read::Freshness,
};
use crate::{identity::OrganizationId, record::RowError};

/// How long a job is kept.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long an invocation holds a job after its last checkpoint: as long as Lambda lets any
/// invocation live, so that two never work on one job. Its own retries need not wait.
pub const LEASE: SignedDuration = SignedDuration::from_mins(15);
/// How many row errors a job keeps.
pub const MAX_KEPT_ERRORS: usize = 1_000;
/// How many row errors one batch keeps; they are one item.
pub const MAX_KEPT_ERRORS_OF_BATCH: usize = 500;

/// The counter of import ids. Registering a job moves it on.
pub(super) const IMPORTS: &str = "import";

const CANCEL_REQUESTED_AT: &str = "cancel_requested_at";

/// Whether a job was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// It was.
    Yes,
    /// It was not: somebody has asked to cancel it meanwhile.
    CancelRequested(Timestamp),
    /// It was not: another invocation has it now, or it has ended.
    Lost,
}

impl Saved {
    /// What a refused save means, by what is stored.
    fn of(job: &Job, rows_read_before: u64, found: Option<Job>) -> Self {
        let Some(found) = found else {
            return Self::Lost;
        };
        // A save whose reply was lost is found done.
        if found == *job {
            return Self::Yes;
        }
        let unmoved = found.state == JobState::Running
            && found.lease_owner == job.lease_owner.clone()
            && found.counts.rows_read == rows_read_before;
        match found.cancel_requested_at {
            Some(at) if unmoved && job.cancel_requested_at.is_none() => Self::CancelRequested(at),
            _ => Self::Lost,
        }
    }
}

impl Store {
    /// Registers a job with the organisation's next import id; the job that has its id already,
    /// if there is one.
    pub async fn register_job(&self, new: &NewJob, now: Timestamp) -> Result<Job, StoreError> {
        if let Some(job) = self.job(new.organization, new.id).await? {
            return Ok(job);
        }
        let expires_at = expiry(now);
        let items = |import_id: u64| {
            let entry = layout::job_entry(new.organization, import_id);
            let mut entry = entry.to_item();
            entry.insert(JOB_ID.to_owned(), AttributeValue::S(new.id.to_string()));
            entry.insert(EXPIRES_AT.to_owned(), expires_at.clone());
            let job = write(&new.numbered(import_id, now));
            job.into_iter().chain([entry]).collect()
        };
        match self
            .create_numbered(new.organization, IMPORTS, items)
            .await?
        {
            Numbered::Written(import_id) => Ok(new.numbered(import_id, now)),
            Numbered::Exists => self
                .job(new.organization, new.id)
                .await?
                .ok_or(StoreError::Contention("registering a job")),
        }
    }

    /// A job by its id.
    pub async fn job(
        &self,
        organization: OrganizationId,
        id: Uuid,
    ) -> Result<Option<Job>, StoreError> {
        let item = self.get(&layout::job(organization, id)).await?;
        item.map(read).transpose()
    }

    /// Takes a job up for an invocation, unless somebody else's lease holds.
    pub async fn claim_job(
        &self,
        organization: OrganizationId,
        id: Uuid,
        owner: &str,
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(layout::job(organization, id).to_item()))
            .update_expression("SET #state = :running, #owner = :me, #until = :until")
            .condition_expression(
                "#state IN (:queued, :running) AND (attribute_type(#owner, :null) OR #owner = :me OR #until < :now)",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#owner", "lease_owner")
            .expression_attribute_names("#until", "lease_until")
            .expression_attribute_values(":queued", text("queued"))
            .expression_attribute_values(":running", text("running"))
            .expression_attribute_values(":null", text("NULL"))
            .expression_attribute_values(":me", text(owner))
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":until", milliseconds(now + LEASE))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                let item = output.attributes.ok_or(StoreError::corrupt("job", PK))?;
                Ok(Claim::Taken(Box::new(read(item)?)))
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => {
                    match self.job(organization, id).await? {
                        Some(job) if job.state.is_ended() => Ok(Claim::Ended(Box::new(job))),
                        _ => Ok(Claim::Held),
                    }
                }
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }

    /// Saves how far an invocation got and extends its lease, if it still holds the job and the
    /// job still stands where the invocation found it.
    pub async fn save_job(&self, job: &Job, rows_read_before: u64) -> Result<Saved, StoreError> {
        let Some(item) = write(job) else {
            return Err(StoreError::corrupt("job", "state"));
        };
        let owner = job.lease_owner.clone().unwrap_or_default();
        let cancel = match job.cancel_requested_at {
            Some(at) => AttributeValue::S(at.to_string()),
            None => AttributeValue::Null(true),
        };
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(
                "#state = :running AND #owner = :me AND #rows_read = :before AND #cancel = :cancel",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#owner", "lease_owner")
            .expression_attribute_names("#rows_read", "rows_read")
            .expression_attribute_names("#cancel", CANCEL_REQUESTED_AT)
            .expression_attribute_values(":running", AttributeValue::S("running".to_owned()))
            .expression_attribute_values(":me", AttributeValue::S(owner))
            .expression_attribute_values(":before", AttributeValue::N(rows_read_before.to_string()))
            .expression_attribute_values(":cancel", cancel)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(Saved::Yes)
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => {
                    let found = self.job(job.organization, job.id).await?;
                    Ok(Saved::of(job, rows_read_before, found))
                }
                _ => Err(StoreError::call("PutItem")(error)),
            },
        }
    }

    /// Keeps the row errors of the batch that begins at a row. The same batch again replaces them.
    pub async fn save_row_errors(
        &self,
        job: &Job,
        first_row: u64,
        errors: &[RowError],
    ) -> Result<(), StoreError> {
        #[derive(Serialize)]
        struct Kept<'e> {
            errors: &'e [RowError],
        }
        let corrupt = |_| StoreError::corrupt("job", "errors");
        let mut item: Item = to_item(Kept { errors }).map_err(corrupt)?;
        item.extend(layout::job_errors(job.organization, job.id, first_row).to_item());
        item.insert(EXPIRES_AT.to_owned(), expiry(job.created_at));
        let output = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::call("PutItem"))?;
        self.capacity.add(Units::Write, &output.consumed_capacity);
        Ok(())
    }

    /// A job's first row errors, in the file's order.
    pub async fn row_errors(
        &self,
        organization: OrganizationId,
        id: Uuid,
        limit: usize,
    ) -> Result<Vec<RowError>, StoreError> {
        #[derive(Deserialize)]
        struct Kept {
            errors: Vec<RowError>,
        }
        let key = layout::job_errors(organization, id, 0);
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :prefix)")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", AttributeValue::S(key.pk))
            .expression_attribute_values(
                ":prefix",
                AttributeValue::S(layout::JOB_ERRORS.to_owned()),
            )
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .items()
            .send();
        let mut errors = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(StoreError::call("Query"))?;
            let kept: Kept = from_item(item).map_err(|_| StoreError::corrupt("job", "errors"))?;
            errors.extend(kept.errors);
            if errors.len() >= limit {
                break;
            }
        }
        errors.truncate(limit);
        Ok(errors)
    }

    /// An organisation's jobs, the latest first: those registered before an import, or all.
    pub async fn jobs(
        &self,
        organization: OrganizationId,
        limit: i32,
        before: Option<u64>,
    ) -> Result<Vec<Job>, StoreError> {
        let before = layout::job_entry(organization, before.unwrap_or(u64::MAX));
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(limit)
            .key_condition_expression("#pk = :pk AND #sk < :before")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", AttributeValue::S(before.pk))
            .expression_attribute_values(":before", AttributeValue::S(before.sk))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::call("Query"))?;
        self.capacity.add(Units::Read, &output.consumed_capacity);
        let id = |item: &Item| item.get(JOB_ID)?.as_s().ok()?.parse::<Uuid>().ok();
        let ids: Vec<Uuid> = output.items().iter().filter_map(id).collect();
        let keys: Vec<_> = ids
            .iter()
            .map(|id| layout::job(organization, *id))
            .collect();
        let mut found: HashMap<_, _> = self.get_many(&keys, Freshness::Strong, read).await?;
        Ok(keys.iter().filter_map(|key| found.remove(key)).collect())
    }
}

fn expiry(from: Timestamp) -> AttributeValue {
    AttributeValue::N((from + KEPT_FOR).as_second().to_string())
}

fn milliseconds(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.as_millisecond().to_string())
}

fn read(item: Item) -> Result<Job, StoreError> {
    from_item(item).map_err(|_| StoreError::corrupt("job", "state"))
}

/// The job's item; nothing only if a field cannot be an attribute.
fn write(job: &Job) -> Option<Item> {
    let mut item: Item = to_item(job).ok()?;
    item.extend(layout::job(job.organization, job.id).to_item());
    item.insert(EXPIRES_AT.to_owned(), expiry(job.created_at));
    Some(item)
}
