//! Office Open XML workbooks (ECMA-376): the first sheet with a header row.
//!
//! A zip archive cannot be read from front to back, so the file is spooled to disk first. Then
//! [`guard`] looks through all that the reader will see; only what it lets pass is opened.

mod cell;
mod guard;
mod sheet;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender},
    },
    thread::{self, JoinHandle},
    vec,
};

use super::{Format, Found, Records};
use crate::{import::FileError, record::RawRecord};

/// The largest workbook, in bytes. It is spooled to the temporary folder, which has at least
/// 512 MB on AWS Lambda.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;
/// Rows go through the channel in batches, since waking a thread takes longer than reading a row:
/// so many rows, or as many as make up so many bytes.
const BATCH_ROWS: usize = 64;
const BATCH_BYTES: usize = 1024 * 1024;
/// Batches that are read ahead.
const BATCHES_AHEAD: usize = 4;

/// Reads a workbook's first sheet with a header row.
///
/// # Errors
/// A workbook that is too large, damaged, protected by a password, hostile, or of another kind,
/// such as xls or ods. Rows may end in an error too.
pub(super) fn records(reader: impl Read + Send + 'static) -> Result<Records, FileError> {
    let (header, rows) = open(reader)?;
    Ok(Records {
        found: Found {
            format: Format::Xlsx,
            encoding: None,
            delimiter: None,
            gzip: false,
        },
        header: Some(header),
        rows: Box::new(rows),
    })
}

fn open(reader: impl Read) -> Result<(Vec<Arc<str>>, Rows), FileError> {
    let file = spool(reader)?;
    let (sender, messages) = mpsc::sync_channel(BATCHES_AHEAD);
    let thread = thread::Builder::new()
        .name("xlsx".to_owned())
        .spawn(move || {
            let last = match sheet::read(file, &sender) {
                Ok(()) => Message::End,
                Err(error) => Message::Failed(error),
            };
            // Nobody is left to be told when the receiver is gone.
            let _ = sender.send(last);
        })
        .map_err(FileError::unreadable)?;
    let mut rows = Rows {
        messages,
        batch: Vec::new().into_iter(),
        thread: Some(thread),
    };
    match rows.receive() {
        Message::Header(header) => Ok((header, rows)),
        Message::Failed(error) => Err(error),
        Message::Rows(_) | Message::End => Err(FileError::Empty),
    }
}

/// A file on disk with what the guard let pass.
fn spool(reader: impl Read) -> Result<File, FileError> {
    let mut file = tempfile::tempfile().map_err(FileError::unreadable)?;
    let limited = &mut reader.take(MAX_FILE_BYTES + 1);
    let bytes = io::copy(limited, &mut file).map_err(FileError::unreadable)?;
    if bytes > MAX_FILE_BYTES {
        let limit = MAX_FILE_BYTES / (1024 * 1024);
        return Err(FileError::WorkbookTooLarge { limit });
    }
    guard::check(&mut file)?;
    file.seek(SeekFrom::Start(0))
        .map_err(FileError::unreadable)?;
    Ok(file)
}

/// What the reading thread has to say, in this order: the header, rows, how it ended.
enum Message {
    Header(Vec<Arc<str>>),
    Rows(Vec<RawRecord>),
    Failed(FileError),
    End,
}

/// Where the reading thread sends what it read.
type Sender = SyncSender<Message>;

/// The rows, from a thread of their own: the reader of cells borrows from its workbook, so that
/// the two cannot be handed out together. The thread ends when this is dropped.
struct Rows {
    messages: Receiver<Message>,
    batch: vec::IntoIter<RawRecord>,
    /// Until it has ended.
    thread: Option<JoinHandle<()>>,
}

impl Rows {
    fn receive(&mut self) -> Message {
        // A thread that is gone without a last word has panicked.
        let broken = Message::Failed(FileError::BrokenWorkbook);
        self.messages.recv().unwrap_or(broken)
    }
}

impl Iterator for Rows {
    type Item = Result<RawRecord, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.batch.next() {
                return Some(Ok(row));
            }
            self.thread.as_ref()?;
            match self.receive() {
                Message::Rows(rows) => self.batch = rows.into_iter(),
                Message::Failed(error) => {
                    self.thread = None;
                    return Some(Err(error));
                }
                Message::Header(_) | Message::End => self.thread = None,
            }
        }
    }
}
