//! Imports one part, and closes the job after the last.

use jiff::Timestamp;
use uuid::Uuid;

use super::content::{Owner, PartReader};
use crate::{
    bucket::OpenObject,
    import::{
        ImportError, Importer, Object,
        batches::Batch,
        reading::blocking,
        run::{Stopped, log_end},
        setting::Setting,
    },
    store::jobs::{Job, MAX_KEPT_ERRORS_OF_BATCH, PartDone, PartResult},
};

impl Importer<'_> {
    /// Imports a part. The same part again finds itself done.
    pub(in crate::import) async fn import_part(
        &self,
        object: &Object,
        id: Uuid,
        number: u32,
    ) -> Result<(), ImportError> {
        let open = self.bucket.open(&object.key, object.etag.as_deref());
        let Some(open) = open.await? else {
            // Whoever deleted it had finished it.
            return Ok(());
        };
        let etag = open.etag.clone();
        let (owner, rows) = read_owner(open).await?;
        if let Some(job) = self.store.job(owner.organization, id).await? {
            let is_done = job.state.is_ended()
                || self
                    .store
                    .part_is_done(job.organization, id, number)
                    .await?;
            if !is_done {
                self.complete_part(&job, number, rows).await?;
            }
            self.close(&job).await?;
        }
        Ok(self.bucket.delete(&object.key, &etag).await?)
    }

    async fn complete_part(&self, job: &Job, number: u32, rows: Rows) -> Result<(), ImportError> {
        let mut result = PartResult {
            number,
            ..PartResult::default()
        };
        // The parts of a cancelled job are done without their rows.
        if job.cancel_requested_at.is_none() {
            match self.store_part(job, rows, &mut result).await {
                Ok(()) => {}
                Err(Stopped::Failed(error)) => return Err(error),
                // The job that made this part found nothing wrong; what has changed since will
                // be found by the invocation that holds the job.
                Err(_) => return Err(ImportError::Interrupted),
            }
        }
        let done = self.store.complete_part(job, &result).await?;
        if done == PartDone::JobEnded {
            tracing::info!(job = %job.id, number, "a part was done after its job had ended");
        }
        Ok(())
    }

    async fn store_part(
        &self,
        job: &Job,
        rows: Rows,
        result: &mut PartResult,
    ) -> Result<(), Stopped> {
        let setting = self.setting(job).await?;
        let batch = read_batch(job, &setting, rows).await?;
        let room = MAX_KEPT_ERRORS_OF_BATCH;
        (result.counts, result.errors_kept) = self.store_batch(job, &setting, batch, room).await?;
        Ok(())
    }

    /// Ends a job if its last part is done, and deals with its file.
    pub(in crate::import) async fn close(&self, job: &Job) -> Result<(), ImportError> {
        let now = Timestamp::now();
        let closed = self
            .store
            .close_split_job(job.organization, job.id, now)
            .await?;
        let Some(job) = closed else {
            return Ok(());
        };
        if job.finished_at == Some(now) {
            log_end(&job);
        }
        let file = Object {
            key: job.key.clone(),
            etag: job.etag.clone(),
            version: String::new(),
        };
        self.clean_up(&job, &file).await
    }
}

type Rows = PartReader<Box<dyn std::io::Read + Send>>;

async fn read_owner(open: OpenObject) -> Result<(Owner, Rows), ImportError> {
    let reader: Box<dyn std::io::Read + Send> = Box::new(blocking(open));
    let read = tokio::task::spawn_blocking(move || PartReader::new(reader)).await;
    Ok(read.map_err(|_| ImportError::Reader)??)
}

/// A part is one batch.
async fn read_batch(job: &Job, setting: &Setting, rows: Rows) -> Result<Batch, Stopped> {
    let mut validator = setting.validator(job);
    let protector = setting.protector();
    let read = move || {
        let mut batch = Batch::default();
        for row in rows {
            let (raw, later) = row?;
            batch.add(raw, &mut validator, &protector, |_, _| later)?;
        }
        Ok::<_, ImportError>(batch)
    };
    let read = tokio::task::spawn_blocking(read).await;
    Ok(read.map_err(|_| ImportError::Reader)??)
}
