//! One JSON object a line (ndjson, JSON Lines).

use std::io::{BufRead, BufReader, Read};

use super::row;
use crate::{
    decode::{Encoding, Format, Found, MAX_ROW_BYTES, Records},
    import::FileError,
    record::RawRecord,
};

/// Reads a file with an object a line. A line that is none is an error of its row alone.
pub(in crate::decode) fn records(reader: impl Read + Send + 'static) -> Result<Records, FileError> {
    let rows = Rows {
        reader: BufReader::with_capacity(64 * 1024, reader),
        text: Vec::new(),
        row: 0,
        line: 0,
        ended: false,
    };
    Ok(Records {
        found: Found {
            format: Format::Ndjson,
            encoding: Some(Encoding::Utf8),
            delimiter: None,
            gzip: false,
        },
        header: None,
        rows: Box::new(rows),
    })
}

struct Rows<R> {
    reader: BufReader<R>,
    text: Vec<u8>,
    row: u64,
    line: u64,
    ended: bool,
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<RawRecord, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let row = self.advance().transpose();
        self.ended = !matches!(row, Some(Ok(_)));
        row
    }
}

impl<R: Read> Rows<R> {
    fn advance(&mut self) -> Result<Option<RawRecord>, FileError> {
        while self.read_line()? {
            let line = self.line;
            let text = std::str::from_utf8(&self.text).map_err(|_| FileError::NotUtf8 { line })?;
            if text.trim_ascii().is_empty() {
                continue;
            }
            self.row += 1;
            return Ok(Some(row::read(text.trim_ascii_end(), self.row, line)));
        }
        Ok(None)
    }

    /// Whether there was another line.
    fn read_line(&mut self) -> Result<bool, FileError> {
        self.text.clear();
        self.line += 1;
        // One more than a line may have, so that one that has more is told from one that has not.
        let most = MAX_ROW_BYTES as u64 + b"\r\n".len() as u64;
        let mut limited = self.reader.by_ref().take(most);
        let read = limited.read_until(b'\n', &mut self.text);
        read.map_err(FileError::unreadable)?;
        if self.text.trim_ascii_end().len() > MAX_ROW_BYTES
            || (self.text.len() as u64 == most && !self.text.ends_with(b"\n"))
        {
            return Err(FileError::RowTooLong {
                line: self.line,
                limit: MAX_ROW_BYTES / 1024,
            });
        }
        Ok(!self.text.is_empty())
    }
}
