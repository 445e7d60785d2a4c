//! A record on its way in: as it came ([`RawRecord`]), then checked ([`Record`]).

mod error;
mod id_seed;
mod one;
mod raw;
mod read;
#[expect(clippy::module_inception, reason = "a record is what it is about")]
mod record;
mod validate;
mod value;
#[cfg(test)]
mod workspace_tests;

pub use error::{RowError, RowErrorCode, Severity};
pub use id_seed::IdSeed;
pub use one::read_one;
pub use raw::{Malformed, RawRecord, RawValue, RefusedRow};
pub(crate) use read::MAX_JSON_INTEGER;
pub use record::Record;
pub use validate::{UnknownColumns, Validator};
pub(crate) use value::decimal_to_json;
pub use value::{Change, Element, Value};

/// The longest text in a field, in characters.
pub const MAX_TEXT_CHARS: usize = 4_096;
/// The largest record, in bytes of its names and values as UTF-8 text.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;
/// The largest stored record, in bytes, with the digests of its encrypted values: unknown columns
/// gather over many imports, and 49 records share a transaction of at most 4 MB.
pub const MAX_STORED_BYTES: usize = MAX_RECORD_BYTES + 16 * 1024;
