//! Works on a job: survey, then batch after batch with a checkpoint after each.
//!
//! Whatever dies in between, the same object's next invocation goes on at the last checkpoint
//! and counts the rows after it again, exactly: records know which import wrote them.

use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;
use uuid::Uuid;

use super::{
    FileError, ObjectKey,
    batches::Batch,
    reading::{read_batches, read_through},
    rejected::RejectedRows,
    survey::Survey,
};
use crate::{
    bucket::{Bucket, BucketError, OpenObject},
    config::InboxRetention,
    dataset::Dataset,
    decode::Hints,
    identity::{DataOrigin, OrganizationId},
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

/// What a job's rows are checked against, and where they go.
struct Setting {
    dataset: Arc<Dataset>,
    origin: DataOrigin,
    group: Option<GroupId>,
    organization: Organization,
}

/// Why work on a job ended without its end.
pub(super) enum Stopped {
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
        let Some(job) = self.find_or_register(object).await? else {
            return Ok(());
        };
        let (organization, id) = (job.organization, job.id);
        let now = Timestamp::now();
        match self
            .store
            .claim_job(organization, id, invocation, now)
            .await?
        {
            Claim::Held => {
                tracing::info!(job = %id, "another invocation works on this job");
                Ok(())
            }
            Claim::Ended(job) => self.clean_up(&job, object).await,
            Claim::Taken(job) => self.work(*job, object).await,
        }
    }

    /// The job of an object. None when there is nothing to work on, which has been dealt with.
    async fn find_or_register(&self, object: &Object) -> Result<Option<Job>, ImportError> {
        let (organization, id) = match object.key.parse() {
            Ok(ObjectKey::Staged {
                organization, job, ..
            }) => (organization, job),
            Ok(ObjectKey::Inbox { organization, .. }) => (organization, self.job_id(object)),
            Err(error) => match ObjectKey::misplaced(&object.key) {
                Some((organization, _, _)) => (organization, self.job_id(object)),
                None => {
                    let reason = FileError::Key {
                        reason: error.to_string(),
                    };
                    self.refuse(object, reason.code()).await?;
                    return Ok(None);
                }
            },
        };
        if let Some(job) = self.store.job(organization, id).await? {
            return Ok(Some(job));
        }
        if self.store.organization(organization).await?.is_none() {
            self.refuse(object, FileError::UnknownOrganization.code())
                .await?;
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
        let Some(new) = self.new_job(object, organization, id, &open).await? else {
            self.refuse(object, "bad_key").await?;
            return Ok(None);
        };
        Ok(Some(self.store.register_job(&new, Timestamp::now()).await?))
    }

    /// What an object's key says of its job. None for staged files, whose jobs are registered
    /// before they are put.
    async fn new_job(
        &self,
        object: &Object,
        organization: OrganizationId,
        id: Uuid,
        open: &OpenObject,
    ) -> Result<Option<NewJob>, ImportError> {
        let filename = object.key.rsplit('/').next().unwrap_or_default();
        let mut new = NewJob {
            id,
            organization,
            dataset: String::new(),
            data_origin: String::new(),
            source_id: 0,
            group: None,
            mode: match open.metadata.get(MODE).map(String::as_str) {
                Some("dry_run") => Mode::DryRun,
                _ => Mode::Write,
            },
            key: object.key.clone(),
            filename: filename.to_owned(),
            object_modified: open.last_modified,
        };
        match object.key.parse() {
            Ok(ObjectKey::Inbox {
                origin,
                dataset,
                group,
                ..
            }) => {
                let source = self.store.ensure_source(organization, &origin).await?;
                new.source_id = source.id;
                new.data_origin = origin.to_string();
                new.dataset = dataset;
                new.group = group.as_ref().map(GroupId::to_string);
            }
            Ok(ObjectKey::Staged { .. }) => return Ok(None),
            // The job fails, so that its owner learns why.
            Err(_) => {
                let (_, origin, dataset) =
                    ObjectKey::misplaced(&object.key).unwrap_or((organization, "", ""));
                new.data_origin = origin.to_owned();
                new.dataset = dataset.to_owned();
            }
        }
        Ok(Some(new))
    }

    /// Derived from the object alone, so that a repeated event finds the job that exists.
    fn job_id(&self, object: &Object) -> Uuid {
        let bucket = self.bucket.name();
        let name = format!("{bucket}\n{}\n{}", object.key, object.version);
        Uuid::new_v5(&JOB_NAMESPACE, name.as_bytes())
    }

    /// Puts an object that cannot be imported aside.
    async fn refuse(&self, object: &Object, reason: &str) -> Result<(), ImportError> {
        tracing::warn!(reason, "a file was refused");
        let Some(open) = self
            .bucket
            .open(&object.key, object.etag.as_deref())
            .await?
        else {
            return Ok(());
        };
        self.put_aside(object, &open, reason).await
    }

    async fn put_aside(
        &self,
        object: &Object,
        open: &OpenObject,
        reason: &str,
    ) -> Result<(), ImportError> {
        // The beginning tells files of one name apart, and a retry makes no second copy.
        let id = self.job_id(object).simple().to_string();
        let label = id.get(..8).unwrap_or_default();
        self.bucket
            .move_to_failed(&object.key, &open.etag, label, reason)
            .await?;
        Ok(())
    }

    async fn work(&self, mut job: Job, object: &Object) -> Result<(), ImportError> {
        job.started_at.get_or_insert(Timestamp::now());
        let mut saved = job.counts.rows_read;
        match self.store_rows(&mut job, &mut saved, object).await {
            Ok(()) => self.clean_up(&job, object).await,
            Err(Stopped::File(error)) => self.fail(job, &error, saved, object).await,
            Err(Stopped::Lost) => Ok(()),
            Err(Stopped::Failed(error)) => Err(error),
        }
    }

    /// Checks what the job names before its file is read.
    async fn prepare(&self, job: &Job) -> Result<Setting, Stopped> {
        if let Err(error) = job.key.parse::<ObjectKey>() {
            return Err(Stopped::File(FileError::Key {
                reason: error.to_string(),
            }));
        }
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
        let group = group_of(job)?;
        let own = GroupId::of_source(&dataset, &origin);
        if group
            .as_ref()
            .is_some_and(|group| *group != own && group.is_of_source())
        {
            return Err(Stopped::File(FileError::GroupOfOtherSource));
        }
        let setting = Setting {
            dataset,
            origin,
            group,
            organization: organization.unwrap_or_default(),
        };
        if job.mode == Mode::Write {
            self.ensure_groups(job.organization, &setting).await?;
        }
        Ok(setting)
    }

    /// The groups that the records join, made on first use.
    async fn ensure_groups(
        &self,
        organization: OrganizationId,
        setting: &Setting,
    ) -> Result<(), Stopped> {
        let dataset = &setting.dataset;
        let customers = Dataset::customers();
        let mut groups = vec![(GroupId::of_source(dataset, &setting.origin), dataset)];
        if dataset.is_of_devices() {
            groups.push((GroupId::of_source(&customers, &setting.origin), &customers));
        }
        groups.extend(setting.group.clone().map(|group| (group, dataset)));
        for (id, dataset) in groups {
            let group = self.store.ensure_group(organization, &id, dataset).await?;
            if group.dataset != dataset.name() {
                let dataset = group.dataset;
                return Err(Stopped::File(FileError::GroupOfOtherDataset { dataset }));
            }
        }
        Ok(())
    }

    /// Reads the file twice: through, then batch by batch into the store. `saved` follows the
    /// rows of the last checkpoint.
    async fn store_rows(
        &self,
        job: &mut Job,
        saved: &mut u64,
        object: &Object,
    ) -> Result<(), Stopped> {
        let setting = self.prepare(job).await?;
        let first = self.open(object).await?;
        job.size = first.size;
        let mut hints = Hints {
            filename: job.filename.clone(),
            encoding: None,
        };
        let survey = read_through(first, hints.clone(), setting.validator(job)).await?;
        hints.encoding = survey.found.encoding;
        note(job, &survey);
        self.checkpoint(job, saved).await?;

        let keys = self.keys_for(job).await?;
        let protector = Protector::new(Arc::clone(&keys), setting.pseudonyms(&keys));
        let second = self.open(object).await?;
        let skip = job.counts.rows_read;
        let validator = setting.validator(job);
        let (mut received, reader) = read_batches(
            second,
            hints,
            validator,
            protector,
            survey.repetitions,
            skip,
        );
        while let Some(batch) = received.recv().await {
            self.store_batch(job, &setting, batch, &keys).await?;
            self.checkpoint(job, saved).await?;
        }
        reader.await.map_err(|_| ImportError::Reader)??;
        job.state = match job.counts.rejected {
            0 => JobState::Completed,
            _ => JobState::CompletedWithRejections,
        };
        job.finished_at = Some(Timestamp::now());
        self.checkpoint(job, saved).await?;
        log_end(job);
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
        job: &mut Job,
        setting: &Setting,
        mut batch: Batch,
        keys: &OrganizationKeys,
    ) -> Result<(), Stopped> {
        let provenance = Provenance {
            organization: job.organization,
            source_id: job.source_id,
            import_id: job.import_id,
            at: Timestamp::now(),
            group: setting.group.clone(),
        };
        let records = std::mem::take(&mut batch.records);
        let outcomes = match job.mode {
            Mode::Write => self.store.upsert(records, &provenance, keys).await?,
            Mode::DryRun => self.store.predict(records, &provenance, keys).await?,
        };
        batch.refuse_too_large(&outcomes);
        if !batch.refused.is_empty() {
            let keys = self.keys.for_writing(job.organization).await?;
            let refused = std::mem::take(&mut batch.refused);
            RejectedRows::of(self.bucket, job)
                .write(&keys, job.counts.rows_read + 1, refused)
                .await?;
        }
        let room = MAX_KEPT_ERRORS.saturating_sub(job.errors_kept as usize);
        batch.errors.truncate(room);
        if !batch.errors.is_empty() {
            let first_row = job.counts.rows_read + 1;
            self.store
                .save_row_errors(job, first_row, &batch.errors)
                .await?;
            job.errors_kept += batch.errors.len() as u64;
        }
        let counts = &mut job.counts;
        counts.rows_read = batch.last_row;
        counts.duplicates += batch.duplicates;
        counts.rejected += batch.rejected;
        counts.add(&outcomes);
        Ok(())
    }

    /// Saves the job, if this invocation still holds it.
    async fn checkpoint(&self, job: &mut Job, saved: &mut u64) -> Result<(), Stopped> {
        job.lease_until = Some((Timestamp::now() + LEASE).as_millisecond());
        if !self.store.save_job(job, *saved).await? {
            tracing::info!(job = %job.id, "another invocation has taken this job over");
            return Err(Stopped::Lost);
        }
        *saved = job.counts.rows_read;
        Ok(())
    }

    /// Ends a job whose file is refused, and puts the file aside.
    async fn fail(
        &self,
        mut job: Job,
        error: &FileError,
        saved: u64,
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
        match self.store.save_job(&job, saved).await? {
            true => self.clean_up(&job, object).await,
            false => Ok(()),
        }
    }

    /// When a job has ended: deletes its file, or puts a refused one aside. A file that was put
    /// later under the same key is left alone.
    async fn clean_up(&self, job: &Job, object: &Object) -> Result<(), ImportError> {
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
        match &job.error {
            Some(error) => self.put_aside(object, &open, &error.code).await,
            None if self.retention == InboxRetention::Keep && !staged => Ok(()),
            None => Ok(self.bucket.delete(&object.key, &open.etag).await?),
        }
    }
}

impl Setting {
    fn validator(&self, job: &Job) -> Validator {
        let this_year = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
        Validator::new(
            Arc::clone(&self.dataset),
            job.organization,
            self.origin.clone(),
            self.organization.unknown_columns,
            this_year,
        )
    }

    fn pseudonyms(&self, keys: &OrganizationKeys) -> PseudonymMode {
        match self.organization.keyed_pseudonyms {
            true => keys.keyed_pseudonyms(),
            false => PseudonymMode::Sha256,
        }
    }
}

fn note(job: &mut Job, survey: &Survey) {
    let found = survey.found;
    job.format = Some(found.format.as_str().to_owned());
    job.encoding = found.encoding.map(|encoding| encoding.as_str().to_owned());
    job.delimiter = found.delimiter;
    job.gzip = found.gzip;
    job.sha256 = Some(survey.sha256.clone());
    job.columns.clone_from(&survey.columns);
    job.rows_total = Some(survey.rows);
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
                // Counted with the rows that were refused.
                Outcome::TooLarge => {}
            }
        }
    }
}

fn group_of(job: &Job) -> Result<Option<GroupId>, Stopped> {
    let group = job.group.as_deref().map(str::parse).transpose();
    group.map_err(|_| StoreError::corrupt("job", "group").into())
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
