//! Works on a job: survey, then batch after batch with a checkpoint after each.
//!
//! Whatever dies in between, the same object's next invocation goes on at the last checkpoint
//! and counts the rows after it again, exactly: records know which import wrote them.

use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;
use tokio::{io::AsyncRead, runtime::Handle, sync::mpsc, task::JoinHandle};
use tokio_util::io::SyncIoBridge;
use uuid::Uuid;

use super::{
    FileError, ObjectKey,
    batches::{Batch, BatchError, batches},
    survey::{Repetitions, Survey, survey},
};
use crate::{
    bucket::{Bucket, BucketError, OpenObject},
    config::InboxRetention,
    dataset::Dataset,
    identity::DataOrigin,
    language::Language,
    protection::{CipherError, KeyError, KeyRing, OrganizationKeys, Protector, PseudonymMode},
    record::Validator,
    store::{
        GroupId, Organization, Outcome, Provenance, Store, StoreError,
        jobs::{Claim, Counts, Job, JobError, JobState, LEASE, MAX_KEPT_ERRORS, Mode, NewJob},
    },
};

/// The object metadata that asks for a dry run: `mode: dry_run`.
const MODE: &str = "mode";
/// What job ids are derived under.
const JOB_NAMESPACE: Uuid = Uuid::from_u128(0x6a0c_51d7_33f9_4b5e_9d1c_7a1a_2b64_93e0);

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
    /// The file's download broke off.
    #[error("the file's download broke off")]
    Interrupted,
    /// The reading thread ended without a word.
    #[error("reading the file ended unexpectedly")]
    Reader,
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

/// A job that this invocation works on.
struct Work {
    job: Job,
    dataset: Arc<Dataset>,
    organization: Organization,
}

/// Why work on a job ended without its end.
enum Stopped {
    /// The file is refused.
    File(FileError),
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
    /// Imports an object. `invocation` is the same in every retry of an event.
    pub async fn import(&self, object: &Object, invocation: &str) -> Result<(), ImportError> {
        let key = match object.key.parse::<ObjectKey>() {
            Ok(key) => key,
            Err(error) => {
                return self
                    .refuse(object, &FileError::Key(error.to_string()))
                    .await;
            }
        };
        let Some(job) = self.find_or_register(object, &key).await? else {
            return Ok(());
        };
        match self
            .store
            .claim_job(job.organization, job.id, invocation, Timestamp::now())
            .await?
        {
            Claim::Held => {
                tracing::info!(job = %job.id, "another invocation works on this job");
                Ok(())
            }
            Claim::Ended(job) => self.clean_up(&job, object).await,
            Claim::Taken(job) => self.work(*job, object).await,
        }
    }

    /// The job of an object. None when there is nothing to work on, which has been dealt with.
    async fn find_or_register(
        &self,
        object: &Object,
        key: &ObjectKey,
    ) -> Result<Option<Job>, ImportError> {
        let organization = key.organization();
        let id = match key {
            ObjectKey::Staged { job, .. } => *job,
            ObjectKey::Inbox { .. } => self.job_id(object),
        };
        if let Some(job) = self.store.job(organization, id).await? {
            return Ok(Some(job));
        }
        let ObjectKey::Inbox {
            origin,
            dataset,
            group,
            filename,
            ..
        } = key
        else {
            let reason = FileError::Key("no such job is registered".to_owned());
            self.refuse(object, &reason).await?;
            return Ok(None);
        };
        if self.store.organization(organization).await?.is_none() {
            self.refuse(object, &FileError::UnknownOrganization).await?;
            return Ok(None);
        }
        let Some(open) = self
            .bucket
            .open(&object.key, object.etag.as_deref())
            .await?
        else {
            tracing::warn!("an event speaks of an object that is gone, and it has no job");
            return Ok(None);
        };
        let source = self.store.ensure_source(organization, origin).await?;
        let new = NewJob {
            id,
            organization,
            dataset: dataset.clone(),
            data_origin: origin.to_string(),
            source_id: source.id,
            group: group.as_ref().map(GroupId::to_string),
            mode: match open.metadata.get(MODE).map(String::as_str) {
                Some("dry_run") => Mode::DryRun,
                _ => Mode::Write,
            },
            key: object.key.clone(),
            filename: filename.clone(),
        };
        Ok(Some(self.store.register_job(&new, Timestamp::now()).await?))
    }

    /// Derived from the object alone, so that a repeated event finds the job that exists.
    fn job_id(&self, object: &Object) -> Uuid {
        let bucket = self.bucket.name();
        let name = format!("{bucket}\n{}\n{}", object.key, object.version);
        Uuid::new_v5(&JOB_NAMESPACE, name.as_bytes())
    }

    /// Puts an object that has no job aside.
    async fn refuse(&self, object: &Object, reason: &FileError) -> Result<(), ImportError> {
        tracing::warn!(reason = reason.code(), "a file was refused");
        let Some(open) = self
            .bucket
            .open(&object.key, object.etag.as_deref())
            .await?
        else {
            return Ok(());
        };
        self.bucket
            .move_to_failed(&object.key, &open.etag, reason.code())
            .await?;
        Ok(())
    }

    async fn work(&self, mut job: Job, object: &Object) -> Result<(), ImportError> {
        job.started_at.get_or_insert(Timestamp::now());
        let rows_before = job.counts.rows_read;
        let result = match self.prepare(job.clone()).await {
            Ok(work) => self.store_rows(work, object).await,
            Err(stopped) => Err((stopped, rows_before)),
        };
        match result {
            Ok(job) => self.clean_up(&job, object).await,
            Err((Stopped::File(error), rows_before)) => {
                self.fail(job, &error, rows_before, object).await
            }
            Err((Stopped::Lost, _)) => Ok(()),
            Err((Stopped::Failed(error), _)) => Err(error),
        }
    }

    /// Checks what the job names before its file is read.
    async fn prepare(&self, job: Job) -> Result<Work, Stopped> {
        let organization = self.store.organization(job.organization).await?;
        let dataset = Dataset::builtin(&job.dataset).ok_or_else(|| {
            let names: Vec<_> = Dataset::all_builtin().iter().map(|d| d.name()).collect();
            Stopped::File(FileError::UnknownDataset {
                datasets: names.join(", "),
            })
        })?;
        let origin: DataOrigin = job
            .data_origin
            .parse()
            .map_err(|_| StoreError::corrupt("job", "data_origin"))?;
        if origin.is_reserved() {
            return Err(Stopped::File(FileError::ReservedSource));
        }
        if job.mode == Mode::Write {
            self.ensure_groups(&job, &dataset, &origin).await?;
        }
        Ok(Work {
            job,
            dataset,
            organization: organization.unwrap_or_default(),
        })
    }

    /// The groups that the records join, made on first use.
    async fn ensure_groups(
        &self,
        job: &Job,
        dataset: &Dataset,
        origin: &DataOrigin,
    ) -> Result<(), Stopped> {
        let own = GroupId::of_source(dataset, origin);
        self.store
            .ensure_group(job.organization, &own, dataset)
            .await?;
        if dataset.is_of_devices() {
            let customers = Dataset::customers();
            let group = GroupId::of_source(&customers, origin);
            self.store
                .ensure_group(job.organization, &group, &customers)
                .await?;
        }
        if let Some(id) = group_of(job)? {
            let group = self
                .store
                .ensure_group(job.organization, &id, dataset)
                .await?;
            if group.dataset != dataset.name() {
                let dataset = group.dataset;
                return Err(Stopped::File(FileError::GroupOfOtherDataset { dataset }));
            }
        }
        Ok(())
    }

    /// Reads the file twice: through, then batch by batch into the store. An error comes with
    /// the rows of the last checkpoint.
    async fn store_rows(&self, mut work: Work, object: &Object) -> Result<Job, (Stopped, u64)> {
        let mut rows_before = work.job.counts.rows_read;
        let result = self
            .store_rows_from(&mut work, object, &mut rows_before)
            .await;
        match result {
            Ok(()) => Ok(work.job),
            Err(stopped) => Err((stopped, rows_before)),
        }
    }

    async fn store_rows_from(
        &self,
        work: &mut Work,
        object: &Object,
        rows_before: &mut u64,
    ) -> Result<(), Stopped> {
        let validator = work.validator()?;
        let first = self.open(object).await?;
        work.job.size = first.size;
        let survey = read_through(first, validator).await?;
        work.note(&survey);
        self.checkpoint(work, rows_before).await?;

        let keys = self.keys_for(&work.job).await?;
        let protector = Protector::new(Arc::clone(&keys), work.pseudonyms(&keys));
        let second = self.open(object).await?;
        let (mut received, reader) = read_batches(
            second,
            work.validator()?,
            protector,
            survey.repetitions,
            work.job.counts.rows_read,
        );
        while let Some(batch) = received.recv().await {
            self.store_batch(work, batch, &keys).await?;
            self.checkpoint(work, rows_before).await?;
        }
        reader.await.map_err(|_| ImportError::Reader)??;
        work.job.state = match work.job.counts.rejected {
            0 => JobState::Completed,
            _ => JobState::CompletedWithRejections,
        };
        work.job.finished_at = Some(Timestamp::now());
        self.checkpoint(work, rows_before).await?;
        log_end(&work.job);
        Ok(())
    }

    async fn open(&self, object: &Object) -> Result<OpenObject, Stopped> {
        let open = self
            .bucket
            .open(&object.key, object.etag.as_deref())
            .await?;
        open.ok_or(Stopped::File(FileError::ObjectGone))
    }

    async fn keys_for(&self, job: &Job) -> Result<Arc<OrganizationKeys>, ImportError> {
        Ok(match job.mode {
            Mode::Write => self.keys.for_writing(job.organization).await?,
            Mode::DryRun => self.keys.for_dry_run(job.organization).await?,
        })
    }

    async fn store_batch(
        &self,
        work: &mut Work,
        batch: Batch,
        keys: &OrganizationKeys,
    ) -> Result<(), Stopped> {
        let provenance = Provenance {
            organization: work.job.organization,
            source_id: work.job.source_id,
            import_id: work.job.import_id,
            at: Timestamp::now(),
            group: group_of(&work.job)?,
        };
        let room = MAX_KEPT_ERRORS.saturating_sub(work.job.errors_kept as usize);
        let kept = batch
            .errors
            .get(..room.min(batch.errors.len()))
            .unwrap_or_default();
        if !kept.is_empty() {
            let first_row = work.job.counts.rows_read + 1;
            self.store
                .save_row_errors(&work.job, first_row, kept)
                .await?;
            work.job.errors_kept += kept.len() as u64;
        }
        let outcomes = match work.job.mode {
            Mode::Write => self.store.upsert(batch.records, &provenance, keys).await?,
            Mode::DryRun => self.store.predict(batch.records, &provenance, keys).await?,
        };
        let counts = &mut work.job.counts;
        counts.rows_read = batch.last_row;
        counts.duplicates += batch.duplicates;
        counts.rejected += batch.rejected;
        counts.add(&outcomes);
        Ok(())
    }

    /// Saves the job, if this invocation still holds it.
    async fn checkpoint(&self, work: &mut Work, rows_before: &mut u64) -> Result<(), Stopped> {
        work.job.lease_until = Some((Timestamp::now() + LEASE).as_millisecond());
        if !self.store.save_job(&work.job, *rows_before).await? {
            tracing::info!(job = %work.job.id, "another invocation has taken this job over");
            return Err(Stopped::Lost);
        }
        *rows_before = work.job.counts.rows_read;
        Ok(())
    }

    /// Ends a job whose file is refused, and puts the file aside.
    async fn fail(
        &self,
        mut job: Job,
        error: &FileError,
        rows_before: u64,
        object: &Object,
    ) -> Result<(), ImportError> {
        job.state = JobState::Failed;
        job.finished_at = Some(Timestamp::now());
        job.error = Some(JobError {
            code: error.code().to_owned(),
            en: error.message(Language::English),
            fr: error.message(Language::French),
        });
        log_end(&job);
        if self.store.save_job(&job, rows_before).await? {
            self.refuse(object, error).await?;
        }
        Ok(())
    }

    /// Deletes an imported file, or puts a refused one aside, when a job has ended.
    async fn clean_up(&self, job: &Job, object: &Object) -> Result<(), ImportError> {
        let staged = matches!(object.key.parse(), Ok(ObjectKey::Staged { .. }));
        if self.retention == InboxRetention::Keep && !staged {
            return Ok(());
        }
        let Some(open) = self
            .bucket
            .open(&object.key, object.etag.as_deref())
            .await?
        else {
            return Ok(());
        };
        match &job.error {
            Some(error) => {
                self.bucket
                    .move_to_failed(&object.key, &open.etag, &error.code)
                    .await?;
            }
            None => self.bucket.delete(&object.key, &open.etag).await?,
        }
        Ok(())
    }
}

impl Work {
    fn validator(&self) -> Result<Validator, Stopped> {
        let origin = self.job.data_origin.parse();
        let this_year = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
        Ok(Validator::new(
            Arc::clone(&self.dataset),
            self.job.organization,
            origin.map_err(|_| StoreError::corrupt("job", "data_origin"))?,
            self.organization.unknown_columns,
            this_year,
        ))
    }

    fn pseudonyms(&self, keys: &OrganizationKeys) -> PseudonymMode {
        match self.organization.keyed_pseudonyms {
            true => keys.keyed_pseudonyms(),
            false => PseudonymMode::Sha256,
        }
    }

    fn note(&mut self, survey: &Survey) {
        self.job.format = Some(survey.format.as_str().to_owned());
        self.job.sha256 = Some(survey.sha256.clone());
        self.job.columns.clone_from(&survey.columns);
        self.job.rows_total = Some(survey.rows);
    }
}

impl Counts {
    /// Adds what became of rows.
    pub fn add(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome {
                Outcome::Created => self.created += 1,
                Outcome::Updated => self.updated += 1,
                Outcome::Unchanged => self.unchanged += 1,
                Outcome::Superseded => self.superseded += 1,
            }
        }
    }
}

fn group_of(job: &Job) -> Result<Option<GroupId>, Stopped> {
    let group = job.group.as_deref().map(str::parse).transpose();
    group.map_err(|_| StoreError::corrupt("job", "group").into())
}

/// A blocking reader over an object's download.
fn blocking(object: OpenObject) -> SyncIoBridge<impl AsyncRead + Unpin> {
    SyncIoBridge::new_with_handle(object.body.into_async_read(), Handle::current())
}

async fn read_through(object: OpenObject, mut validator: Validator) -> Result<Survey, Stopped> {
    let reader = blocking(object);
    let survey = tokio::task::spawn_blocking(move || survey(reader, &mut validator)).await;
    survey.map_err(|_| ImportError::Reader)?.map_err(refused)
}

/// Starts a thread that reads batches, one ahead of the one being stored.
fn read_batches(
    object: OpenObject,
    mut validator: Validator,
    protector: Protector,
    repetitions: Repetitions,
    skip: u64,
) -> (mpsc::Receiver<Batch>, JoinHandle<Result<(), Stopped>>) {
    let (sender, receiver) = mpsc::channel(1);
    let reader = blocking(object);
    let thread = tokio::task::spawn_blocking(move || {
        let hand_on = |batch| sender.blocking_send(batch).is_ok();
        batches(
            reader,
            &mut validator,
            &protector,
            &repetitions,
            skip,
            hand_on,
        )
        .map_err(|error| match error {
            BatchError::File(error) => refused(error),
            BatchError::Cipher(error) => error.into(),
        })
    });
    (receiver, thread)
}

/// A download that broke off says nothing about the file: it is to be read again.
fn refused(error: FileError) -> Stopped {
    match error {
        FileError::Unreadable => Stopped::Failed(ImportError::Interrupted),
        error => Stopped::File(error),
    }
}

fn log_end(job: &Job) {
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
        job = %job.id, organization, import_id = job.import_id, state = ?job.state,
        reason = job.error.as_ref().map(|error| error.code.as_str()),
        rows_read, created, updated, unchanged, superseded, duplicates, rejected,
        "a job has ended"
    );
}
