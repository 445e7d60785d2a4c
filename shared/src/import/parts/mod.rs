//! Large files, imported by many invocations at once.
//!
//! The first invocation splits the file into parts in the bucket ([`split`]); S3 tells the import
//! function of each as it does of dropped files, and each is imported by an invocation of its own
//! ([`part`]). The last to finish closes the job. An invocation that nears its time limit leaves
//! a note in the same folder ([`rest`]), with which a fresh one goes on.

mod content;
mod key;
mod part;
mod rest;
mod split;

pub use content::PartError;
pub use key::PARTS;
pub(super) use key::PartKey;
