//! Jobs: the visible side of imports.
//!
//! A job is registered once per object, in the order that decides whose rows win. It is worked
//! on under a lease: repeated events find it held and leave it alone, a retry of the same
//! invocation takes it up again, and when a lease has run out, anybody may.

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
/// How long an invocation may work without a checkpoint before another one may take over.
pub const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// How many row errors a job keeps.
pub const MAX_KEPT_ERRORS: usize = 1_000;
/// How many row errors one batch keeps; they are one item.
pub const MAX_KEPT_ERRORS_OF_BATCH: usize = 500;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Registered; nobody works on it yet.
    Queued,
    /// Being worked on.
    Running,
    /// Every row landed.
    Completed,
    /// Some rows were refused.
    CompletedWithRejections,
    /// The file was refused.
    Failed,
    /// Stopped on request.
    Cancelled,
}

impl JobState {
    /// Whether nothing more will happen.
    pub fn is_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// What an import does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Valid rows land, whatever becomes of others.
    #[default]
    Write,
    /// Nothing is written; the counts say what would be.
    DryRun,
}

/// What became of a job's rows so far. The parts add up to `rows_read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the file that were dealt with.
    pub rows_read: u64,
    /// Records inserted.
    pub created: u64,
    /// Records changed.
    pub updated: u64,
    /// Rows that changed nothing.
    pub unchanged: u64,
    /// Rows whose record a later import had written already.
    pub superseded: u64,
    /// Rows that a later row of the file is about as well.
    pub duplicates: u64,
    /// Rows that were refused.
    pub rejected: u64,
}

/// Why a job failed, as data: messages are made when they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// The stable code.
    pub code: String,
    /// The message in English.
    pub en: String,
    /// The message in French.
    pub fr: String,
}

/// What a column of the file became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The header in the file.
    pub header: String,
    /// The field that it fills, `custom`, or nothing.
    pub field: Option<String>,
}

/// An import's job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The import's number: later registered, higher.
    pub import_id: u64,
    /// Where it stands.
    pub state: JobState,
    /// The dataset of the records.
    pub dataset: String,
    /// The source's name.
    pub data_origin: String,
    /// The source's id.
    pub source_id: u64,
    /// The group that the records join.
    pub group: Option<String>,
    /// What it does.
    pub mode: Mode,
    /// The object's key.
    pub key: String,
    /// The file's name.
    pub filename: String,
    /// The object's size in bytes, once it is known.
    pub size: Option<u64>,
    /// The file's SHA-256 in hex, once it was read through.
    pub sha256: Option<String>,
    /// The format, once it is known.
    pub format: Option<String>,
    /// What the columns became.
    pub columns: Vec<Column>,
    /// Rows in the file, once it was read through.
    pub rows_total: Option<u64>,
    /// What became of the rows so far.
    #[serde(flatten)]
    pub counts: Counts,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When work began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<JobError>,
    /// Row errors that are kept.
    pub errors_kept: u64,
    /// The invocation that works on it.
    pub lease_owner: Option<String>,
    /// Until when, in milliseconds since the epoch.
    pub lease_until: Option<i64>,
}

/// A job that is not registered yet.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id, derived from the object so that a repeated event registers nothing.
    pub id: Uuid,
    /// Whose it is.
    pub organization: OrganizationId,
    /// The dataset of the records.
    pub dataset: String,
    /// The source's name.
    pub data_origin: String,
    /// The source's id.
    pub source_id: u64,
    /// The group that the records join.
    pub group: Option<String>,
    /// What it does.
    pub mode: Mode,
    /// The object's key.
    pub key: String,
    /// The file's name.
    pub filename: String,
}

/// Whether an invocation may work on a job.
#[derive(Debug)]
pub enum Claim {
    /// It may: the job as it stands.
    Taken(Box<Job>),
    /// Somebody else works on it.
    Held,
    /// It has ended.
    Ended(Box<Job>),
}

impl NewJob {
    fn numbered(&self, import_id: u64, now: Timestamp) -> Job {
        Job {
            id: self.id,
            organization: self.organization,
            import_id,
            state: JobState::Queued,
            dataset: self.dataset.clone(),
            data_origin: self.data_origin.clone(),
            source_id: self.source_id,
            group: self.group.clone(),
            mode: self.mode,
            key: self.key.clone(),
            filename: self.filename.clone(),
            size: None,
            sha256: None,
            format: None,
            columns: Vec::new(),
            rows_total: None,
            counts: Counts::default(),
            created_at: now,
            started_at: None,
            finished_at: None,
            error: None,
            errors_kept: 0,
            lease_owner: None,
            lease_until: None,
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
            .create_numbered(new.organization, "import", items)
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

    /// Saves how far an invocation got and extends its lease. Returns whether it still held
    /// the job, and the job still stood where the invocation found it.
    pub async fn save_job(&self, job: &Job, rows_read_before: u64) -> Result<bool, StoreError> {
        let Some(item) = write(job) else {
            return Err(StoreError::corrupt("job", "state"));
        };
        let owner = job.lease_owner.clone().unwrap_or_default();
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("#state = :running AND #owner = :me AND #rows_read = :before")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#owner", "lease_owner")
            .expression_attribute_names("#rows_read", "rows_read")
            .expression_attribute_values(":running", AttributeValue::S("running".to_owned()))
            .expression_attribute_values(":me", AttributeValue::S(owner))
            .expression_attribute_values(":before", AttributeValue::N(rows_read_before.to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => {
                    // A save whose reply was lost is found done.
                    let saved = self.job(job.organization, job.id).await?;
                    Ok(saved.as_ref() == Some(job))
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

    /// An organisation's jobs, the latest first.
    pub async fn jobs(
        &self,
        organization: OrganizationId,
        limit: i32,
    ) -> Result<Vec<Job>, StoreError> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(limit)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(
                ":pk",
                AttributeValue::S(layout::job_entries(organization)),
            )
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
