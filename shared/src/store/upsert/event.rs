//! What becomes of events: which of them are news.

use super::{Outcome, Provenance};
use crate::{event::Moment, protection::ProtectedRecord, store::StoredRecord};

/// One event of those that a batch has about a customer.
pub(super) struct Event {
    /// Its place in the batch.
    pub(super) row: usize,
    moment: Moment,
    /// Whether no other event of its file is about the customer.
    is_alone: bool,
    decided: Decided,
}

/// What is known of an event's outcome before the record is written.
#[derive(Clone, Copy)]
enum Decided {
    Is(Outcome),
    /// It is of the newest event's moment, if not the same event.
    IsNewsIfWritten,
}

impl Event {
    /// The event that a record came in, if it did.
    pub(super) fn of(record: &ProtectedRecord, row: usize) -> Option<Self> {
        Some(Self {
            row,
            moment: record.said()?.newest(),
            is_alone: record.is_alone(),
            decided: Decided::IsNewsIfWritten,
        })
    }

    /// Notes that another event is about the customer as well.
    pub(super) fn is_not_alone(&mut self) {
        self.is_alone = false;
    }

    /// What became of it, once it is known what became of the record.
    pub(super) fn outcome(&self, of_record: Outcome, was_written: bool) -> Outcome {
        match (of_record, self.decided) {
            (Outcome::TooLarge | Outcome::Erased | Outcome::NotFound, _) => of_record,
            (_, Decided::Is(outcome)) => outcome,
            // Or all that was written is a membership.
            (Outcome::Unchanged, Decided::IsNewsIfWritten) => Outcome::Unchanged,
            (_, Decided::IsNewsIfWritten) if was_written => Outcome::Updated,
            (_, Decided::IsNewsIfWritten) => Outcome::Unchanged,
        }
    }
}

/// Decides about the events on one customer, in the order in which they came: the first one makes
/// the record, newer ones change it, the same one again does nothing, an older one is superseded.
pub(super) fn decide(events: &mut [Event], stored: Option<&StoredRecord>, provenance: &Provenance) {
    let mut newest = stored.and_then(StoredRecord::newest_event);
    let is_only = events.len() == 1;
    for event in events {
        let outcome = match newest {
            None => Some(Outcome::Created),
            Some(newest) if event.moment > newest => Some(Outcome::Updated),
            Some(newest) if event.moment < newest => Some(Outcome::Superseded),
            Some(_) => match stored.filter(|_| event.is_alone) {
                // A repetition of the batch, after the first time was cut off.
                Some(stored) if stored.import_id == provenance.import_id => Some(Outcome::Created),
                Some(stored) if stored.last_import_id == provenance.import_id => {
                    Some(Outcome::Updated)
                }
                _ if is_only => None,
                _ => Some(Outcome::Unchanged),
            },
        };
        event.decided = outcome.map_or(Decided::IsNewsIfWritten, Decided::Is);
        newest = newest.max(Some(event.moment));
    }
}
