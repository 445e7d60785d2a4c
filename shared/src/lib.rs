//! Clientele's domain: the path of a record, each arrow a type.
//!
//! ```text
//! file, request, event → RawRecord       decode: one file a format
//!                      → Record          record: checked against its dataset
//!                      → ProtectedRecord protection: pseudonyms, blurring, encryption
//!                      → item            store: one record per uid, groups, counts
//! ```
//!
//! `import` leads a file along that path, `erasure` removes customers for good, `example` shows
//! what the path makes of each field's example, `web` is what the functions that answer HTTP share.

#[cfg(not(panic = "unwind"))]
compile_error!("a panic is to end one request: build with panic = \"unwind\"");

pub mod aws;
pub mod bucket;
pub mod caller;
pub mod config;
pub mod dataset;
pub mod decode;
pub mod erasure;
pub mod event;
pub mod example;
pub mod identity;
pub mod import;
pub mod language;
pub mod log;
pub mod named;
pub mod protection;
pub mod rate;
pub mod record;
mod registry;
pub mod source_token;
pub mod store;
pub mod web;

pub use registry::{Registry, RegistryError};
