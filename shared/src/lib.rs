//! Clientele's domain: the path of a record, each arrow a type.
//!
//! ```text
//! file, request, event → RawRecord      decode: one file a format
//!                      → Record         record: checked against its dataset
//!                      → ProtectedRecord protection: pseudonyms, blurring, encryption
//!                      → item           store: one record per uid, groups, counts
//! ```

pub mod aws;
pub mod config;
pub mod dataset;
pub mod identity;
pub mod language;
pub mod record;
