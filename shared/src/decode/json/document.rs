//! A JSON array of objects, or an object with one under `data`, of any size.

use std::io::Read;

use super::{
    MAX_DEPTH, row,
    scanner::{Broken, Scanner},
};
use crate::{
    decode::{Encoding, Format, Found, MAX_ROW_BYTES, Records},
    import::FileError,
    record::RawRecord,
};

/// The member that rows are under, in a document that is an object.
const DATA: &str = "data";

/// Reads a JSON document. Its rows come as they are read; what is wrong with the document further
/// on is found only there.
pub(in crate::decode) fn records(reader: impl Read + Send + 'static) -> Result<Records, FileError> {
    let mut rows = Rows {
        scanner: Scanner::new(reader),
        wrapped: false,
        row: 0,
        line: 1,
        ended: false,
    };
    rows.enter()?;
    Ok(Records {
        found: Found {
            format: Format::Json,
            encoding: Some(Encoding::Utf8),
            delimiter: None,
            gzip: false,
        },
        header: None,
        rows: Box::new(rows),
    })
}

struct Rows<R> {
    scanner: Scanner<R>,
    /// Whether the array is a member of an object.
    wrapped: bool,
    row: u64,
    /// Where the row, or the member beside the rows, begins.
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
    /// Goes to the array's first element.
    fn enter(&mut self) -> Result<(), FileError> {
        let entered = self.find_array().map_err(|broken| self.explain(broken))?;
        match entered {
            true => Ok(()),
            false => Err(FileError::JsonShape),
        }
    }

    fn find_array(&mut self) -> Result<bool, Broken> {
        self.scanner.space()?;
        if self.scanner.skip(b'[')? {
            return Ok(true);
        }
        if self.scanner.skip(b'{')? {
            self.wrapped = true;
            self.scanner.space()?;
            if self.scanner.skip(b'}')? {
                return Ok(false);
            }
            loop {
                if self.pass_key()? {
                    return self.scanner.skip(b'[');
                }
                self.scanner.value()?;
                if !self.next_member()? {
                    return Ok(false);
                }
            }
        }
        // Sound JSON of another kind is told apart from what is broken.
        self.scanner.value()?;
        self.pass_end()?;
        Ok(false)
    }

    /// Passes a key, and says whether rows are under it.
    fn pass_key(&mut self) -> Result<bool, Broken> {
        self.line = self.scanner.line();
        let key = self.scanner.kept_key()?;
        Ok(serde_json::from_slice::<String>(key).is_ok_and(|key| key == DATA))
    }

    /// After a member: whether there is another one.
    fn next_member(&mut self) -> Result<bool, Broken> {
        self.scanner.space()?;
        if self.scanner.skip(b'}')? {
            return Ok(false);
        }
        self.scanner.expect(b',')?;
        self.scanner.space()?;
        Ok(true)
    }

    fn pass_end(&mut self) -> Result<(), Broken> {
        self.scanner.space()?;
        match self.scanner.peek()? {
            None => Ok(()),
            Some(_) => Err(Broken::Syntax),
        }
    }

    fn advance(&mut self) -> Result<Option<RawRecord>, FileError> {
        if !self.find_element().map_err(|broken| self.explain(broken))? {
            self.leave()?;
            return Ok(None);
        }
        self.row += 1;
        self.line = self.scanner.line();
        let row = match self.scanner.kept_value().map(std::str::from_utf8) {
            Ok(Ok(text)) => row::read(text, self.row, self.line),
            Ok(Err(_)) => return Err(self.explain(Broken::NotUtf8)),
            Err(Broken::TooLong) => {
                return Err(FileError::JsonRowTooLong {
                    row: self.row,
                    line: self.line,
                    limit: MAX_ROW_BYTES / 1024,
                });
            }
            Err(broken) => return Err(self.explain(broken)),
        };
        Ok(Some(row))
    }

    /// Goes to the array's next element, if there is one.
    fn find_element(&mut self) -> Result<bool, Broken> {
        self.scanner.space()?;
        if self.scanner.skip(b']')? {
            return Ok(false);
        }
        if self.row > 0 {
            self.scanner.expect(b',')?;
            self.scanner.space()?;
        }
        Ok(true)
    }

    /// After the array: reads the document to its end.
    fn leave(&mut self) -> Result<(), FileError> {
        let rows_again = self.pass_rest().map_err(|broken| self.explain(broken))?;
        match rows_again {
            true => Err(FileError::JsonShape),
            false => Ok(()),
        }
    }

    /// Says whether rows come a second time.
    fn pass_rest(&mut self) -> Result<bool, Broken> {
        while self.wrapped && self.next_member()? {
            if self.pass_key()? {
                return Ok(true);
            }
            self.scanner.value()?;
        }
        self.pass_end()?;
        Ok(false)
    }

    fn explain(&self, broken: Broken) -> FileError {
        let (line, column) = (self.scanner.line(), self.scanner.column());
        match broken {
            Broken::Syntax => FileError::Json { line, column },
            Broken::Cut => FileError::JsonCut { line },
            Broken::TooDeep => FileError::JsonTooDeep {
                line,
                column,
                limit: MAX_DEPTH,
            },
            Broken::TooLong => FileError::JsonTextTooLong {
                line: self.line,
                limit: MAX_ROW_BYTES / 1024,
            },
            Broken::NotUtf8 => FileError::NotUtf8 { line },
            Broken::Unreadable => FileError::Unreadable,
        }
    }
}
