//! Splits a large file into parts while it streams by.

use std::io::Read;

use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    content::{Owner, PartWriter},
    key::PartKey,
};
use crate::{
    bucket::OpenObject,
    decode::{self, Hints, Records},
    import::{
        ImportError, Importer, Object, TimeLeft,
        batches::Fill,
        reading::{blocking, refused},
        rejected::corrected,
        run::Stopped,
        setting::Setting,
        storing::Stored,
        survey::Repetitions,
    },
    record::Validator,
    store::jobs::Job,
};

/// Rows on their way into the bucket.
struct Part {
    content: Vec<u8>,
    /// The last row in it.
    last_row: u64,
}

impl Importer<'_> {
    /// Puts a file's rows into the bucket, part by part, from where an earlier invocation
    /// stopped. A part that is put again has the same rows, and counts once.
    pub(in crate::import) async fn split(
        &self,
        job: &mut Job,
        setting: &Setting,
        object: &Object,
        hints: Hints,
        repetitions: Repetitions,
        time: TimeLeft,
    ) -> Result<Stored, Stopped> {
        let open = self.open(object).await?;
        let splitter = Splitter {
            owner: Owner {
                organization: job.organization,
            },
            validator: setting.validator(job),
            repetitions,
            skip: job.split.rows_split,
        };
        let (mut received, reader) = splitter.start(open, hints);
        while let Some(part) = received.recv().await {
            if job.cancel_requested_at.is_some() {
                break;
            }
            let before = job.split.parts_put;
            let number = u32::try_from(before + 1).unwrap_or(u32::MAX);
            let key = PartKey::Part {
                job: job.id,
                number,
            };
            self.bucket.put(&key.to_string(), part.content).await?;
            job.split.rows_split = part.last_row;
            job.split.parts_put += 1;
            let is_last = Some(part.last_row) == job.rows_total;
            let stops = time.is_short() && !is_last;
            self.save_split(job, before, !stops).await?;
            if stops {
                return Ok(Stored::OutOfTime);
            }
        }
        drop(received);
        if job.cancel_requested_at.is_none() {
            reader.await.map_err(|_| ImportError::Reader)??;
        }
        job.split.split_done = true;
        let before = job.split.parts_put;
        self.save_split(job, before, false).await?;
        Ok(Stored::InParts)
    }

    async fn save_split(
        &self,
        job: &mut Job,
        before: u64,
        keeps_lease: bool,
    ) -> Result<(), Stopped> {
        let saved = self.store.save_split(job, before, keeps_lease).await?;
        *job = saved.ok_or(Stopped::Lost)?;
        Ok(())
    }
}

/// What reading rows into parts takes.
struct Splitter {
    owner: Owner,
    validator: Validator,
    repetitions: Repetitions,
    /// Rows that are in parts already.
    skip: u64,
}

impl Splitter {
    /// Starts a thread that makes parts, one ahead of the one being put.
    fn start(
        mut self,
        object: OpenObject,
        hints: Hints,
    ) -> (mpsc::Receiver<Part>, JoinHandle<Result<(), Stopped>>) {
        let (sender, receiver) = mpsc::channel(1);
        let reader = blocking(object);
        let thread = tokio::task::spawn_blocking(move || {
            self.run(reader, &hints, |part| sender.blocking_send(part).is_ok())
        });
        (receiver, thread)
    }

    fn run(
        &mut self,
        reader: impl Read + Send + 'static,
        hints: &Hints,
        mut hand_on: impl FnMut(Part) -> bool,
    ) -> Result<(), Stopped> {
        let records = corrected(decode::records(reader, hints).map_err(refused)?);
        let Records { header, rows, .. } = records;
        let unwritable = |_| Stopped::Failed(ImportError::PartUnwritable);
        let new_part = || PartWriter::new(&self.owner, header.as_deref()).map_err(unwritable);
        let mut part = new_part()?;
        let (mut fill, mut last_row) = (Fill::default(), self.skip);
        for raw in rows {
            let raw = raw.map_err(refused)?;
            if raw.row <= self.skip {
                continue;
            }
            fill.add(&raw);
            last_row = raw.row;
            let id = self.validator.id_of(&raw);
            let later = id.and_then(|id| self.repetitions.later_row(&id, raw.row));
            part.push(raw, later).map_err(unwritable)?;
            if fill.is_full() {
                let content = std::mem::replace(&mut part, new_part()?).finish();
                if !hand_on(Part { content, last_row }) {
                    return Ok(());
                }
                fill = Fill::default();
            }
        }
        if !fill.is_empty() {
            let content = part.finish();
            hand_on(Part { content, last_row });
        }
        Ok(())
    }
}
