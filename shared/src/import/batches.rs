//! Reads a file's rows into batches of protected records.
//!
//! Rows in clear exist only here, on the thread that reads them.

use std::io::Read;

use super::{FileError, rejected::corrected, survey::Repetitions};
use crate::{
    decode::{self, Hints},
    identity::RecordId,
    protection::{CipherError, ProtectedRecord, Protector},
    record::{MAX_RECORD_BYTES, RawRecord, RefusedRow, RowError, RowErrorCode, Validator},
    store::{
        Outcome,
        jobs::{MAX_KEPT_ERRORS, MAX_KEPT_ERRORS_OF_BATCH},
    },
};

/// Rows in a batch. Sorted by hash, about 40 of them share each of a group's 256 counters.
pub const BATCH_ROWS: u64 = 10_000;
/// Bytes of values in a batch after which it is not filled up, so that large rows do not fill the memory.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Values in a batch after which it is not filled up: blank ones take memory too.
const BATCH_VALUES: usize = 1_000_000;

/// How much is in a batch, or in a part, which becomes one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fill {
    rows: u64,
    bytes: usize,
    values: usize,
}

impl Fill {
    /// Counts a row.
    pub fn add(&mut self, raw: &RawRecord) {
        self.rows += 1;
        self.bytes += raw.size();
        self.values += raw.values.len();
    }

    /// Whether the next row belongs into another batch.
    pub fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES || self.values >= BATCH_VALUES
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

/// Some rows of a file, in their order.
#[derive(Debug, Default)]
pub struct Batch {
    /// The first row that was read into it.
    pub first_row: u64,
    /// The last row that was read into it.
    pub last_row: u64,
    /// Rows that were read into it.
    pub rows: u64,
    fill: Fill,
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
    /// Why, and warnings; the first [`MAX_KEPT_ERRORS`].
    pub errors: Vec<RowError>,
    /// How many things are wrong with those rows.
    pub errors_found: u64,
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
        if batch.fill.is_full() && !hand_on(std::mem::take(&mut batch)) {
            return Ok(());
        }
    }
    if batch.rows > 0 {
        hand_on(batch);
    }
    Ok(())
}

impl Batch {
    /// Checks and protects a row. `later_row` names the row that replaces it, if there is one; of
    /// events, which all count, another about the same customer.
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
        self.fill.add(&raw);
        match validator.validate(raw) {
            Err(refused) => {
                self.rejected += 1;
                self.keep(&refused.errors);
                self.refused.push(refused);
            }
            Ok(record) => match later_row(record.id(), row) {
                Some(later) if !record.is_event() => {
                    self.duplicates += 1;
                    self.warn(duplicate(row, line, later));
                }
                other => {
                    let mut record = protector.protect(record)?;
                    if other.is_some() {
                        record.is_not_alone();
                    }
                    self.records.push(record);
                    self.places.push((row, line));
                }
            },
        }
        Ok(())
    }

    fn keep(&mut self, errors: &[RowError]) {
        self.errors_found += errors.len() as u64;
        let room = MAX_KEPT_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(errors.iter().take(room).cloned());
    }

    /// Keeps a warning, as long as errors have room enough.
    fn warn(&mut self, warning: RowError) {
        if self.errors.len() < MAX_KEPT_ERRORS_OF_BATCH / 2 {
            self.errors.push(warning);
        }
    }

    /// Counts rows that the store did not take as refused, and says why. Their values are
    /// protected by then, so that they are refused without.
    pub fn refuse_unstored(&mut self, outcomes: &[Outcome]) {
        let places = std::mem::take(&mut self.places);
        for ((row, line), outcome) in places.into_iter().zip(outcomes) {
            let Some((code, hint)) = reason(*outcome) else {
                continue;
            };
            self.rejected += 1;
            let errors = vec![RowError {
                row,
                line,
                column: None,
                code,
                hint,
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
        self.errors.sort_by_key(|error| error.row);
        self.refused.sort_by_key(|refused| refused.raw.row);
    }
}

/// Why the store did not take a row, and the error's hint; nothing if it did.
fn reason(outcome: Outcome) -> Option<(RowErrorCode, Option<String>)> {
    match outcome {
        Outcome::TooLarge => {
            let limit = MAX_RECORD_BYTES / 1024;
            Some((RowErrorCode::RecordTooLarge, Some(limit.to_string())))
        }
        Outcome::Erased => Some((RowErrorCode::ErasedSubject, None)),
        Outcome::NotFound => Some((RowErrorCode::NotFound, None)),
        Outcome::Created | Outcome::Updated | Outcome::Unchanged | Outcome::Superseded => None,
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
