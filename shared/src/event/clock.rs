//! When each field of a record was last spoken of.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Consent, Moment};

/// When events last spoke of a record's fields, and what is remembered of agreements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    newest: Moment,
    /// By field name. A field that is here and has no value was taken away.
    fields: BTreeMap<String, Moment>,
    /// By field name.
    consents: BTreeMap<String, Consent>,
}

impl Clock {
    pub(super) fn new(
        newest: Moment,
        fields: BTreeMap<String, Moment>,
        consents: BTreeMap<String, Consent>,
    ) -> Self {
        Self {
            newest,
            fields,
            consents,
        }
    }

    /// A clock as it was written; `present` are the fields that have a value.
    pub(crate) fn read<'f>(
        newest: Moment,
        exceptions: BTreeMap<String, Moment>,
        consents: BTreeMap<String, Consent>,
        present: impl Iterator<Item = &'f str>,
    ) -> Self {
        let mut fields = exceptions;
        for name in present.filter(|name| !consents.contains_key(*name)) {
            fields.entry(name.to_owned()).or_insert(newest);
        }
        Self::new(newest, fields, consents)
    }

    /// The fields that the newest event did not speak of, and those that have no value.
    pub(crate) fn exceptions(
        &self,
        is_present: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (&str, Moment)> {
        let fields = self.fields.iter().map(|(name, at)| (name.as_str(), *at));
        fields.filter(move |(name, at)| *at != self.newest || !is_present(name))
    }

    /// The moment of the newest event.
    pub(crate) fn newest(&self) -> Moment {
        self.newest
    }

    /// When a field was last spoken of.
    pub(crate) fn of_field(&self, field: &str) -> Option<Moment> {
        self.fields.get(field).copied()
    }

    /// What is remembered of agreements.
    pub fn consents(&self) -> &BTreeMap<String, Consent> {
        &self.consents
    }

    /// Since when the present answers hold.
    pub(crate) fn since(&self) -> Vec<Option<Timestamp>> {
        self.consents.values().map(Consent::since).collect()
    }

    /// Hands on the parts that the clock consists of, so that equal clocks, and no others, have
    /// equal parts.
    pub(crate) fn parts(&self, part: &mut impl FnMut(&[u8])) {
        part(&self.newest.to_bytes());
        for (name, at) in &self.fields {
            part(name.as_bytes());
            part(&at.to_bytes());
        }
        part(b"consents");
        for (name, consent) in &self.consents {
            part(name.as_bytes());
            part(&consent.to_bytes());
        }
    }

    /// Takes over what another clock knows.
    pub(crate) fn join(&mut self, other: &Self) {
        self.newest = self.newest.max(other.newest);
        for (name, at) in &other.fields {
            let known = self.fields.entry(name.clone()).or_insert(*at);
            *known = (*known).max(*at);
        }
        for (name, consent) in &other.consents {
            self.consents.entry(name.clone()).or_default().add(consent);
        }
    }
}
