//! What an import of some rows would do, without writing anything.
//!
//! The same survey, the same validation, the same comparison as in the real run.

use std::{io::Cursor, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    FileError, ImportError,
    batches::Batch,
    reading::{read_batches, read_through},
    rules::Rules,
    run::Stopped,
    survey::Survey,
};
use crate::{
    dataset::Dataset,
    decode::{Hints, Limits},
    identity::{DataOrigin, OrganizationId},
    protection::KeyRing,
    record::{RowError, Validator},
    store::{
        Group, Provenance, Store,
        jobs::{Column, Counts, Mode},
    },
};

/// Rows that are to be checked: a file that is small enough to be held in memory.
pub struct Question {
    /// Whose they are.
    pub organization: OrganizationId,
    /// Their source.
    pub origin: DataOrigin,
    /// What they are checked against.
    pub dataset: Arc<Dataset>,
    /// The group that they are for, besides their source's.
    pub group: Option<Group>,
    /// What an import would do with them: [`Mode::Update`], or anything else to upsert.
    pub mode: Mode,
    /// The file's name.
    pub filename: String,
    /// The file.
    pub content: Bytes,
    /// How much it may hold.
    pub limits: Option<Limits>,
}

/// What an import would do.
#[derive(Debug, Default)]
pub struct Checked {
    /// What would become of the rows.
    pub counts: Counts,
    /// What would become of the columns.
    pub columns: Vec<Column>,
    /// What is wrong with rows, and warnings; the first thousand or more.
    pub errors: Vec<RowError>,
    /// How many things are wrong with rows.
    pub errors_found: u64,
}

/// Checks a file, or says why it is refused as a whole.
pub async fn check(
    store: &Store,
    keys: &KeyRing,
    question: Question,
) -> Result<Result<Checked, FileError>, ImportError> {
    let organization = question.organization;
    let mut check = Check {
        rules: Rules {
            organization,
            dataset: Arc::clone(&question.dataset),
            origin: question.origin.clone(),
            settings: store.organization(organization).await?.unwrap_or_default(),
            keys: keys.for_dry_run(organization).await?,
        },
        question,
    };
    let mut checked = check.run(store).await;
    if matches!(&checked, Err(Stopped::Failed(error)) if error.lacks_key()) {
        // The keys were rotated since they were read.
        check.rules.keys = keys.reload(organization).await?;
        checked = check.run(store).await;
    }
    match checked {
        Ok(checked) => Ok(Ok(checked)),
        Err(Stopped::File(error)) => Ok(Err(error)),
        Err(Stopped::Failed(error)) => Err(error),
        // Jobs are stopped in these ways, and there is none.
        Err(Stopped::Cancelled(_) | Stopped::Lost) => Err(ImportError::Reader),
    }
}

struct Check {
    question: Question,
    rules: Rules,
}

impl Check {
    async fn run(&self, store: &Store) -> Result<Checked, Stopped> {
        let (survey, hints) = self.survey().await?;
        let mut checked = Checked {
            columns: survey.columns,
            ..Checked::default()
        };
        let provenance = self.provenance();
        let (mut received, reader) = read_batches(
            self.reader(),
            hints,
            self.validator(),
            self.rules.protector(),
            survey.repetitions,
            0,
        );
        while let Some(mut batch) = received.recv().await {
            let records = std::mem::take(&mut batch.records);
            let outcomes = store
                .predict(records, &provenance, &self.rules.keys)
                .await?;
            batch.refuse_unstored(&outcomes);
            checked.counts.add(&outcomes);
            checked.add(batch);
        }
        reader.await.map_err(|_| ImportError::Reader)??;
        Ok(checked)
    }

    /// Reads the file through. A text that turns out not to be UTF-8 is read again.
    async fn survey(&self) -> Result<(Survey, Hints), Stopped> {
        let mut hints = Hints {
            filename: self.question.filename.clone(),
            limits: self.question.limits,
            lone_object: self.question.dataset.event().is_some(),
            ..Hints::default()
        };
        loop {
            match read_through(self.reader(), hints.clone(), self.validator()).await {
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

    fn reader(&self) -> Cursor<Bytes> {
        Cursor::new(self.question.content.clone())
    }

    fn validator(&self) -> Validator {
        self.rules.validator(self.question.mode)
    }

    fn provenance(&self) -> Provenance {
        Provenance {
            organization: self.question.organization,
            source_id: 0,
            // Later than every import there is.
            import_id: u64::MAX,
            at: Timestamp::now(),
            group: self.question.group.clone(),
            updates_only: self.question.mode == Mode::Update,
        }
    }
}

impl Checked {
    fn add(&mut self, batch: Batch) {
        self.counts.rows_read = batch.last_row;
        self.counts.duplicates += batch.duplicates;
        self.counts.rejected += batch.rejected;
        self.errors.extend(batch.errors);
        self.errors_found += batch.errors_found;
    }
}
