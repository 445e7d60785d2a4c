//! What one event says, or several that have become one.

use std::{collections::BTreeMap, fmt};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{Answer, Clock, Consent, Moment};

/// Which of two values counts that events of the same moment give: the higher one. It is a part of
/// the value's SHA-256, so it is the same for everybody, and is never stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Rank([u8; 16]);

impl fmt::Debug for Rank {
    /// A birthday could be found by trying.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rank(…)")
    }
}

impl Rank {
    /// A value's rank. A value that is taken away has the lowest.
    pub(crate) fn of(value: Option<&Json>) -> Self {
        let Some(value) = value else {
            return Self::default();
        };
        // Whether objects keep the order of their members is up to features of serde_json, which any
        // dependency can turn on.
        let mut sorted = value.clone();
        sorted.sort_all_objects();
        let text = zeroize::Zeroizing::new(sorted.to_string());
        let digest = Sha256::digest(text.as_bytes());
        Self(digest.first_chunk().copied().unwrap_or_default())
    }
}

/// What events say of which fields, and when.
#[derive(Debug, Clone)]
pub struct Said {
    newest: Moment,
    fields: BTreeMap<String, (Moment, Rank)>,
    consents: BTreeMap<String, Consent>,
}

impl Said {
    /// An event that says nothing yet.
    pub(crate) fn at(moment: Moment) -> Self {
        Self {
            newest: moment,
            fields: BTreeMap::new(),
            consents: BTreeMap::new(),
        }
    }

    /// Notes that the event gives a field a value, or takes it away.
    pub(crate) fn speak(&mut self, field: &str, value: Option<&Json>) {
        let said = (self.newest, Rank::of(value));
        self.fields.insert(field.to_owned(), said);
    }

    /// Notes what the event says of an agreement.
    pub(crate) fn answer(&mut self, field: &str, answer: Answer) {
        let consent = Consent::of(self.newest, answer);
        self.consents.insert(field.to_owned(), consent);
    }

    /// The newest event's moment.
    pub(crate) fn newest(&self) -> Moment {
        self.newest
    }

    /// When a field was last spoken of, and the rank of what was said.
    pub(crate) fn of_field(&self, field: &str) -> Option<(Moment, Rank)> {
        self.fields.get(field).copied()
    }

    /// Takes over what other events say.
    pub(crate) fn join(&mut self, other: &Self) {
        self.newest = self.newest.max(other.newest);
        for (name, said) in &other.fields {
            let known = self.fields.entry(name.clone()).or_insert(*said);
            *known = (*known).max(*said);
        }
        for (name, consent) in &other.consents {
            self.consents.entry(name.clone()).or_default().add(consent);
        }
    }

    /// The clock of a record that knows nothing else.
    pub(crate) fn clock(&self) -> Clock {
        let fields = self.fields.iter();
        let fields = fields.map(|(name, (moment, _))| (name.clone(), *moment));
        Clock::new(self.newest, fields.collect(), self.consents.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_does_not_depend_on_the_order_of_members() {
        let one = serde_json::from_str(r#"[{"a": 1, "b": {"c": 2, "d": 3}}]"#).unwrap();
        let other = serde_json::from_str(r#"[{"b": {"d": 3, "c": 2}, "a": 1}]"#).unwrap();
        assert_eq!(Rank::of(Some(&one)), Rank::of(Some(&other)));
        assert!(Rank::of(Some(&one)) > Rank::of(None));
    }
}
