//! The records that a batch writes.

use std::collections::{BTreeMap, BTreeSet, HashSet, btree_map::Entry};

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Outcome, Provenance,
    event::{self, Event},
    numbers::sequence,
};
use crate::{
    dataset::Dataset,
    identity::{CustomerUid, RecordId, UidHash},
    protection::{OrganizationKeys, ProtectedRecord},
    store::{
        GroupId, StoreError, StoredRecord,
        item::{Content, bytes, number},
        layout::{
            self, CREATED_AT, DATASET, DIGEST, GROUPS, IMPORT_ID, Item, Key, LAST_IMPORT_ID,
            LAST_SOURCE_ID, SOURCE_ID, UPDATED_AT,
        },
    },
};

/// A record to write, and the row that it is the outcome of.
pub(super) struct Unit {
    pub(super) record: ProtectedRecord,
    /// The row's place in the batch; none for the customer that a meter's row also writes.
    pub(super) row: Option<usize>,
    /// The events that the record has become one of.
    pub(super) events: Vec<Event>,
    pub(super) key: Key,
    pub(super) uid: String,
    pub(super) hash: UidHash,
    pub(super) groups: Vec<GroupId>,
    /// Groups whose membership was found without the record knowing of it.
    pub(super) members_already: BTreeSet<GroupId>,
    /// The number that the record gets when it is inserted, in a dataset that counts its records.
    pub(super) number: Option<u64>,
}

impl Unit {
    /// The customer: the record itself, or the one that the meter is at.
    pub(super) fn customer(&self) -> &CustomerUid {
        self.record.id().customer()
    }

    /// The group of all of the source's records.
    pub(super) fn source_group(&self) -> GroupId {
        GroupId::of_source(self.record.dataset(), self.customer().origin())
    }

    /// The group of all of the source's customers.
    pub(super) fn customers_group(&self) -> GroupId {
        match self.record.id() {
            RecordId::Customer(_) => self.source_group(),
            RecordId::Meter(customer, _) => {
                GroupId::of_source(&Dataset::customers(), customer.origin())
            }
        }
    }
}

/// The records to write: each row's, and one for every customer that meters' rows speak of.
/// Customers come first: whether one was erased decides about the rows of its meters.
/// What rows of absent meters say of their customers is left out.
pub(super) fn units(
    records: Vec<ProtectedRecord>,
    provenance: &Provenance,
    absent: &HashSet<RecordId>,
) -> Vec<Unit> {
    let mut of_rows = Vec::with_capacity(records.len());
    let mut customers: BTreeMap<String, ProtectedRecord> = BTreeMap::new();
    let mut of_events: BTreeMap<String, usize> = BTreeMap::new();
    for (row, mut record) in records.into_iter().enumerate() {
        let customer = record.take_customer();
        if let Some(customer) = customer.filter(|_| !absent.contains(record.id())) {
            match customers.entry(customer.id().to_string()) {
                Entry::Occupied(mut known) => {
                    known.get_mut().overlay(customer);
                }
                Entry::Vacant(new) => drop(new.insert(customer)),
            }
        }
        match Event::of(&record, row) {
            Some(event) => {
                let at = *of_events
                    .entry(record.id().to_string())
                    .or_insert(of_rows.len());
                add_event(&mut of_rows, at, event, record, provenance);
            }
            None => of_rows.push(unit(record, Some(row), provenance)),
        }
    }
    let customers = customers.into_values();
    let mut units: Vec<Unit> = customers
        .map(|customer| unit(customer, None, provenance))
        .collect();
    units.append(&mut of_rows);
    units
}

/// Adds an event to the unit at a position, or begins that unit.
fn add_event(
    units: &mut Vec<Unit>,
    at: usize,
    event: Event,
    record: ProtectedRecord,
    provenance: &Provenance,
) {
    match units.get_mut(at) {
        Some(known) => {
            known.record.join_event(record);
            known.events.push(event);
            known.events.iter_mut().for_each(Event::is_not_alone);
        }
        None => {
            let row = Some(event.row);
            let events = vec![event];
            units.push(Unit {
                events,
                ..unit(record, row, provenance)
            });
        }
    }
}

fn unit(record: ProtectedRecord, row: Option<usize>, provenance: &Provenance) -> Unit {
    let uid = record.id().to_string();
    let mut groups = vec![GroupId::of_source(
        record.dataset(),
        record.id().customer().origin(),
    )];
    // A group has one dataset, so a meter's customer does not join the meter's.
    if let (Some(group), Some(_)) = (&provenance.group, row)
        && !groups.contains(&group.id)
    {
        groups.push(group.id.clone());
    }
    Unit {
        key: layout::record(record.id()),
        hash: UidHash::of(&uid),
        uid,
        record,
        row,
        events: Vec::new(),
        groups,
        members_already: BTreeSet::new(),
        number: None,
    }
}

impl Unit {
    /// Says what became of the rows that the unit is of.
    pub(super) fn tell(&self, outcome: Outcome, was_written: bool, outcomes: &mut [Outcome]) {
        let rows = self
            .events
            .iter()
            .map(|event| (event.row, event.outcome(outcome, was_written)));
        let row = self.row.filter(|_| self.events.is_empty());
        for (row, outcome) in rows.chain(row.map(|row| (row, outcome))) {
            if let Some(place) = outcomes.get_mut(row) {
                *place = outcome;
            }
        }
    }

    /// Notes what the events come to, as things stand.
    pub(super) fn note(&mut self, stored: Option<&StoredRecord>, provenance: &Provenance) {
        event::decide(&mut self.events, stored, provenance);
    }

    /// Whether there is a record to change: in the group, if the row is about it.
    pub(super) fn is_there(&self, stored: Option<&StoredRecord>, provenance: &Provenance) -> bool {
        let group = provenance.group.as_ref();
        stored.is_some_and(|stored| self.row.is_none() || stored.is_in(group))
    }

    /// Has the record join its source's group alone.
    pub(super) fn leave_out(&mut self, provenance: &Provenance) {
        if let Some(uploaded_to) = &provenance.group {
            self.groups
                .retain(|group| *group != uploaded_to.id || group.is_of_source());
        }
    }
}

pub(super) fn new_item(
    unit: &Unit,
    provenance: &Provenance,
    keys: &OrganizationKeys,
) -> Result<Item, StoreError> {
    let mut content = Content::default().merged(&unit.uid, &unit.record, keys)?;
    if let (Some(field), Some(value)) = (sequence(unit.record.dataset()), unit.number) {
        content.profile.insert(field.name.clone(), number(value));
    }
    let mut item = content.to_item();
    item.extend(unit.key.to_item());
    let groups = unit.groups.iter().map(GroupId::to_string).collect();
    item.extend([
        (
            DATASET.to_owned(),
            AttributeValue::S(unit.record.dataset().name().to_owned()),
        ),
        (DIGEST.to_owned(), bytes(&content.digest(keys))),
        (GROUPS.to_owned(), AttributeValue::Ss(groups)),
        (
            CREATED_AT.to_owned(),
            number(provenance.at.as_millisecond()),
        ),
        (
            UPDATED_AT.to_owned(),
            number(provenance.at.as_millisecond()),
        ),
        (SOURCE_ID.to_owned(), number(provenance.source_id)),
        (LAST_SOURCE_ID.to_owned(), number(provenance.source_id)),
        (IMPORT_ID.to_owned(), number(provenance.import_id)),
        (LAST_IMPORT_ID.to_owned(), number(provenance.import_id)),
    ]);
    Ok(item)
}
