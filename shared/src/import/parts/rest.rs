//! What an invocation has no time for: a note in the bucket, of which S3 tells a fresh one.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{content::PartError, key::PartKey};
use crate::{
    identity::OrganizationId,
    import::{ImportError, Importer, Invocation, Object},
    store::jobs::Job,
};

/// What stands in the note.
#[derive(Serialize, Deserialize)]
struct Note {
    organization: OrganizationId,
    progress: u64,
    #[serde(default)]
    cursor: Option<String>,
}

impl Importer<'_> {
    /// Leaves the rest of a job to a fresh invocation.
    pub(in crate::import) async fn leave_rest(
        &self,
        job: &Job,
        invocation: &str,
    ) -> Result<(), ImportError> {
        tracing::info!(
            job = %job.id, rows_read = job.counts.rows_read, rows_split = job.split.rows_split,
            "the time limit is near; a fresh invocation goes on"
        );
        // The lease goes first: the fresh invocation may begin before this one has ended. If
        // this one dies in between, its event comes again.
        self.store.release_job(job, invocation).await?;
        self.leave_note(job, invocation).await
    }

    /// Lets an invocation of the import function take up a registered job that has no file.
    pub async fn start(&self, job: &Job) -> Result<(), ImportError> {
        self.leave_note(job, "start").await
    }

    async fn leave_note(&self, job: &Job, from: &str) -> Result<(), ImportError> {
        // The progress keeps a note that is put again from being deleted in place of the first.
        let note = Note {
            organization: job.organization,
            progress: job.counts.rows_read + job.split.rows_split,
            cursor: job.cursor.clone(),
        };
        let note = serde_json::to_vec(&note).map_err(|_| ImportError::PartUnwritable)?;
        let key = PartKey::continuation(job.id, from);
        Ok(self.bucket.put(&key.to_string(), note).await?)
    }

    /// Goes on where an earlier invocation has stopped.
    pub(in crate::import) async fn go_on(
        &self,
        object: &Object,
        id: Uuid,
        invocation: Invocation<'_>,
    ) -> Result<(), ImportError> {
        let open = self.bucket.open(&object.key, object.etag.as_deref());
        let Some(open) = open.await? else {
            return Ok(());
        };
        let etag = open.etag.clone();
        let note = open.body.collect().await;
        let note = note.map_err(|_| ImportError::Interrupted)?.to_vec();
        let Note { organization, .. } = serde_json::from_slice(&note).map_err(PartError::line)?;
        if let Some(job) = self.store.job(organization, id).await? {
            let file = Object {
                key: job.key,
                etag: job.etag,
                version: String::new(),
            };
            self.take_up(organization, id, &file, invocation).await?;
        }
        Ok(self.bucket.delete(&object.key, &etag).await?)
    }
}
