//! A checked record.

use std::{fmt, sync::Arc};

use super::{Change, Value};
use crate::{dataset::Dataset, event::Moment, identity::RecordId};

/// A checked record, still in clear: what a row says about one customer or meter.
pub struct Record {
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) id: RecordId,
    /// Field positions and what the row does to them. Blank fields are not there.
    pub(crate) changes: Vec<(usize, Change<Value>)>,
    /// Columns that the dataset does not know, as they came.
    pub(crate) custom: Vec<(Arc<str>, Change<serde_json::Value>)>,
    /// What a meter's row says about the customer that the meter is at.
    pub(crate) customer: Option<Box<Record>>,
    /// Of an event: when it happened.
    pub(crate) moment: Option<Moment>,
}

impl Record {
    /// Which record the row is about.
    pub fn id(&self) -> &RecordId {
        &self.id
    }

    /// Whether it came in an event.
    pub(crate) fn is_event(&self) -> bool {
        self.moment.is_some()
    }

    /// What the row does to a field, by the field's name.
    pub fn change(&self, field: &str) -> Option<&Change<Value>> {
        let index = self.dataset.index_of(field)?;
        self.changes
            .iter()
            .find(|(position, _)| *position == index)
            .map(|(_, change)| change)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({:?}, {} fields)", self.id, self.changes.len())
    }
}
