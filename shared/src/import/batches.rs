//! Reads a file's rows into batches of protected records.
//!
//! Rows in clear exist only here, on the thread that reads them.

use std::io::Read;

use super::{FileError, survey::Repetitions};
use crate::{
    decode::{self, Hints},
    identity::RecordId,
    protection::{CipherError, ProtectedRecord, Protector},
    record::{MAX_RECORD_BYTES, RawRecord, RowError, RowErrorCode, Validator},
    store::{Outcome, jobs::MAX_KEPT_ERRORS_OF_BATCH},
};

/// Rows in a batch. Sorted by hash, about 40 of them share each of a group's 256 counters.
pub const BATCH_ROWS: usize = 10_000;
/// Bytes of values in a batch after which it is not filled up, so that large rows do not fill the memory.
pub const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Some rows of a file, in their order.
#[derive(Debug, Default)]
pub struct Batch {
    /// The first row that was read into it.
    pub first_row: u64,
    /// The last row that was read into it.
    pub last_row: u64,
    /// Rows that were read into it.
    pub rows: u64,
    /// Bytes of values that were read into it.
    bytes: usize,
    /// Records to store.
    pub records: Vec<ProtectedRecord>,
    /// The row and line of each record.
    pub places: Vec<(u64, Option<u64>)>,
    /// Rows that a later row is about as well.
    pub duplicates: u64,
    /// Rows that were refused.
    pub rejected: u64,
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
    let records = decode::records(reader, hints).map_err(BatchError::File)?;
    let mut batch = Batch::default();
    for raw in records.rows {
        let raw = raw.map_err(BatchError::File)?;
        if raw.row <= skip {
            continue;
        }
        batch
            .add(raw, validator, protector, |id, row| {
                repetitions.later_row(id, row)
            })
            .map_err(BatchError::Cipher)?;
        if batch.is_full() && !hand_on(std::mem::take(&mut batch)) {
            return Ok(());
        }
    }
    if batch.rows > 0 {
        hand_on(batch);
    }
    Ok(())
}

impl Batch {
    /// Checks and protects a row. `later_row` names the row that replaces it, if there is one.
    pub fn add(
        &mut self,
        raw: RawRecord,
        validator: &mut Validator,
        protector: &Protector,
        later_row: impl FnOnce(&RecordId, u64) -> Option<u64>,
    ) -> Result<(), CipherError> {
        let (row, line) = (raw.row, raw.line);
        if self.rows == 0 {
            self.first_row = row;
        }
        self.last_row = row;
        self.rows += 1;
        self.bytes += raw.size();
        match validator.validate(raw) {
            Err(errors) => {
                self.rejected += 1;
                self.keep(errors);
            }
            Ok(record) => match later_row(record.id(), row) {
                Some(later) => {
                    self.duplicates += 1;
                    self.warn(duplicate(row, line, later));
                }
                None => {
                    self.records.push(protector.protect(record)?);
                    self.places.push((row, line));
                }
            },
        }
        Ok(())
    }

    /// Whether the next row belongs into another batch.
    pub fn is_full(&self) -> bool {
        self.rows as usize == BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    fn keep(&mut self, errors: Vec<RowError>) {
        let room = MAX_KEPT_ERRORS_OF_BATCH.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
    }

    /// Keeps a warning, as long as errors have room enough.
    fn warn(&mut self, warning: RowError) {
        if self.errors.len() < MAX_KEPT_ERRORS_OF_BATCH / 2 {
            self.errors.push(warning);
        }
    }

    /// Counts rows that could not be stored as refused, and says why.
    pub fn refuse_too_large(&mut self, outcomes: &[Outcome]) {
        let places = std::mem::take(&mut self.places);
        for ((row, line), outcome) in places.into_iter().zip(outcomes) {
            if *outcome == Outcome::TooLarge {
                self.rejected += 1;
                self.keep(vec![RowError {
                    row,
                    line,
                    column: None,
                    code: RowErrorCode::RecordTooLarge,
                    hint: Some((MAX_RECORD_BYTES / 1024).to_string()),
                }]);
            }
        }
        self.errors.sort_by_key(|error| error.row);
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
