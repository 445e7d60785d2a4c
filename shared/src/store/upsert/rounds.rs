//! Events on one customer that are too large together to become one before they are written.

use std::collections::HashMap;

use crate::{protection::ProtectedRecord, record::MAX_STORED_BYTES};

/// What the events on one customer may have together, in bytes: two that fit by themselves should
/// not be refused because they came at once.
const MAX_TOGETHER: usize = MAX_STORED_BYTES / 4;

/// Records to write one after the other, with their places in the batch.
pub(super) type Round = Vec<(usize, ProtectedRecord)>;

/// The batch in as many rounds as that takes: almost always one.
pub(super) fn rounds(records: Vec<ProtectedRecord>) -> Vec<Round> {
    let mut rounds: Vec<Round> = vec![Vec::with_capacity(records.len())];
    let mut customers: HashMap<String, (usize, usize)> = HashMap::new();
    for (row, record) in records.into_iter().enumerate() {
        let mut round = 0;
        if record.said().is_some() {
            let size = record.size();
            let known = customers.entry(record.id().to_string()).or_insert((0, 0));
            let (at, together) = *known;
            *known = match together > 0 && together + size > MAX_TOGETHER {
                true => (at + 1, size),
                false => (at, together + size),
            };
            round = known.0;
        }
        if rounds.len() <= round {
            rounds.push(Round::new());
        }
        if let Some(round) = rounds.get_mut(round) {
            round.push((row, record));
        }
    }
    rounds
}
