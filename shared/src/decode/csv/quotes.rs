//! Watches the records and quotes of a csv file while it is read.
//!
//! A csv reader takes a quote that is never closed as one cell with the rest of the file in it:
//! thousands of rows vanish in silence. One quote too many takes the rows up to the next quote. It also miscounts lines that end in CR. This reader
//! follows the bytes as the parser behind it does, says on which line each record begins, and
//! stops the file at a record that is too long or never ends.

use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::super::MAX_ROW_BYTES;

/// Where in a record the last byte was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    StartOfRecord,
    StartOfCell,
    InCell,
    InQuotes,
    /// After a quote within quotes: it closed the cell, or was the first of two.
    AfterQuote,
}

/// What the watch saw, shared with whoever reads the records.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings(Arc<Mutex<Found>>);

#[derive(Debug, Default)]
struct Found {
    /// The lines where records begin that the parser has not given out yet.
    starts: VecDeque<u64>,
    trouble: Option<Trouble>,
}

/// Why a file cannot be read on, and the 1-based line where the record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    UnclosedQuote(u64),
    TooLong(u64),
}

impl Findings {
    fn lock(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line where the parser's next record begins.
    pub(super) fn next_start(&self) -> Option<u64> {
        self.lock().starts.pop_front()
    }

    /// Why reading was stopped.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.lock().trouble
    }
}

/// A reader that passes bytes through and follows them.
pub(super) struct QuoteWatch<R> {
    inner: R,
    delimiter: u8,
    state: State,
    line: u64,
    /// Whether the last byte was a CR, which ends a line together with a LF.
    after_cr: bool,
    /// The line where the quoted cell begins, in or just after one.
    quote_line: u64,
    record_line: u64,
    record_bytes: usize,
    findings: Findings,
}

impl<R: Read> QuoteWatch<R> {
    /// Follows a file whose first byte is on the 1-based `line`.
    pub(super) fn new(inner: R, delimiter: u8, line: u64) -> (Self, Findings) {
        let findings = Findings::default();
        let watch = Self {
            inner,
            delimiter,
            state: State::StartOfRecord,
            line,
            after_cr: false,
            quote_line: line,
            record_line: line,
            record_bytes: 0,
            findings: findings.clone(),
        };
        (watch, findings)
    }

    /// Follows one byte, and says whether it shows that a quote before it was one too many.
    fn follow(&mut self, byte: u8, found: &mut Found) -> bool {
        let ends_line = matches!(byte, b'\n' | b'\r');
        if self.state == State::StartOfRecord && !ends_line {
            found.starts.push_back(self.line);
            self.record_line = self.line;
            self.record_bytes = 0;
        }
        self.line += u64::from(byte == b'\r' || (byte == b'\n' && !self.after_cr));
        self.after_cr = byte == b'\r';
        self.record_bytes += 1;
        let before = self.state;
        self.state = match (before, byte) {
            (State::InQuotes, b'"') => State::AfterQuote,
            (State::InQuotes, _) => State::InQuotes,
            (State::StartOfRecord | State::StartOfCell, b'"') => {
                self.quote_line = self.line;
                State::InQuotes
            }
            (State::AfterQuote, b'"') => State::InQuotes,
            _ if ends_line => State::StartOfRecord,
            (_, byte) if byte == self.delimiter => State::StartOfCell,
            _ => State::InCell,
        };
        let goes_on = (before, self.state) == (State::AfterQuote, State::InCell);
        goes_on && byte != b' ' && self.line > self.quote_line
    }
}

impl<R: Read> Read for QuoteWatch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let findings = self.findings.clone();
        let mut found = findings.lock();
        if found.trouble.is_some() {
            return Err(io::Error::other("a record cannot be read"));
        }
        let read = self.inner.read(buffer)?;
        for (place, byte) in buffer.iter().take(read).enumerate() {
            let stray_quote = self.follow(*byte, &mut found);
            if stray_quote {
                found.trouble = Some(Trouble::UnclosedQuote(self.record_line));
            } else if self.record_bytes > MAX_ROW_BYTES && self.state != State::StartOfRecord {
                found.trouble = Some(Trouble::TooLong(self.record_line));
            }
            if found.trouble.is_some() {
                // The rows before are read first.
                drop(found);
                return if place == 0 {
                    self.read(buffer)
                } else {
                    Ok(place)
                };
            }
        }
        if read == 0 && !buffer.is_empty() && self.state == State::InQuotes {
            found.trouble = Some(Trouble::UnclosedQuote(self.record_line));
            return Err(io::Error::other("a record cannot be read"));
        }
        Ok(read)
    }
}
