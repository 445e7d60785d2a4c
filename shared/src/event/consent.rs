//! When a customer agreed to something, or no longer did.

use jiff::Timestamp;

use super::Moment;

/// The most events that are remembered about one agreement.
const MAX_REMEMBERED: usize = 16;

/// What an event says of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It is given.
    Given,
    /// It is not known (a null).
    Unknown,
    /// It is not given. Of two events of the same moment, this counts as the later.
    Withdrawn,
}

/// What events have said of one agreement.
///
/// Remembered are all that say the same as the newest since something else was said, and the last
/// one that said so: that is what it takes to know since when the present answer holds, in
/// whatever order events arrive. Of more than 16 events in a row that say the same, some in the
/// middle are forgotten, so that another answer which comes between those afterwards may leave the
/// present one holding since a later time than it does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consent(Vec<(Moment, Answer)>);

impl Consent {
    /// What one event says.
    pub(crate) fn of(moment: Moment, answer: Answer) -> Self {
        Self(vec![(moment, answer)])
    }

    /// Adds what other events have said.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.extend(&other.0);
        self.0.sort_unstable();
        self.0.dedup();
        let since = present_since(&self.0);
        self.0.drain(..since.saturating_sub(1));
        // The last that said otherwise, and the first of the present answer, come before.
        let middle = usize::from(since > 0) + 1;
        if let Some(surplus @ 1..) = self.0.len().checked_sub(MAX_REMEMBERED) {
            self.0.drain(middle..middle + surplus);
        }
    }

    /// The present answer.
    pub fn answer(&self) -> Answer {
        self.0.last().map_or(Answer::Unknown, |(_, answer)| *answer)
    }

    /// Since when the present answer holds.
    pub fn since(&self) -> Option<Timestamp> {
        let (moment, _) = self.0.get(present_since(&self.0))?;
        Some(moment.time())
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * (Moment::BYTES + 1));
        for (moment, answer) in &self.0 {
            bytes.extend(moment.to_bytes());
            bytes.push(match answer {
                Answer::Given => 0,
                Answer::Unknown => 1,
                Answer::Withdrawn => 2,
            });
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (entries, []) = bytes.as_chunks::<{ Moment::BYTES + 1 }>() else {
            return None;
        };
        let entry = |entry: &[u8; Moment::BYTES + 1]| {
            let (moment, _) = entry.split_first_chunk()?;
            let answer = match entry.last()? {
                0 => Answer::Given,
                1 => Answer::Unknown,
                2 => Answer::Withdrawn,
                _ => return None,
            };
            Some((Moment::from_bytes(*moment), answer))
        };
        entries.iter().map(entry).collect::<Option<_>>().map(Self)
    }
}

/// The position of the first of the last entries that say the same.
fn present_since(entries: &[(Moment, Answer)]) -> usize {
    let present = entries.last().map(|(_, answer)| *answer);
    let says_otherwise = |(_, answer): &(Moment, Answer)| Some(*answer) != present;
    entries
        .iter()
        .rposition(says_otherwise)
        .map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(second: i64) -> Moment {
        Moment::new(Timestamp::from_second(second).unwrap(), 1)
    }

    fn heard(events: &[(i64, Answer)]) -> Consent {
        let mut consent = Consent::default();
        for (second, answer) in events {
            consent.add(&Consent::of(moment(*second), *answer));
        }
        consent
    }

    #[test]
    fn a_change_keeps_when_it_was_made() {
        use Answer::{Given, Unknown, Withdrawn};
        type Events = &'static [(i64, Answer)];
        let table: [(Events, Answer, i64); 8] = [
            (&[(1, Given)], Given, 1),
            (&[(1, Given), (2, Given)], Given, 1),
            (&[(2, Given), (1, Given)], Given, 1),
            (&[(1, Given), (2, Withdrawn), (3, Withdrawn)], Withdrawn, 2),
            (&[(3, Given), (1, Given), (2, Withdrawn)], Given, 3),
            (
                &[(4, Given), (3, Given), (1, Given), (2, Withdrawn)],
                Given,
                3,
            ),
            (&[(1, Given), (1, Withdrawn)], Withdrawn, 1),
            (&[(2, Unknown), (1, Given)], Unknown, 2),
        ];
        for (events, answer, since) in table {
            let consent = heard(events);
            assert_eq!(consent.answer(), answer, "{events:?}");
            assert_eq!(consent.since(), Some(moment(since).time()), "{events:?}");
        }
    }

    #[test]
    fn what_is_remembered_stays_small() {
        let events: Vec<_> = (0..1_000).map(|second| (second, Answer::Given)).collect();
        let mut consent = heard(&[(-1, Answer::Withdrawn)]);
        consent.add(&heard(&events));
        assert_eq!(consent.0.len(), MAX_REMEMBERED);
        assert_eq!(consent.since(), Some(moment(0).time()));
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(
            events in proptest::collection::vec(
                (0..20_i64, prop_oneof![
                    Just(Answer::Given), Just(Answer::Unknown), Just(Answer::Withdrawn)
                ]),
                0..MAX_REMEMBERED,
            ).prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
            cut in 0..MAX_REMEMBERED,
        ) {
            let (in_order, shuffled) = events;
            let cut = cut.min(shuffled.len());
            let (first, rest) = shuffled.split_at(cut);
            let mut together = heard(first);
            together.add(&heard(rest));
            prop_assert_eq!(&together, &heard(&in_order));
            prop_assert_eq!(Consent::from_bytes(&together.to_bytes()), Some(together));
        }
    }
}
