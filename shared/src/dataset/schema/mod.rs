//! The JSON Schema (draft 2020-12) of the events that a dataset's records come in, and events
//! checked against it.
//!
//! The schema that is published is the one that checks: both come from the dataset's file.

mod document;
mod event;
#[cfg(test)]
mod tests;

pub use event::{EventSchema, EventSchemaError, SchemaProblem};
