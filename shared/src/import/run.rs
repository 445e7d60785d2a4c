//! Works on a job: survey, then batch after batch with a checkpoint after each.
//!
//! Whatever dies in between, the same object's next invocation goes on at the last checkpoint
//! and counts the rows after it again, exactly: records know which import wrote them.

use jiff::Timestamp;
use thiserror::Error;
use uuid::Uuid;

use super::{
    FileError, ObjectKey, PartError, TimeLeft,
    parts::PartKey,
    storing::{MAX_FILE_BYTES, Stored},
};
use crate::{
    bucket::{Bucket, BucketError},
    config::InboxRetention,
    identity::OrganizationId,
    language::Language,
    protection::{CipherError, KeyError, KeyRing},
    store::{
        Store, StoreError,
        jobs::{Claim, Counts, Job, JobError, JobState, Operation, Saved},
    },
};

/// A failure after which the same event should come again. Bad files and rows are no failures.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The organisation's keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Encryption.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// A part of a large file.
    #[error(transparent)]
    Part(#[from] PartError),
    /// A part of a large file could not be written.
    #[error("a part could not be written")]
    PartUnwritable,
    /// The file's download broke off.
    #[error("the file's download broke off")]
    Interrupted,
    /// A job of an operation that this version does not have.
    #[error("this version cannot do jobs of the operation {0}")]
    Unsupported(&'static str),
    /// The reading thread ended without a word.
    #[error("reading the file ended unexpectedly")]
    Reader,
}

impl ImportError {
    /// Whether a value is under a version of the organisation's key that was not at hand.
    pub(super) fn lacks_key(&self) -> bool {
        matches!(
            self,
            Self::Cipher(CipherError::KeyVersion(_))
                | Self::Store(StoreError::Cipher(CipherError::KeyVersion(_)))
        )
    }
}

/// An object that an event speaks of.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its key, URL-decoded.
    pub key: String,
    /// Its entity tag, as the event gives it.
    pub etag: Option<String>,
    /// Its version, or the event's sequencer where the bucket keeps no versions.
    pub version: String,
}

/// Who works, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// The same in every retry of an event.
    pub id: &'a str,
    /// The time until the function's limit.
    pub time: TimeLeft,
}

/// What an import needs.
pub struct Importer<'a> {
    /// The table.
    pub store: &'a Store,
    /// The bucket.
    pub bucket: &'a Bucket,
    /// The organisations' keys.
    pub keys: &'a KeyRing,
    /// What becomes of imported files.
    pub retention: InboxRetention,
}

/// Why work on a job ended without its end.
pub(super) enum Stopped {
    /// The file is refused.
    File(FileError),
    /// Somebody has asked to cancel the job.
    Cancelled(Timestamp),
    /// Another invocation has taken the job over.
    Lost,
    /// A retry may help.
    Failed(ImportError),
}

impl<E: Into<ImportError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Importer<'_> {
    /// Imports an object: a file, a part of one, or what an earlier invocation had no time for.
    pub async fn import(
        &self,
        object: &Object,
        invocation: Invocation<'_>,
    ) -> Result<(), ImportError> {
        let imported = match object.key.parse() {
            Ok(PartKey::Part { job, number }) => self.import_part(object, job, number).await,
            Ok(PartKey::Continuation { job, .. }) => self.go_on(object, job, invocation).await,
            Err(()) => self.import_file(object, invocation).await,
        };
        if imported.as_ref().is_err_and(ImportError::lacks_key) {
            // They were rotated meanwhile; the retry reads them again.
            self.keys.forget_all().await;
        }
        imported
    }

    async fn import_file(
        &self,
        object: &Object,
        invocation: Invocation<'_>,
    ) -> Result<(), ImportError> {
        match self.find_or_register(object).await? {
            Some(job) => {
                self.take_up(job.organization, job.id, object, invocation)
                    .await
            }
            None => Ok(()),
        }
    }

    /// Works on a job unless somebody else does.
    pub(super) async fn take_up(
        &self,
        organization: OrganizationId,
        id: Uuid,
        object: &Object,
        invocation: Invocation<'_>,
    ) -> Result<(), ImportError> {
        let now = Timestamp::now();
        let claim = self
            .store
            .claim_job(organization, id, invocation.id, now)
            .await?;
        match claim {
            Claim::Held => {
                tracing::info!(job = %id, "another invocation works on this job");
                Ok(())
            }
            Claim::Ended(job) => self.clean_up(&job, object).await,
            Claim::Taken(job) => Box::pin(self.work(*job, object, invocation)).await,
        }
    }

    async fn work(
        &self,
        job: Job,
        object: &Object,
        invocation: Invocation<'_>,
    ) -> Result<(), ImportError> {
        match job.operation {
            Operation::Import | Operation::Upload | Operation::Update => {
                self.import_rows(job, object, invocation).await
            }
            Operation::Rewrap => self.rewrap(job, object, invocation).await,
            Operation::DeleteGroup => self.delete_group(job, object, invocation).await,
        }
    }

    async fn import_rows(
        &self,
        mut job: Job,
        object: &Object,
        invocation: Invocation<'_>,
    ) -> Result<(), ImportError> {
        if job.split.split_done {
            return self.close(&job).await;
        }
        job.started_at.get_or_insert(Timestamp::now());
        let mut saved = job.counts.rows_read;
        let is_other = object.etag.is_some() && job.etag.is_some() && object.etag != job.etag;
        if is_other && job.rows_total.is_some() {
            // Its rows are not those that were counted so far.
            return self.fail(job, &FileError::ObjectGone, saved, object).await;
        }
        job.etag = object.etag.clone().or(job.etag);
        let stored = self
            .store_rows(&mut job, &mut saved, object, invocation.time)
            .await;
        self.conclude(job, stored, saved, object, invocation).await
    }

    /// Does what an invocation's work on a job calls for: an end, or a fresh invocation.
    /// `saved` is the job's `rows_read` as it is stored.
    pub(super) async fn conclude(
        &self,
        job: Job,
        stored: Result<Stored, Stopped>,
        saved: u64,
        object: &Object,
        invocation: Invocation<'_>,
    ) -> Result<(), ImportError> {
        match stored {
            Ok(Stored::All) => self.clean_up(&job, object).await,
            Ok(Stored::InParts) => self.close(&job).await,
            Ok(Stored::OutOfTime) => self.leave_rest(&job, invocation.id).await,
            Err(Stopped::File(error)) => self.fail(job, &error, saved, object).await,
            Err(Stopped::Cancelled(at)) => self.cancel(job, at, saved, object).await,
            Err(Stopped::Lost) => Ok(()),
            Err(Stopped::Failed(error)) => {
                self.give_up(&job, invocation).await;
                Err(error)
            }
        }
    }

    /// Leaves a job to whoever is invoked next: a retry, or the event that an operator sends again
    /// under another request id, which would find the lease held and be gone.
    async fn give_up(&self, job: &Job, invocation: Invocation<'_>) {
        let released = self.store.release_job(job, invocation.id).await;
        if let Err(error) = released {
            tracing::warn!(%error, job = %job.id, "the job stays leased until its lease runs out");
        }
    }

    /// Ends a job whose file is refused, and puts the file aside.
    async fn fail(
        &self,
        mut job: Job,
        error: &FileError,
        saved: u64,
        object: &Object,
    ) -> Result<(), ImportError> {
        job.error = Some(JobError {
            code: error.code().to_owned(),
            en: error.message(Language::English),
            fr: error.message(Language::French),
        });
        self.end(job, JobState::Failed, saved, object).await
    }

    /// Ends a job that somebody has asked to cancel. What is stored stays.
    async fn cancel(
        &self,
        mut job: Job,
        at: Timestamp,
        saved: u64,
        object: &Object,
    ) -> Result<(), ImportError> {
        job.cancel_requested_at = Some(at);
        self.end(job, JobState::Cancelled, saved, object).await
    }

    async fn end(
        &self,
        mut job: Job,
        state: JobState,
        saved: u64,
        object: &Object,
    ) -> Result<(), ImportError> {
        job.state = state;
        job.finished_at = Some(Timestamp::now());
        let ended = match job.split.is_split {
            true => self.store.end_split_job(&job).await?,
            false => match self.store.save_job(&job, saved).await? {
                Saved::Yes => true,
                Saved::CancelRequested(at) => {
                    job.cancel_requested_at = Some(at);
                    self.store.save_job(&job, saved).await? == Saved::Yes
                }
                Saved::Lost => false,
            },
        };
        match ended {
            true => {
                log_end(&job);
                self.clean_up(&job, object).await
            }
            false => Ok(()),
        }
    }

    /// When a job has ended: deletes its file, or puts aside what was not imported. A file that
    /// was put later under the same key is left alone.
    pub(super) async fn clean_up(&self, job: &Job, object: &Object) -> Result<(), ImportError> {
        if !job.operation.has_file() {
            return Ok(());
        }
        let Some(open) = self
            .bucket
            .open(&object.key, object.etag.as_deref())
            .await?
        else {
            return Ok(());
        };
        if job
            .object_modified
            .is_some_and(|put| open.last_modified != Some(put))
        {
            return Ok(());
        }
        let staged = matches!(object.key.parse(), Ok(ObjectKey::Staged { .. }));
        let is_other = job.etag.as_ref().is_some_and(|etag| *etag != open.etag);
        let aside = match (&job.error, job.state) {
            _ if is_other => Some("not_imported"),
            (Some(error), _) => Some(error.code.as_str()),
            (None, JobState::Cancelled) => Some("cancelled"),
            _ => None,
        };
        match aside {
            // Too large to be copied: it stays until the bucket's lifecycle removes it.
            Some(_) if open.size.is_some_and(|size| size > MAX_FILE_BYTES) => Ok(()),
            Some(reason) => {
                self.put_aside(&object.key, &open.etag, job.id, reason)
                    .await
            }
            None if self.retention == InboxRetention::Keep && !staged => Ok(()),
            None => Ok(self.bucket.delete(&object.key, &open.etag).await?),
        }
    }

    /// Moves a file to `failed/`.
    pub(super) async fn put_aside(
        &self,
        key: &str,
        etag: &str,
        id: Uuid,
        reason: &str,
    ) -> Result<(), ImportError> {
        // The beginning tells files of one name apart, and a retry makes no second copy.
        let id = id.simple().to_string();
        let label = id.get(..8).unwrap_or_default();
        self.bucket.move_to_failed(key, etag, label, reason).await?;
        Ok(())
    }
}

/// The job's line in the audit: who started it, the lines of the calls that name it say.
pub(super) fn log_end(job: &Job) {
    let organization = job.organization.get();
    let Counts {
        rows_read,
        created,
        updated,
        unchanged,
        superseded,
        duplicates,
        rejected,
    } = job.counts;
    tracing::info!(
        target: "clientele::audit",
        action = job.operation.action(), organization, source = job.data_origin, group = job.group,
        job = %job.id, import_id = job.import_id, state = ?job.state,
        reason = job.error.as_ref().map(|error| error.code.as_str()),
        rows_read, created, updated, unchanged, superseded, duplicates, rejected,
        "a job has ended"
    );
}
