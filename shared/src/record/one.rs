//! Reading a value that is no row's.

use jiff::{Timestamp, tz::TimeZone};

use super::{Change, RawValue, RowError, Value, read::read};
use crate::dataset::Field;

/// Reads one value as a field's type; nothing when it is blank or null. An error names the field,
/// and the row 1.
pub fn read_one(field: &Field, raw: &RawValue) -> Result<Option<Value>, RowError> {
    let this_year = Timestamp::now().to_zoned(TimeZone::UTC).year();
    match read(field, raw, this_year) {
        Ok(Some(Change::Set(value))) => Ok(Some(value)),
        Ok(Some(Change::Unset) | None) => Ok(None),
        Err(refused) => Err(RowError {
            row: 1,
            line: None,
            column: Some(field.name.clone()),
            code: refused.code,
            hint: refused.hint,
        }),
    }
}
