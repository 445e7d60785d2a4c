//! Reads a file's rows into batches of protected records.
//!
//! Rows in clear exist only here, on the thread that reads them.

use std::{io::Read, sync::Arc};

use super::{FileError, rejected::corrected, survey::Repetitions};
use crate::{
    decode::{self, Hints},
    protection::{CipherError, ProtectedRecord, Protector},
    record::{
        MAX_RECORD_BYTES, RawRecord, RawValue, RefusedRow, RowError, RowErrorCode, Validator,
    },
    store::{Outcome, jobs::MAX_KEPT_ERRORS_OF_BATCH},
};

/// Rows in a batch. Sorted by hash, about 40 of them share each of a group's 256 counters.
pub const BATCH_ROWS: usize = 10_000;
/// Bytes of values in a batch after which it is not filled up, so that large rows do not fill the memory.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Some rows of a file, in their order.
#[derive(Debug, Default)]
pub struct Batch {
    /// The last row that was read into it.
    pub last_row: u64,
    /// Rows that were read into it.
    pub rows: u64,
    /// Records to store.
    pub records: Vec<ProtectedRecord>,
    /// The row and line of each record.
    pub places: Vec<(u64, Option<u64>)>,
    /// Rows that a later row is about as well.
    pub duplicates: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// Those rows, in their order.
    pub refused: Vec<RefusedRow>,
    /// Why, and warnings; the first [`MAX_KEPT_ERRORS_OF_BATCH`].
    pub errors: Vec<RowError>,
}

/// Why reading ended early.
#[derive(Debug)]
pub enum BatchError {
    /// The file.
    File(FileError),
    /// Encryption.
    Cipher(CipherError),
}

/// Reads a file's rows after the first `skip`, and hands them on batch by batch. `hand_on` says
/// whether anybody still listens.
pub fn batches(
    reader: impl Read + Send + 'static,
    hints: &Hints,
    validator: &mut Validator,
    protector: &Protector,
    repetitions: &Repetitions,
    skip: u64,
    mut hand_on: impl FnMut(Batch) -> bool,
) -> Result<(), BatchError> {
    let records = corrected(decode::records(reader, hints).map_err(BatchError::File)?);
    let mut batch = Batch::default();
    let mut bytes = 0;
    for raw in records.rows {
        let raw = raw.map_err(BatchError::File)?;
        if raw.row <= skip {
            continue;
        }
        let (row, line) = (raw.row, raw.line);
        batch.last_row = row;
        batch.rows += 1;
        bytes += raw.size();
        match validator.validate(raw) {
            Err(refused) => {
                // Values in clear take more memory than their text, blank ones above all.
                bytes += refused.raw.values.len() * size_of::<(Arc<str>, RawValue)>();
                batch.rejected += 1;
                batch.keep(&refused.errors);
                batch.refused.push(refused);
            }
            Ok(record) => match repetitions.later_row(record.id(), row) {
                Some(later) => {
                    batch.duplicates += 1;
                    batch.warn(duplicate(row, line, later));
                }
                None => {
                    let record = protector.protect(record).map_err(BatchError::Cipher)?;
                    batch.records.push(record);
                    batch.places.push((row, line));
                }
            },
        }
        if batch.rows as usize == BATCH_ROWS || bytes >= BATCH_BYTES {
            bytes = 0;
            if !hand_on(std::mem::take(&mut batch)) {
                return Ok(());
            }
        }
    }
    if batch.rows > 0 {
        hand_on(batch);
    }
    Ok(())
}

impl Batch {
    fn keep(&mut self, errors: &[RowError]) {
        let room = MAX_KEPT_ERRORS_OF_BATCH.saturating_sub(self.errors.len());
        self.errors.extend(errors.iter().take(room).cloned());
    }

    /// Keeps a warning, as long as errors have room enough.
    fn warn(&mut self, warning: RowError) {
        if self.errors.len() < MAX_KEPT_ERRORS_OF_BATCH / 2 {
            self.errors.push(warning);
        }
    }

    /// Counts rows that could not be stored as refused, and says why. Their values are
    /// protected by then, so that they are refused without.
    pub fn refuse_too_large(&mut self, outcomes: &[Outcome]) {
        let places = std::mem::take(&mut self.places);
        for ((row, line), outcome) in places.into_iter().zip(outcomes) {
            if *outcome == Outcome::TooLarge {
                self.rejected += 1;
                let errors = vec![RowError {
                    row,
                    line,
                    column: None,
                    code: RowErrorCode::RecordTooLarge,
                    hint: Some((MAX_RECORD_BYTES / 1024).to_string()),
                }];
                self.keep(&errors);
                let raw = RawRecord {
                    row,
                    line,
                    values: Vec::new(),
                    malformed: None,
                };
                self.refused.push(RefusedRow { raw, errors });
            }
        }
        self.errors.sort_by_key(|error| error.row);
        self.refused.sort_by_key(|refused| refused.raw.row);
    }
}

fn duplicate(row: u64, line: Option<u64>, later: u64) -> RowError {
    RowError {
        row,
        line,
        column: None,
        code: RowErrorCode::DuplicateInFile,
        hint: Some(later.to_string()),
    }
}
