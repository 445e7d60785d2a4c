//! A JSON array of objects, or an object with one under `data`, of any size; where that is asked
//! for, any other object too, as the one row.

use std::{io::Read, iter};

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
    read(reader, false)
}

/// Reads a JSON document, in which an object is the one row unless it has an array under `data` and
/// nothing else. Such a document is read to its end at once.
pub(in crate::decode) fn records_or_lone_row(
    reader: impl Read + Send + 'static,
) -> Result<Records, FileError> {
    read(reader, true)
}

fn read(reader: impl Read + Send + 'static, lone_object: bool) -> Result<Records, FileError> {
    let mut rows = Rows {
        scanner: Scanner::new(reader),
        begins: 1,
        wrapped: false,
        may_be_row: lone_object,
        row: 0,
        line: 1,
        ended: false,
    };
    let lone = rows.enter(lone_object)?;
    Ok(Records {
        found: Found {
            format: Format::Json,
            encoding: Some(Encoding::Utf8),
            delimiter: None,
            gzip: false,
        },
        header: None,
        rows: match lone {
            Some(row) => Box::new(iter::once(Ok(row))),
            None => Box::new(rows),
        },
    })
}

/// What a document turned out to be.
enum Shape {
    /// It has rows, of which the first is next.
    Rows,
    /// It is an object without rows in it, of which the end was passed.
    Object,
    /// It has no rows and is none.
    Other,
}

struct Rows<R> {
    scanner: Scanner<R>,
    /// The line where the document's value begins.
    begins: u64,
    /// Whether the array is a member of an object.
    wrapped: bool,
    /// Whether an object may be the one row.
    may_be_row: bool,
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
    /// Goes to the array's first element, or gives the object that is the one row.
    fn enter(&mut self, lone_object: bool) -> Result<Option<RawRecord>, FileError> {
        match (self.find_array(lone_object), lone_object) {
            (Ok(Shape::Rows), _) => Ok(None),
            (Ok(Shape::Object), true) => self.lone_row().map(Some),
            (Ok(Shape::Object | Shape::Other), _) => Err(FileError::JsonShape),
            (Err(Broken::TooLong), true) => Err(row_too_long(1, self.begins)),
            (Err(broken), _) => Err(self.explain(broken)),
        }
    }

    fn find_array(&mut self, lone_object: bool) -> Result<Shape, Broken> {
        self.scanner.space()?;
        self.begins = self.scanner.line();
        if self.scanner.skip(b'[')? {
            return Ok(Shape::Rows);
        }
        if self.scanner.peek()? == Some(b'{') {
            return self.find_data(lone_object);
        }
        // Sound JSON of another kind is told apart from what is broken.
        self.scanner.value()?;
        self.pass_end()?;
        Ok(Shape::Other)
    }

    /// Goes into an object, to the array under `data`. In one that may be the row, `data` that is
    /// no array, or comes after other members, is a member like any other.
    fn find_data(&mut self, lone_object: bool) -> Result<Shape, Broken> {
        if lone_object {
            self.scanner.record();
        }
        self.scanner.expect(b'{')?;
        self.scanner.space()?;
        if self.scanner.skip(b'}')? {
            return Ok(Shape::Object);
        }
        // What has other members too may be the row itself, whatever is under `data`.
        let mut is_row = false;
        loop {
            if self.pass_key()? && !is_row {
                self.wrapped = self.scanner.skip(b'[')?;
                if self.wrapped {
                    drop(self.scanner.recorded());
                    return Ok(Shape::Rows);
                }
                if !lone_object {
                    return Ok(Shape::Other);
                }
            }
            is_row = lone_object;
            self.scanner.value()?;
            if !self.next_member()? {
                return Ok(Shape::Object);
            }
        }
    }

    /// Makes the one row of the object that was passed, if nothing follows it.
    fn lone_row(&mut self) -> Result<RawRecord, FileError> {
        let text = self.scanner.recorded();
        self.pass_end().map_err(|broken| self.explain(broken))?;
        let text = text.ok_or_else(|| row_too_long(1, self.begins))?;
        match std::str::from_utf8(&text) {
            Ok(text) => Ok(row::read(text, 1, self.begins)),
            Err(_) => Err(self.explain(Broken::NotUtf8)),
        }
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
            Err(Broken::TooLong) => return Err(row_too_long(self.row, self.line)),
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

    /// Says whether rows come a second time, or what had them might have been the row.
    fn pass_rest(&mut self) -> Result<bool, Broken> {
        while self.wrapped && self.next_member()? {
            if self.pass_key()? || self.may_be_row {
                return Ok(true);
            }
            self.scanner.value()?;
        }
        self.pass_end()?;
        Ok(false)
    }

    fn explain(&mut self, broken: Broken) -> FileError {
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
            Broken::Unreadable => match self.scanner.failure() {
                Some(error) => FileError::unreadable(error),
                None => FileError::Unreadable,
            },
        }
    }
}

fn row_too_long(row: u64, line: u64) -> FileError {
    FileError::JsonRowTooLong {
        row,
        line,
        limit: MAX_ROW_BYTES / 1024,
    }
}
