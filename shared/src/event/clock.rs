//! When each field of a record was last spoken of.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Consent, Version};

/// The versions of a record's fields, and what is remembered of agreements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    newest: Version,
    /// By field name: the newest event that spoke of it. A field that is here and has no value was
    /// taken away.
    fields: BTreeMap<String, Version>,
    /// By field name.
    consents: BTreeMap<String, Consent>,
}

impl Clock {
    /// The clock of what one event says.
    pub(crate) fn of_event(version: Version) -> Self {
        Self {
            newest: version,
            fields: BTreeMap::new(),
            consents: BTreeMap::new(),
        }
    }

    /// A clock as it was written; `present` are the fields that have a value.
    pub(crate) fn read<'f>(
        newest: Version,
        exceptions: BTreeMap<String, Version>,
        consents: BTreeMap<String, Consent>,
        present: impl Iterator<Item = &'f str>,
    ) -> Self {
        let mut fields = exceptions;
        for name in present.filter(|name| !consents.contains_key(*name)) {
            fields.entry(name.to_owned()).or_insert(newest);
        }
        Self {
            newest,
            fields,
            consents,
        }
    }

    /// The fields whose version is not the newest, and those that have one without a value.
    pub(crate) fn exceptions(
        &self,
        is_present: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = (&str, Version)> {
        let fields = self.fields.iter().map(|(name, v)| (name.as_str(), *v));
        fields.filter(move |(name, version)| *version != self.newest || !is_present(name))
    }

    /// The newest event of all.
    pub fn newest(&self) -> Version {
        self.newest
    }

    /// What is remembered of agreements.
    pub fn consents(&self) -> &BTreeMap<String, Consent> {
        &self.consents
    }

    /// Notes that the event speaks of a field.
    pub(crate) fn speak(&mut self, field: &str) {
        self.fields.insert(field.to_owned(), self.newest);
    }

    /// Notes what the event says of an agreement.
    pub(crate) fn answer(&mut self, field: &str, answer: super::Answer) {
        let consent = Consent::of(self.newest.moment(), answer);
        self.consents.insert(field.to_owned(), consent);
    }

    /// Whether another clock's version of a field is newer than this one's.
    pub(crate) fn is_before(&self, other: &Self, field: &str) -> bool {
        self.fields.get(field) < other.fields.get(field)
    }

    /// Since when the present answers hold.
    pub(crate) fn since(&self) -> Vec<Option<Timestamp>> {
        self.consents.values().map(Consent::since).collect()
    }

    /// Hands on the parts that the clock consists of, so that equal clocks, and no others, have
    /// equal parts.
    pub(crate) fn parts(&self, part: &mut impl FnMut(&[u8])) {
        part(&self.newest.to_bytes());
        for (name, version) in &self.fields {
            part(name.as_bytes());
            part(&version.to_bytes());
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
        for (name, version) in &other.fields {
            let known = self.fields.entry(name.clone()).or_insert(*version);
            *known = (*known).max(*version);
        }
        for (name, consent) in &other.consents {
            self.consents.entry(name.clone()).or_default().add(consent);
        }
    }
}
