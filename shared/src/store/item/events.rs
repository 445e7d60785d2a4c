//! What events make of a record.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value as Json;

use super::{
    Content, bytes,
    value::{Opener, show},
};
use crate::{
    dataset::Field,
    event::{Answer, Clock, Consent, Moment, Rank, Said},
    protection::{CipherError, OrganizationKeys, ProtectedRecord},
    store::{
        StoreError,
        layout::{CLOCK, CONSENTS, CUSTOM, Item, NEWEST, OTHERS},
    },
};

/// How new it is what events say of a field.
struct News {
    is_newer: bool,
    /// Where it is of the same moment as what is known: its rank.
    ties_at: Option<Rank>,
}

impl Content {
    /// What the content becomes when it takes in an event, or several that are one by now: every
    /// field is as the newest event that speaks of it has it.
    pub(super) fn after_event(
        &self,
        uid: &str,
        record: &ProtectedRecord,
        said: &Said,
        keys: &OrganizationKeys,
    ) -> Result<Self, CipherError> {
        let mut after = self.clone();
        for (index, change) in record.changes() {
            let Some(field) = record.dataset().field(*index) else {
                continue;
            };
            let News { is_newer, ties_at } = self.news(said, &field.name);
            if field.changed_at.is_some() || !is_newer && ties_at.is_none() {
                continue;
            }
            let Some(rank) = ties_at else {
                after.change(&field.name, change);
                continue;
            };
            // Of two values of one moment, the one of the higher rank.
            let mut changed = after.clone();
            changed.change(&field.name, change);
            let is_other = changed.profile.get(&field.name) != self.profile.get(&field.name);
            if is_other && rank > Rank::of(self.clear(uid, field, keys)?.as_ref()) {
                after = changed;
            }
        }
        let News { is_newer, ties_at } = self.news(said, CUSTOM);
        if is_newer || ties_at.is_some() {
            let stored = self.custom.as_ref();
            let sealed = record.custom().map(|custom| custom.in_place_of(stored));
            let wins = match ties_at {
                Some(rank) if sealed.as_ref() != stored => rank > self.rank_of_custom(uid, keys)?,
                tie => tie.is_none(),
            };
            if wins {
                after.custom = sealed;
            }
        }
        match &mut after.clock {
            Some(clock) => clock.join(&said.clock()),
            None => after.clock = Some(said.clock()),
        }
        after.follow_answers();
        Ok(after)
    }

    /// How new it is what events say of a field.
    fn news(&self, said: &Said, field: &str) -> News {
        let known = self.clock.as_ref().and_then(|clock| clock.of_field(field));
        let Some((moment, rank)) = said.of_field(field) else {
            return News {
                is_newer: false,
                ties_at: None,
            };
        };
        News {
            is_newer: known.is_none_or(|known| known < moment),
            ties_at: (known == Some(moment)).then_some(rank),
        }
    }

    fn rank_of_custom(&self, uid: &str, keys: &OrganizationKeys) -> Result<Rank, CipherError> {
        let Some(custom) = &self.custom else {
            return Ok(Rank::of(None));
        };
        let columns = keys.open_custom(uid, &custom.bytes)?;
        Ok(Rank::of(Some(&columns.into_iter().collect())))
    }

    /// A field's value in clear.
    fn clear(
        &self,
        uid: &str,
        field: &Field,
        keys: &OrganizationKeys,
    ) -> Result<Option<Json>, CipherError> {
        let Some(value) = self.profile.get(&field.name) else {
            return Ok(None);
        };
        let digests = &self.value_digests;
        let mut shown = show(field, value);
        Opener { uid, keys, digests }.reveal(&field.name, value, &mut shown)?;
        Ok(Some(shown))
    }

    /// Has the fields of agreements say what was answered last.
    fn follow_answers(&mut self) {
        let Some(clock) = &self.clock else {
            return;
        };
        for (name, consent) in clock.consents() {
            let answer = match consent.answer() {
                Answer::Given => true,
                Answer::Withdrawn => false,
                Answer::Unknown => {
                    self.profile.remove(name);
                    continue;
                }
            };
            self.profile
                .insert(name.clone(), AttributeValue::Bool(answer));
        }
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
            .map(|(name, at)| (name.to_owned(), bytes(&at.to_bytes())))
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
        let newest = members.get(NEWEST).and_then(moment).ok_or_else(corrupt)?;
        let others = entries(members, OTHERS, moment).ok_or_else(corrupt)?;
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

fn moment(value: &AttributeValue) -> Option<Moment> {
    let bytes = value.as_b().ok()?.as_ref();
    Some(Moment::from_bytes(bytes.try_into().ok()?))
}

fn consent(value: &AttributeValue) -> Option<Consent> {
    Consent::from_bytes(value.as_b().ok()?.as_ref())
}
