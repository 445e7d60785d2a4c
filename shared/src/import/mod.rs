//! From a dropped file to stored records.
//!
//! 1. The object's key says whose file it is ([`ObjectKey`]); the job is registered once per object.
//! 2. [`survey`] reads the file through: its columns, its rows, its digest, rows about the same record.
//!    A file that cannot be imported is refused here, before anything is written.
//! 3. [`batches`] reads it again: decode, validate, protect, on a thread of its own.
//! 4. [`Importer`] stores batch after batch and keeps the job's counts.
//!
//! A file of many rows is split in step 3 into parts, which invocations of their own import.

pub mod batches;
mod check;
mod delivery;
mod file_error;
mod group_deletion;
mod object_key;
mod parts;
mod reading;
mod registration;
pub mod rejected;
mod rewrap;
mod rules;
mod run;
mod setting;
mod storing;
pub mod survey;
mod time_left;

pub use check::{Checked, Question, check};
pub use delivery::{Delivery, EVENT_STATUSES, Received, event_status, receive};
pub use file_error::FileError;
pub use object_key::{FAILED, INBOX, ObjectKey, ObjectKeyError, STAGED};
pub use parts::{PARTS, PartError};
pub use rules::Rules;
pub use run::{ImportError, Importer, Invocation, Object};
pub use time_left::TimeLeft;
