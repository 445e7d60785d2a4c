//! Counts what comes out of an archive while it is read.

use std::io::{self, BufRead, Read};

use super::MAX_EXPANDED;
use crate::import::FileError;

const MIB: u64 = 1024 * 1024;
/// The longest tag or text, in bytes. Excel keeps 32,767 characters in a cell; queries that it
/// embeds may be larger.
const MAX_EVENT: u64 = 8 * MIB;
/// A part larger than this must not expand to more than so many times its compressed size.
const MAX_RATIO: u64 = 250;
const RATIO_FROM: u64 = 64 * MIB;

/// A reader that ends with an error once too much has come out of it.
pub(super) struct Metered<R> {
    inner: R,
    compressed: u64,
    left: u64,
    /// Bytes so far, and those of the tag or text that is being read.
    pub(super) total: u64,
    pub(super) event: u64,
    pub(super) trouble: Option<FileError>,
}

impl<R> Metered<R> {
    pub(super) fn new(inner: R, compressed: u64, left: u64) -> Self {
        Self {
            inner,
            compressed,
            left,
            total: 0,
            event: 0,
            trouble: None,
        }
    }

    fn trouble(&self) -> Option<FileError> {
        if self.total > self.left {
            let limit = MAX_EXPANDED / MIB;
            return Some(FileError::WorkbookExpandsTooFar { limit });
        }
        if self.total > RATIO_FROM && self.total / MAX_RATIO > self.compressed {
            return Some(FileError::SuspiciousCompression);
        }
        (self.event > MAX_EVENT).then_some(FileError::HostileXml)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.trouble = self.trouble();
        match self.trouble {
            Some(_) => Err(io::Error::other("too much came out of the archive")),
            None => self.inner.fill_buf(),
        }
    }

    fn consume(&mut self, bytes: usize) {
        self.total += bytes as u64;
        self.event += bytes as u64;
        self.inner.consume(bytes);
    }
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, empty, repeat};

    use super::*;

    /// Reads tags of 1,000 bytes until there is trouble.
    fn trouble(bytes: u64, compressed: u64, left: u64) -> Option<FileError> {
        let inner = BufReader::new(repeat(b' ').take(bytes).chain(empty()));
        let mut meter = Metered::new(inner, compressed, left);
        let mut tag = [0; 1_000];
        while meter.read(&mut tag).is_ok_and(|read| read > 0) {
            meter.event = 0;
        }
        meter.trouble
    }

    #[test]
    fn what_expands_too_far_is_cut_off() {
        let expands = FileError::WorkbookExpandsTooFar { limit: 1_024 };
        let table = [
            (MIB, 1, MIB, None),
            (MIB + 1_001, 1, MIB, Some(expands)),
            (RATIO_FROM, 1, u64::MAX, None),
            (RATIO_FROM + MIB, MIB, u64::MAX, None),
            (
                RATIO_FROM + MIB,
                1_000,
                u64::MAX,
                Some(FileError::SuspiciousCompression),
            ),
        ];
        for (bytes, compressed, left, expected) in table {
            assert_eq!(
                trouble(bytes, compressed, left),
                expected,
                "{bytes} {compressed}"
            );
        }
    }
}
