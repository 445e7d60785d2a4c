//! Files that are answered while their sender waits may only hold so much, however small they are
//! compressed.

use super::Records;
use crate::{import::FileError, record::RawRecord};

const MEBIBYTE: u64 = 1024 * 1024;

/// How much a file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most rows.
    pub rows: u64,
    /// The most MiB of values and their headers.
    pub mebibytes: u64,
}

impl Limits {
    /// The same file, whose rows end with an error where it holds too much.
    pub(super) fn over(self, records: Records) -> Records {
        let (mut rows, mut bytes) = (0, 0);
        let mut is_over = false;
        let count = move |row: Result<RawRecord, FileError>| {
            if is_over {
                return None;
            }
            let row = row.and_then(|row| {
                rows += 1;
                bytes += row.size() as u64;
                self.check(rows, bytes)?;
                Ok(row)
            });
            is_over = row.is_err();
            Some(row)
        };
        Records {
            found: records.found,
            header: records.header,
            rows: Box::new(records.rows.map_while(count)),
        }
    }

    fn check(self, rows: u64, bytes: u64) -> Result<(), FileError> {
        if rows > self.rows {
            return Err(FileError::RowsOfRequest { limit: self.rows });
        }
        if bytes > self.mebibytes * MEBIBYTE {
            return Err(FileError::BytesOfRequest {
                limit: self.mebibytes,
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::decode::{Hints, records};

    fn read(text: &str, limits: Limits) -> Vec<Result<u64, &'static str>> {
        let hints = Hints {
            limits: Some(limits),
            ..Hints::default()
        };
        let rows = records(Cursor::new(text.to_owned()), &hints).unwrap().rows;
        let shown =
            |row: Result<RawRecord, FileError>| row.map(|row| row.row).map_err(|e| e.code());
        rows.map(shown).collect()
    }

    #[test]
    fn rows_end_where_there_are_too_many_or_too_much_in_them() {
        let few = Limits {
            rows: 2,
            mebibytes: 1,
        };
        assert_eq!(read("a\n1\n2\n", few), [Ok(1), Ok(2)]);
        assert_eq!(
            read("a\n1\n2\n3\n4\n", few),
            [Ok(1), Ok(2), Err("too_many_rows")]
        );
        let long = "x".repeat(700_000);
        assert_eq!(
            read(&format!("a\n{long}\n{long}\n"), few),
            [Ok(1), Err("too_large_for_request")]
        );
    }
}
