//! What events make of a record.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Content, bytes};
use crate::{
    event::{Answer, Clock, Consent, Version},
    protection::ProtectedRecord,
    record::Change,
    store::{
        StoreError,
        layout::{CLOCK, CONSENTS, CUSTOM, Item, NEWEST, OTHERS},
    },
};

impl Content {
    /// What the content becomes when it takes in an event, or several that are one by now: every
    /// field is as the newest event that speaks of it has it.
    pub(super) fn after_event(&self, record: &ProtectedRecord, events: &Clock) -> Self {
        let mut after = self.clone();
        let is_news = |field: &str| match &self.clock {
            Some(known) => known.is_before(events, field),
            None => true,
        };
        for (index, change) in record.changes() {
            let Some(field) = record.dataset().field(*index) else {
                continue;
            };
            if field.changed_at.is_some() || !is_news(&field.name) {
                continue;
            }
            match change {
                Change::Set(value) => after.set(&field.name, value),
                Change::Unset => after.unset(&field.name),
            }
        }
        if let Some(custom) = record.custom().filter(|_| is_news(CUSTOM)) {
            let stored = self.custom.as_ref();
            after.custom = Some(custom.in_place_of(stored));
        }
        let clock = after.clock.get_or_insert_with(|| events.clone());
        clock.join(events);
        let answers: Vec<(String, Answer)> = clock
            .consents()
            .iter()
            .map(|(name, consent)| (name.clone(), consent.answer()))
            .collect();
        for (name, answer) in answers {
            match answer {
                Answer::Given => after.profile.insert(name, AttributeValue::Bool(true)),
                Answer::Withdrawn => after.profile.insert(name, AttributeValue::Bool(false)),
                Answer::Unknown => after.profile.remove(&name),
            };
        }
        after
    }

    /// The clock as an attribute.
    pub(super) fn clock_attribute(&self) -> Option<AttributeValue> {
        let clock = self.clock.as_ref()?;
        let is_present = |name: &str| match name {
            CUSTOM => self.custom.is_some(),
            name => self.profile.contains_key(name),
        };
        let others: HashMap<_, _> = clock
            .exceptions(is_present)
            .map(|(name, version)| (name.to_owned(), bytes(&version.to_bytes())))
            .collect();
        let consents = clock.consents().iter();
        let consents: HashMap<_, _> = consents
            .map(|(name, consent)| (name.clone(), bytes(&consent.to_bytes())))
            .collect();
        let mut members = HashMap::from([(NEWEST.to_owned(), bytes(&clock.newest().to_bytes()))]);
        for (name, map) in [(OTHERS, others), (CONSENTS, consents)] {
            if !map.is_empty() {
                members.insert(name.to_owned(), AttributeValue::M(map));
            }
        }
        Some(AttributeValue::M(members))
    }

    /// Reads the clock of a record whose other content has been read.
    pub(super) fn read_clock(&self, item: &Item) -> Result<Option<Clock>, StoreError> {
        let Some(attribute) = item.get(CLOCK) else {
            return Ok(None);
        };
        let corrupt = || StoreError::corrupt("record", CLOCK);
        let members = attribute.as_m().map_err(|_| corrupt())?;
        let newest = members.get(NEWEST).and_then(version).ok_or_else(corrupt)?;
        let others = entries(members, OTHERS, version).ok_or_else(corrupt)?;
        let consents = entries(members, CONSENTS, consent).ok_or_else(corrupt)?;
        let custom = self.custom.as_ref().map(|_| CUSTOM);
        let present = self.profile.keys().map(String::as_str).chain(custom);
        Ok(Some(Clock::read(newest, others, consents, present)))
    }
}

fn entries<T>(
    members: &HashMap<String, AttributeValue>,
    name: &str,
    read: fn(&AttributeValue) -> Option<T>,
) -> Option<BTreeMap<String, T>> {
    let Some(map) = members.get(name) else {
        return Some(BTreeMap::new());
    };
    let entry = |(name, value): (&String, &AttributeValue)| Some((name.clone(), read(value)?));
    map.as_m().ok()?.iter().map(entry).collect()
}

fn version(value: &AttributeValue) -> Option<Version> {
    Version::from_bytes(value.as_b().ok()?.as_ref())
}

fn consent(value: &AttributeValue) -> Option<Consent> {
    Consent::from_bytes(value.as_b().ok()?.as_ref())
}
