//! What becomes of events: which of them are news.

use super::{Outcome, Provenance};
use crate::{event::Version, protection::ProtectedRecord, store::StoredRecord};

/// One event of those that a batch has about a customer.
pub(super) struct Event {
    /// Its place in the batch.
    pub(super) row: usize,
    version: Version,
    /// Whether no other event of its file is about the customer.
    is_alone: bool,
    decided: Outcome,
}

impl Event {
    /// The event that a record came in, if it did.
    pub(super) fn of(record: &ProtectedRecord, row: usize) -> Option<Self> {
        Some(Self {
            row,
            version: record.clock()?.newest(),
            is_alone: record.is_alone(),
            decided: Outcome::Unchanged,
        })
    }

    /// What became of it, once it is known what became of the record.
    pub(super) fn outcome(&self, of_record: Outcome) -> Outcome {
        match of_record {
            Outcome::TooLarge | Outcome::Erased | Outcome::NotFound => of_record,
            Outcome::Created | Outcome::Updated | Outcome::Unchanged | Outcome::Superseded => {
                self.decided
            }
        }
    }
}

/// Decides about the events on one customer, in the order in which they came: the first one makes
/// the record, newer ones change it, the same one again does nothing, an older one is superseded.
pub(super) fn decide(events: &mut [Event], stored: Option<&StoredRecord>, provenance: &Provenance) {
    let mut newest = stored.and_then(StoredRecord::newest_event);
    for event in events {
        event.decided = match newest {
            None => Outcome::Created,
            Some(newest) if event.version > newest => Outcome::Updated,
            Some(newest) if event.version < newest => Outcome::Superseded,
            Some(_) => match stored.filter(|_| event.is_alone) {
                // A repetition of the batch, after the first time was cut off.
                Some(stored) if stored.import_id == provenance.import_id => Outcome::Created,
                Some(stored) if stored.last_import_id == provenance.import_id => Outcome::Updated,
                _ => Outcome::Unchanged,
            },
        };
        newest = newest.max(Some(event.version));
    }
}
