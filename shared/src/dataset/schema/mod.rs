//! JSON Schemas (draft 2020-12), made from a dataset's file: of the rows or events that clients
//! send, and of the records that they read.
//!
//! The schema of events is also what checks them. Rows are checked field by field, since their
//! errors have codes and come in two languages; a test holds their schema against that check.

mod codes;
mod document;
mod event;
mod keywords;
mod row;
#[cfg(test)]
mod tests;

use super::{
    Dataset,
    workspace::{WORKSPACE, definition_document},
};

pub use codes::{Codes, lists};
pub use event::{EventSchema, EventSchemaError, SchemaProblem};
pub use keywords::{Additional, Members, Schema, Type};

impl Dataset {
    /// What one event or row of the dataset has to be. Birth years are bounded by `this_year`.
    ///
    /// # Errors
    ///
    /// An example in the dataset's file that is no JSON.
    pub fn sent_schema(&self, this_year: i16, codes: Codes) -> Result<Schema, serde_json::Error> {
        match self.event() {
            Some(event) => document::of_events(self, event, codes),
            None => row::of_rows(self, this_year, codes),
        }
    }

    /// What a record of the dataset is when it is read.
    pub fn record_schema(&self) -> Schema {
        row::of_records(self)
    }

    fn document(&self, this_year: i16) -> Result<Schema, serde_json::Error> {
        let schema = self.sent_schema(this_year, codes::IN_DEFINITIONS)?;
        Ok(Schema {
            definitions: codes::lists_of(self.fields(), self.event().is_none()),
            ..schema.document(self.name())
        })
    }
}

/// The schema of a dataset as a document of its own, if there is such a dataset; of `workspace`,
/// whose fields are each organisation's own, the schema of their definition.
///
/// # Errors
///
/// An example in the dataset's file that is no JSON.
pub fn document(dataset: &str, this_year: i16) -> Result<Option<String>, serde_json::Error> {
    let schema = match Dataset::builtin(dataset) {
        Some(dataset) => dataset.document(this_year)?,
        None if dataset == WORKSPACE => definition_document(),
        None => return Ok(None),
    };
    serde_json::to_string_pretty(&schema).map(Some)
}
