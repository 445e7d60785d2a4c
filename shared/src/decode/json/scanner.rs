//! Walks through JSON text (RFC 8259) as it comes, strictly, and says where it breaks.
//!
//! It finds where a value ends without holding more of the text than it is told to keep.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use super::MAX_DEPTH;
use crate::decode::MAX_ROW_BYTES;

/// Why JSON text cannot be read on. Its place is [`Scanner::line`] and [`Scanner::column`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The next byte cannot stand there.
    Syntax,
    /// The text ends within a value.
    Cut,
    /// A value has more than [`MAX_DEPTH`] levels.
    TooDeep,
    /// What is to be kept exceeds [`MAX_ROW_BYTES`].
    TooLong,
    /// A string is not UTF-8.
    NotUtf8,
    /// The reader failed.
    Unreadable,
}

pub(super) struct Scanner<R> {
    reader: BufReader<R>,
    /// The 1-based line of the next byte.
    line: u64,
    /// Characters of that line before the next byte.
    passed: u64,
    kept: Vec<u8>,
    keeps: bool,
    recording: Recording,
    /// Why the reader failed.
    failure: Option<io::Error>,
}

/// What is done with text beside passing it.
enum Recording {
    /// Nothing.
    Off,
    /// It is held.
    On(Vec<u8>),
    /// It was held until it exceeded [`MAX_ROW_BYTES`].
    TooLong,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(64 * 1024, reader),
            line: 1,
            passed: 0,
            kept: Vec::new(),
            keeps: false,
            recording: Recording::Off,
            failure: None,
        }
    }

    /// Why the reader failed, if it has.
    pub(super) fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// The 1-based line of the next byte.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next byte's 1-based place in its line, in characters.
    pub(super) fn column(&self) -> u64 {
        self.passed + 1
    }

    /// The next byte, or nothing at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Broken> {
        self.buffered().map(|buffer| buffer.first().copied())
    }

    /// Passes the next byte if it is this one.
    pub(super) fn skip(&mut self, expected: u8) -> Result<bool, Broken> {
        let found = self.peek()? == Some(expected);
        if found {
            self.pass(1)?;
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, expected: u8) -> Result<(), Broken> {
        match self.skip(expected)? {
            true => Ok(()),
            false => Err(self.unexpected()),
        }
    }

    /// Passes white space.
    pub(super) fn space(&mut self) -> Result<(), Broken> {
        loop {
            let space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let buffer = self.buffered()?;
            let length = buffer.iter().take_while(space).count();
            if length == 0 {
                return Ok(());
            }
            self.pass(length)?;
        }
    }

    /// What is wrong with the next byte, which should be another one.
    pub(super) fn unexpected(&mut self) -> Broken {
        match self.peek() {
            Ok(Some(_)) => Broken::Syntax,
            Ok(None) => Broken::Cut,
            Err(broken) => broken,
        }
    }

    /// Passes a value and gives its text.
    pub(super) fn kept_value(&mut self) -> Result<&[u8], Broken> {
        self.kept.clear();
        self.keeps = true;
        let value = self.value();
        self.keeps = false;
        value.map(|()| self.kept.as_slice())
    }

    /// Passes an object's key and its colon, and gives the key with its quotes and escapes.
    pub(super) fn kept_key(&mut self) -> Result<&[u8], Broken> {
        self.kept.clear();
        self.keeps = true;
        let key = self.string();
        self.keeps = false;
        key?;
        self.colon()?;
        Ok(&self.kept)
    }

    /// Holds all text that is passed from here on, until it gets longer than a row may be.
    pub(super) fn record(&mut self) {
        self.recording = Recording::On(Vec::new());
    }

    /// Ends a recording and gives what was passed since it began, or nothing where that is longer
    /// than a row may be.
    pub(super) fn recorded(&mut self) -> Option<Vec<u8>> {
        match std::mem::replace(&mut self.recording, Recording::Off) {
            Recording::On(text) => Some(text),
            Recording::Off | Recording::TooLong => None,
        }
    }

    /// Passes a value of any kind.
    pub(super) fn value(&mut self) -> Result<(), Broken> {
        let mut closers = Vec::new();
        loop {
            match self.peek()? {
                Some(b'{') => {
                    self.open(b'}', &mut closers)?;
                    if self.peek()? != Some(b'}') {
                        self.key()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.open(b']', &mut closers)?;
                    if self.peek()? != Some(b']') {
                        continue;
                    }
                }
                Some(b'"') => self.string()?,
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.literal(b"true")?,
                Some(b'f') => self.literal(b"false")?,
                Some(b'n') => self.literal(b"null")?,
                _ => return Err(self.unexpected()),
            }
            if self.close_all_that_end(&mut closers)? {
                return Ok(());
            }
        }
    }

    fn open(&mut self, closer: u8, closers: &mut Vec<u8>) -> Result<(), Broken> {
        if closers.len() == MAX_DEPTH {
            return Err(Broken::TooDeep);
        }
        closers.push(closer);
        self.pass(1)?;
        self.space()
    }

    /// After a value: goes to where the next one begins, or says that all are closed.
    fn close_all_that_end(&mut self, closers: &mut Vec<u8>) -> Result<bool, Broken> {
        while let Some(&closer) = closers.last() {
            self.space()?;
            if self.skip(closer)? {
                closers.pop();
                continue;
            }
            self.expect(b',')?;
            self.space()?;
            if closer == b'}' {
                self.key()?;
            }
            return Ok(false);
        }
        Ok(true)
    }

    fn key(&mut self) -> Result<(), Broken> {
        self.string()?;
        self.colon()
    }

    fn colon(&mut self) -> Result<(), Broken> {
        self.space()?;
        self.expect(b':')?;
        self.space()
    }

    /// Passes a string, which is kept as long as it takes to tell whether it is UTF-8.
    fn string(&mut self) -> Result<(), Broken> {
        let (start, keeps) = (self.kept.len(), self.keeps);
        self.keeps = true;
        self.expect(b'"')?;
        self.string_to_its_end()?;
        self.keeps = keeps;
        let text = self.kept.get(start..).unwrap_or_default();
        if std::str::from_utf8(text).is_err() {
            return Err(Broken::NotUtf8);
        }
        if !keeps {
            self.kept.truncate(start);
        }
        Ok(())
    }

    fn string_to_its_end(&mut self) -> Result<(), Broken> {
        loop {
            let plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | ..0x20);
            let length = self.buffered()?.iter().take_while(plain).count();
            self.pass(length)?;
            match self.peek()? {
                Some(b'"') => return self.pass(1),
                Some(b'\\') => self.escape()?,
                // The buffer ended, not the string.
                Some(0x20..) => {}
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Broken> {
        self.pass(1)?;
        if !self.skip(b'u')? {
            return match self.peek()? {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.pass(1),
                _ => Err(self.unexpected()),
            };
        }
        for _ in 0..4 {
            match self.peek()? {
                Some(byte) if byte.is_ascii_hexdigit() => self.pass(1)?,
                _ => return Err(self.unexpected()),
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Broken> {
        self.skip(b'-')?;
        if !self.skip(b'0')? {
            self.digits()?;
        }
        if self.skip(b'.')? {
            self.digits()?;
        }
        if self.skip(b'e')? || self.skip(b'E')? {
            let _ = self.skip(b'+')? || self.skip(b'-')?;
            self.digits()?;
        }
        Ok(())
    }

    /// Passes at least one digit.
    fn digits(&mut self) -> Result<(), Broken> {
        let mut any = false;
        loop {
            let digit = |byte: &&u8| byte.is_ascii_digit();
            let length = self.buffered()?.iter().take_while(digit).count();
            match (length, any) {
                (0, true) => return Ok(()),
                (0, false) => return Err(self.unexpected()),
                _ => any = true,
            }
            self.pass(length)?;
        }
    }

    fn literal(&mut self, literal: &[u8]) -> Result<(), Broken> {
        literal.iter().try_for_each(|&byte| self.expect(byte))
    }

    /// Bytes that are there; none at the end.
    fn buffered(&mut self) -> Result<&[u8], Broken> {
        while self.reader.buffer().is_empty() {
            match self.reader.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    return Err(Broken::Unreadable);
                }
            }
        }
        Ok(self.reader.buffer())
    }

    /// Passes bytes of the buffer.
    fn pass(&mut self, length: usize) -> Result<(), Broken> {
        let passed = self.reader.buffer().get(..length).unwrap_or_default();
        for byte in passed {
            match byte {
                b'\n' => {
                    self.line += 1;
                    self.passed = 0;
                }
                // A character's further bytes.
                0x80..0xc0 => {}
                _ => self.passed += 1,
            }
        }
        if self.keeps {
            self.kept.extend_from_slice(passed);
        }
        if let Recording::On(text) = &mut self.recording {
            match text.len() + passed.len() > MAX_ROW_BYTES {
                true => self.recording = Recording::TooLong,
                false => text.extend_from_slice(passed),
            }
        }
        self.reader.consume(length);
        match self.kept.len() > MAX_ROW_BYTES {
            true => Err(Broken::TooLong),
            false => Ok(()),
        }
    }
}
