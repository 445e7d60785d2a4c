//! A csv in an unusual dialect, or with quotes too many, spelled as RFC 4180 has it.

use std::io::{self, Read};

use super::{
    dialect::Dialect,
    mend::mend,
    walk::{Cells, Walk, line_end, walk},
};
use crate::{decode::MAX_ROW_BYTES, import::FileError};

/// How much is read and handed on at a time.
const CHUNK: usize = 64 * 1024;
/// How many bytes after lines with quotes that make no sense are read in vain, and again, before
/// the file is refused.
const MAX_READ_AGAIN: usize = 128 * 1024 * 1024;

/// A reader that spells each record with the dialect's delimiter's first byte and with `"`. No
/// line is added or lost.
pub(super) struct Respelled<R> {
    inner: R,
    dialect: Dialect,
    /// Whether lines with quotes that make no sense are read as they stand.
    mends: bool,
    /// The 1-based line where the next record begins.
    line: u64,
    input: Vec<u8>,
    /// Bytes of the input that were spelled.
    taken: usize,
    ended: bool,
    /// Bytes that were read in vain.
    read_again: usize,
    cells: Cells,
    output: Vec<u8>,
    /// Bytes of the output that were handed on.
    given: usize,
}

impl<R: Read> Respelled<R> {
    /// Respells a file whose first byte is on the 1-based `line`.
    pub(super) fn new(inner: R, dialect: Dialect, mends: bool, line: u64) -> Self {
        Self {
            inner,
            dialect,
            mends,
            line,
            input: Vec::new(),
            taken: 0,
            ended: false,
            read_again: 0,
            cells: Cells::default(),
            output: Vec::new(),
            given: 0,
        }
    }

    /// Spells what can be of the input, and more of it if nothing can.
    fn refill(&mut self) -> Result<(), io::Error> {
        self.output.clear();
        self.given = 0;
        while self.output.len() < CHUNK {
            let text = self.input.get(self.taken..).unwrap_or_default();
            if text.is_empty() && self.ended {
                return Ok(());
            }
            let walked = match text {
                [] => Walk::Partial,
                text => walk(text, &self.dialect, self.ended, &mut self.cells),
            };
            let spelled = match walked {
                Walk::Record(len) => self.spell(len),
                Walk::Broken(at) => self.spell_broken(at)?,
                Walk::Partial => false,
            };
            if !spelled {
                if !self.output.is_empty() {
                    return Ok(());
                }
                self.read_on()?;
            }
        }
        Ok(())
    }

    fn read_on(&mut self) -> io::Result<()> {
        self.input.drain(..self.taken);
        self.taken = 0;
        if self.input.len() > MAX_ROW_BYTES {
            let (line, limit) = (self.line, MAX_ROW_BYTES / 1024);
            return Err(FileError::RowTooLong { line, limit }.into_io());
        }
        let mut chunk = self.inner.by_ref().take(CHUNK as u64);
        self.ended = chunk.read_to_end(&mut self.input)? == 0;
        Ok(())
    }

    /// Spells the record of so many bytes whose cells were walked.
    fn spell(&mut self, len: usize) -> bool {
        let record = self.input.get(self.taken..self.taken + len);
        let record = record.unwrap_or_default();
        if self.dialect.is_plain() {
            self.output.extend_from_slice(record);
        } else if !is_blank(record) {
            write(&self.cells, &self.dialect, &mut self.output);
            self.output.extend_from_slice(end_of(record));
        } else {
            self.output.extend_from_slice(record);
        }
        self.line += lines(record);
        self.taken += len;
        true
    }

    /// Spells the first line of a record whose quotes make no sense at a byte. Says whether the
    /// line was there as a whole.
    fn spell_broken(&mut self, at: usize) -> io::Result<bool> {
        let text = self.input.get(self.taken..).unwrap_or_default();
        let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let rest = text.get(end.unwrap_or(text.len())..).unwrap_or_default();
        let len = match line_end(rest, self.ended) {
            Some(len) => len,
            None if self.ended => 0,
            None => return Ok(false),
        };
        let line = text.get(..text.len() - rest.len()).unwrap_or_default();
        mend(line, &self.dialect, &mut self.cells);
        let sure = at <= line.len() && self.cells.len() == self.dialect.columns;
        self.read_again += at;
        if (!self.mends && !sure) || self.read_again > MAX_READ_AGAIN {
            let line = self.line;
            return Err(FileError::UnclosedQuote { line }.into_io());
        }
        write(&self.cells, &self.dialect, &mut self.output);
        self.output
            .extend_from_slice(rest.get(..len).unwrap_or_default());
        self.line += u64::from(len > 0);
        self.taken += line.len() + len;
        Ok(true)
    }
}

impl<R: Read> Read for Respelled<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.output.len() {
            self.refill()?;
        }
        let mut rest = self.output.get(self.given..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.given += read;
        Ok(read)
    }
}

fn is_blank(record: &[u8]) -> bool {
    matches!(record, b"\n" | b"\r" | b"\r\n")
}

fn end_of(record: &[u8]) -> &[u8] {
    let text = record.strip_suffix(b"\n").unwrap_or(record);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    record.get(text.len()..).unwrap_or_default()
}

/// The line ends in a record: CR, LF or both.
fn lines(record: &[u8]) -> u64 {
    let lf = record.iter().filter(|byte| **byte == b'\n').count();
    let cr_lf = record.windows(2).filter(|pair| *pair == b"\r\n").count();
    let cr = record.iter().filter(|byte| **byte == b'\r').count();
    (lf + cr - cr_lf) as u64
}

fn write(cells: &Cells, dialect: &Dialect, output: &mut Vec<u8>) {
    let alone = cells.len() == 1;
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            output.push(dialect.delimiter_byte());
        }
        let special =
            |byte: &u8| matches!(byte, b'"' | b'\n' | b'\r') || *byte == dialect.delimiter_byte();
        let needs_quotes = cell.iter().any(special) || (alone && cell.is_empty());
        if !needs_quotes {
            output.extend_from_slice(cell);
            continue;
        }
        output.push(b'"');
        for byte in cell {
            output.extend(std::iter::repeat_n(*byte, 1 + usize::from(*byte == b'"')));
        }
        output.push(b'"');
    }
}
