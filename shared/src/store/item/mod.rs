//! A record as an item, and what a change makes of it.

mod events;
#[cfg(test)]
mod laws;
mod stored;
mod value;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use super::layout::{CLOCK, CUSTOM, Item, PROFILE, VALUE_DIGESTS};
use crate::{
    event::Clock,
    protection::{CipherError, OrganizationKeys, ProtectedRecord, ProtectedValue, Sealed},
    record::Change,
};
use value::{Digests, Stored, is_within, parts_of, size, to_attribute};

pub use stored::StoredRecord;
pub(super) use value::{at, at_mut, bytes, number};

/// A record's fields as they are stored, by name.
pub(super) type Profile = BTreeMap<String, AttributeValue>;

/// What a record holds, apart from where it came from.
#[derive(Clone, PartialEq, Default)]
pub(super) struct Content {
    pub(super) profile: Profile,
    pub(super) value_digests: Digests,
    pub(super) custom: Option<Sealed>,
    /// Of a record that comes in events.
    pub(super) clock: Option<Clock>,
}

impl Content {
    /// What the content becomes when a row changes it.
    pub(super) fn merged(
        &self,
        uid: &str,
        record: &ProtectedRecord,
        keys: &OrganizationKeys,
    ) -> Result<Self, CipherError> {
        if let Some(said) = record.said() {
            return self.after_event(uid, record, said, keys);
        }
        let mut merged = self.clone();
        for (index, change) in record.changes() {
            let Some(field) = record.dataset().field(*index) else {
                continue;
            };
            merged.change(&field.name, change);
        }
        merged.custom = keys.merge_custom(uid, self.custom.as_ref(), record.custom())?;
        Ok(merged)
    }

    /// What the content becomes when a row comes after a later import has written the record:
    /// the row fills in what is blank, and overwrites nothing.
    pub(super) fn filled_in(
        &self,
        uid: &str,
        record: &ProtectedRecord,
        keys: &OrganizationKeys,
    ) -> Result<Self, CipherError> {
        let mut filled = self.clone();
        for (index, change) in record.changes() {
            match (record.dataset().field(*index), change) {
                (Some(field), Change::Set(value)) if !self.profile.contains_key(&field.name) => {
                    filled.set(&field.name, value);
                }
                _ => {}
            }
        }
        filled.custom = keys.fill_custom(uid, self.custom.as_ref(), record.custom())?;
        Ok(filled)
    }

    /// Whether a record with this content looks different from one with the other.
    pub(super) fn shows_other_than(&self, other: &Self) -> bool {
        let shown = |content: &Self| content.clock.as_ref().map(Clock::since);
        self.profile != other.profile || self.custom != other.custom || shown(self) != shown(other)
    }

    /// About how many bytes the content takes.
    pub(super) fn size(&self) -> usize {
        let value = |(name, value): (&String, &AttributeValue)| name.len() + size(value);
        let fields: usize = self.profile.iter().map(value).sum();
        let digest = |(path, digest): (&String, &[u8; 16])| path.len() + digest.len();
        let digests: usize = self.value_digests.iter().map(digest).sum();
        fields + digests + self.custom.as_ref().map_or(0, |custom| custom.bytes.len())
    }

    fn change(&mut self, name: &str, change: &Change<ProtectedValue>) {
        match change {
            Change::Set(value) => self.set(name, value),
            Change::Unset => self.unset(name),
        }
    }

    fn set(&mut self, name: &str, value: &ProtectedValue) {
        let mut digests = Digests::new();
        let stored = Stored {
            value: self.profile.get(name),
            digests: &self.value_digests,
        };
        let attribute = to_attribute(name, value.inner(), stored, &mut digests);
        self.unset(name);
        self.value_digests.extend(digests);
        self.profile.insert(name.to_owned(), attribute);
    }

    fn unset(&mut self, name: &str) {
        self.value_digests.remove(name);
        if let Some(AttributeValue::L(_)) = self.profile.remove(name) {
            self.value_digests.retain(|path, _| !is_within(path, name));
        }
    }

    /// A keyed digest of the whole content: equal content, equal digest.
    pub(super) fn digest(&self, keys: &OrganizationKeys) -> Vec<u8> {
        let mut canonical = Vec::new();
        let mut part = |bytes: &[u8]| {
            canonical.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            canonical.extend_from_slice(bytes);
        };
        for (name, value) in &self.profile {
            part(name.as_bytes());
            parts_of(name, value, &self.value_digests, &mut part);
        }
        if let Some(custom) = &self.custom {
            part(CUSTOM.as_bytes());
            part(&custom.digest);
        }
        if let Some(clock) = &self.clock {
            part(CLOCK.as_bytes());
            clock.parts(&mut part);
        }
        let digest = keys.digest("clientele record digest v1", &[&canonical]);
        digest.into_iter().take(16).collect()
    }

    /// The content's attributes.
    pub(super) fn to_item(&self) -> Item {
        let mut digests: HashMap<_, _> = self
            .value_digests
            .iter()
            .map(|(name, digest)| (name.clone(), bytes(digest)))
            .collect();
        let profile = self.profile.clone().into_iter().collect();
        let mut item = HashMap::from([(PROFILE.to_owned(), AttributeValue::M(profile))]);
        if let Some(custom) = &self.custom {
            item.insert(CUSTOM.to_owned(), bytes(&custom.bytes));
            digests.insert(CUSTOM.to_owned(), bytes(&custom.digest));
        }
        if let Some(clock) = self.clock_attribute() {
            item.insert(CLOCK.to_owned(), clock);
        }
        if !digests.is_empty() {
            item.insert(VALUE_DIGESTS.to_owned(), AttributeValue::M(digests));
        }
        item
    }
}
