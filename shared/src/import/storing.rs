//! Brings a file's rows into the store: straight through, or in parts when there are many.

use jiff::Timestamp;

use super::{
    FileError, Importer, Object, TimeLeft,
    batches::{BATCH_ROWS, Batch},
    reading::{blocking, read_batches, read_through},
    rejected::RejectedRows,
    run::{Stopped, log_end},
    setting::Setting,
    survey::{Repetitions, Survey},
};
use crate::{
    bucket::OpenObject,
    decode::Hints,
    store::{
        Outcome, Provenance,
        jobs::{
            Counts, Job, JobState, LEASE, MAX_KEPT_ERRORS, MAX_KEPT_ERRORS_OF_BATCH, Mode, Saved,
        },
    },
};

/// The largest file, in bytes: what S3 copies in one call, since a refused file is copied to
/// `failed/`.
pub(super) const MAX_FILE_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// How far an invocation brought its job.
pub(super) enum Stored {
    /// The job has ended.
    All,
    /// All rows are in parts, which other invocations import.
    InParts,
    /// The function's time limit is near.
    OutOfTime,
}

impl Importer<'_> {
    /// Reads the file twice: through, then row by row into the store or into parts. `saved`
    /// follows the rows of the last checkpoint.
    pub(super) async fn store_rows(
        &self,
        job: &mut Job,
        saved: &mut u64,
        object: &Object,
        time: TimeLeft,
    ) -> Result<Stored, Stopped> {
        if let (Some(at), false) = (job.cancel_requested_at, job.split.is_split) {
            return Err(Stopped::Cancelled(at));
        }
        let setting = self.setting(job).await?;
        // Once it has begun, an import goes on, whatever becomes of its group.
        let has_begun = job.rows_total.is_some();
        if !has_begun {
            self.check_groups(job.organization, &setting).await?;
        }
        let (survey, hints) = self.survey(job, &setting, object).await?;
        if job.mode.lands_whole() && survey.rejected > 0 {
            return self
                .refuse_whole(job, &setting, object, survey, hints)
                .await;
        }
        // Only now, so that a file that is refused leaves no groups behind.
        if job.mode != Mode::DryRun && !has_begun {
            self.ensure_groups(job.organization, &setting).await?;
        }
        // The customers that a file of meters mentions take several rows' fields together, in
        // the rows' order, so that its rows cannot be imported side by side.
        let in_parts = survey.rows > BATCH_ROWS && !setting.dataset().is_of_devices();
        if !job.split.is_split {
            note(job, &survey);
            job.split.is_split = in_parts;
            if let Err(stopped) = self.checkpoint(job, saved).await {
                // As it is stored, or its end would be looked for among parts.
                job.split.is_split = false;
                return Err(stopped);
            }
        }
        let Survey { repetitions, .. } = survey;
        match in_parts {
            true => {
                self.split(job, &setting, object, hints, repetitions, time)
                    .await
            }
            false => {
                self.store_straight(job, saved, &setting, object, hints, repetitions, time)
                    .await
            }
        }
    }

    /// Reads the file through. A text that turns out not to be UTF-8 is read again.
    async fn survey(
        &self,
        job: &mut Job,
        setting: &Setting,
        object: &Object,
    ) -> Result<(Survey, Hints), Stopped> {
        let mut hints = Hints {
            filename: job.filename.clone(),
            lone_object: setting.dataset().event().is_some(),
            ..Hints::default()
        };
        loop {
            let open = self.open(object).await?;
            job.size = open.size;
            if open.size.is_some_and(|size| size > MAX_FILE_BYTES) {
                let limit = MAX_FILE_BYTES / (1024 * 1024 * 1024);
                return Err(Stopped::File(FileError::FileTooLarge { limit }));
            }
            match read_through(blocking(open), hints.clone(), setting.validator(job)).await {
                Ok(survey) => {
                    hints.encoding = survey.found.encoding;
                    return Ok((survey, hints));
                }
                Err(Stopped::File(error)) => match hints.after(&error) {
                    Some(again) => hints = again,
                    None => return Err(Stopped::File(error)),
                },
                Err(stopped) => return Err(stopped),
            }
        }
    }

    /// Batch after batch by this invocation.
    #[expect(clippy::too_many_arguments, reason = "each is a thing of its own")]
    async fn store_straight(
        &self,
        job: &mut Job,
        saved: &mut u64,
        setting: &Setting,
        object: &Object,
        hints: Hints,
        repetitions: Repetitions,
        time: TimeLeft,
    ) -> Result<Stored, Stopped> {
        let open = self.open(object).await?;
        let skip = job.counts.rows_read;
        let (validator, protector) = (setting.validator(job), setting.protector());
        let (mut received, reader) = read_batches(
            blocking(open),
            hints,
            validator,
            protector,
            repetitions,
            skip,
        );
        while let Some(batch) = received.recv().await {
            let room = MAX_KEPT_ERRORS.saturating_sub(job.errors_kept as usize);
            let (counts, errors_kept) = self.store_batch(job, setting, batch, room).await?;
            job.counts += counts;
            job.errors_kept += errors_kept;
            if Some(job.counts.rows_read) == job.rows_total {
                break;
            }
            self.checkpoint(job, saved).await?;
            if time.is_short() {
                return Ok(Stored::OutOfTime);
            }
        }
        drop(received);
        reader.await.map_err(|_| super::ImportError::Reader)??;
        self.complete(job, saved).await
    }

    /// Ends a job of which nothing is left to do.
    pub(super) async fn complete(&self, job: &mut Job, saved: &mut u64) -> Result<Stored, Stopped> {
        job.state = match job.counts.rejected {
            0 => JobState::Completed,
            _ => JobState::CompletedWithRejections,
        };
        job.finished_at = Some(Timestamp::now());
        match self.checkpoint(job, saved).await {
            // Too late: all is done.
            Err(Stopped::Cancelled(at)) => {
                job.cancel_requested_at = Some(at);
                self.checkpoint(job, saved).await?;
            }
            saved => saved?,
        }
        log_end(job);
        Ok(Stored::All)
    }

    /// Says what is wrong with a file that was to land whole, without storing any of it.
    async fn refuse_whole(
        &self,
        job: &mut Job,
        setting: &Setting,
        object: &Object,
        survey: Survey,
        hints: Hints,
    ) -> Result<Stored, Stopped> {
        note(job, &survey);
        let (rejected, rows) = (survey.rejected, survey.rows);
        let open = self.open(object).await?;
        let (validator, protector) = (setting.validator(job), setting.protector());
        let (mut received, reader) = read_batches(
            blocking(open),
            hints,
            validator,
            protector,
            survey.repetitions,
            0,
        );
        job.errors_kept = 0;
        while let Some(mut batch) = received.recv().await {
            let room = MAX_KEPT_ERRORS.saturating_sub(job.errors_kept as usize);
            job.errors_kept += self.keep_rejected(job, &mut batch, room).await?;
        }
        reader.await.map_err(|_| super::ImportError::Reader)??;
        // The rows that are not wrong were not dealt with.
        job.counts = Counts {
            rows_read: rejected,
            rejected,
            ..Counts::default()
        };
        Err(Stopped::File(FileError::RowsRefused { rejected, rows }))
    }

    pub(super) async fn open(&self, object: &Object) -> Result<OpenObject, Stopped> {
        let open = self
            .bucket
            .open(&object.key, object.etag.as_deref())
            .await?;
        open.ok_or(Stopped::File(FileError::ObjectGone))
    }

    /// Stores a batch. Returns what became of its rows, and how many row errors were kept.
    pub(super) async fn store_batch(
        &self,
        job: &Job,
        setting: &Setting,
        mut batch: Batch,
        errors_room: usize,
    ) -> Result<(Counts, u64), Stopped> {
        let provenance = Provenance {
            organization: job.organization,
            source_id: job.source_id,
            import_id: job.import_id,
            at: Timestamp::now(),
            group: self.uploaded_to(job.organization, setting).await?,
            updates_only: job.mode == Mode::Update,
        };
        let records = std::mem::take(&mut batch.records);
        let keys = setting.keys();
        let outcomes = match job.mode {
            Mode::Write | Mode::AllOrNothing | Mode::Update => {
                self.store.upsert(records, &provenance, keys).await?
            }
            Mode::DryRun | Mode::Unknown => self.store.predict(records, &provenance, keys).await?,
        };
        batch.refuse_unstored(&outcomes);
        let errors_kept = self.keep_rejected(job, &mut batch, errors_room).await?;
        let mut counts = Counts {
            rows_read: batch.rows,
            duplicates: batch.duplicates,
            rejected: batch.rejected,
            ..Counts::default()
        };
        counts.add(&outcomes);
        Ok((counts, errors_kept))
    }

    /// Keeps what is wrong with a batch's rows. Returns how many row errors were kept.
    async fn keep_rejected(
        &self,
        job: &Job,
        batch: &mut Batch,
        errors_room: usize,
    ) -> Result<u64, Stopped> {
        let refused = std::mem::take(&mut batch.refused);
        if !refused.is_empty() {
            // In a dry run too: the rows hold personal data.
            let keys = self.keys.for_writing(job.organization).await?;
            RejectedRows::of(self.bucket, job)
                .write(&keys, batch.first_row, refused)
                .await?;
        }
        batch
            .errors
            .truncate(errors_room.min(MAX_KEPT_ERRORS_OF_BATCH));
        if !batch.errors.is_empty() {
            self.store
                .save_row_errors(job, batch.first_row, &batch.errors)
                .await?;
        }
        Ok(batch.errors.len() as u64)
    }

    /// Saves the job, if this invocation still holds it.
    pub(super) async fn checkpoint(&self, job: &mut Job, saved: &mut u64) -> Result<(), Stopped> {
        job.lease_until = Some((Timestamp::now() + LEASE).as_millisecond());
        match self.store.save_job(job, *saved).await? {
            Saved::Yes => {
                *saved = job.counts.rows_read;
                Ok(())
            }
            // The batch is stored, so its rows count all the same: `saved` stays behind.
            Saved::CancelRequested(at) => Err(Stopped::Cancelled(at)),
            Saved::Lost => {
                tracing::info!(job = %job.id, "another invocation has taken this job over");
                Err(Stopped::Lost)
            }
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
                Outcome::TooLarge | Outcome::Erased | Outcome::NotFound => {}
            }
        }
    }
}
