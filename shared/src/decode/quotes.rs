//! Watches the records and quotes of a csv file while it is read.
//!
//! A csv reader takes a quote that is never closed as one cell with the rest of the file in it:
//! thousands of rows vanish in silence. It also miscounts lines that end in CR LF. This reader
//! follows the bytes as the parser behind it does, says on which line each record begins, and
//! stops the file at a record that is too long or never ends.

use std::{
    collections::VecDeque,
    io::{self, Read},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::MAX_ROW_BYTES;

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
    record_line: u64,
    record_bytes: usize,
    findings: Findings,
}

impl<R: Read> QuoteWatch<R> {
    pub(super) fn new(inner: R, delimiter: u8) -> (Self, Findings) {
        let findings = Findings::default();
        let watch = Self {
            inner,
            delimiter,
            state: State::StartOfRecord,
            line: 1,
            record_line: 1,
            record_bytes: 0,
            findings: findings.clone(),
        };
        (watch, findings)
    }

    fn follow(&mut self, byte: u8, found: &mut Found) {
        let ends_line = matches!(byte, b'\n' | b'\r');
        if self.state == State::StartOfRecord && !ends_line {
            found.starts.push_back(self.line);
            self.record_line = self.line;
            self.record_bytes = 0;
        }
        self.line += u64::from(byte == b'\n');
        self.record_bytes += 1;
        self.state = match (self.state, byte) {
            (State::InQuotes, b'"') => State::AfterQuote,
            (State::InQuotes, _) => State::InQuotes,
            (State::StartOfRecord | State::StartOfCell | State::AfterQuote, b'"') => {
                State::InQuotes
            }
            _ if ends_line => State::StartOfRecord,
            (_, byte) if byte == self.delimiter => State::StartOfCell,
            _ => State::InCell,
        };
    }

    fn stop(&self, found: &mut Found, trouble: Trouble) -> io::Error {
        found.trouble = Some(trouble);
        io::Error::other("a record cannot be read")
    }
}

impl<R: Read> Read for QuoteWatch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let findings = self.findings.clone();
        let mut found = findings.lock();
        for byte in buffer.iter().take(read) {
            self.follow(*byte, &mut found);
            if self.record_bytes > MAX_ROW_BYTES && self.state != State::StartOfRecord {
                return Err(self.stop(&mut found, Trouble::TooLong(self.record_line)));
            }
        }
        if read == 0 && !buffer.is_empty() && self.state == State::InQuotes {
            return Err(self.stop(&mut found, Trouble::UnclosedQuote(self.record_line)));
        }
        Ok(read)
    }
}
