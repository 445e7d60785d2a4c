//! Inserting and changing records, batch by batch.
//!
//! A batch is read, compared and only then written: unchanged rows write nothing, changed ones
//! one item, new ones a record and its memberships together with the groups' counters in one
//! transaction. Every write is conditional on what was read; where somebody else was faster,
//! the record is read again and merged again.

mod change;
mod event;
mod fences;
mod numbers;
mod rounds;
mod transaction;
mod unit;

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::Update;
use jiff::Timestamp;

use super::{
    Group, GroupId, Store, StoreError, StoredRecord,
    item::Content,
    layout::{self, Key},
    read::Freshness,
    retry::Backoff,
};
use crate::{
    identity::{OrganizationId, RecordId},
    protection::{OrganizationKeys, ProtectedRecord},
    record::MAX_STORED_BYTES,
};
use fences::Fences;
use rounds::rounds;
pub use transaction::INSERTED_WHOLE;
use transaction::Joining;
use unit::{Unit, units};

/// Writes under way at once: enough to fill the way there and back, few enough not to throttle
/// a table that has just been made.
const WRITES_IN_FLIGHT: usize = 16;

/// Records read and compared at once: enough for batch reads side by side.
const COMPARED_AT_ONCE: usize = 1_000;

/// Records read, compared and written before the next ones are read, where others were faster
/// before: the less lies between reading and writing, the less can happen in between.
const RETRIED_AT_ONCE: usize = 200;

/// Where the rows of an import come from.
#[derive(Debug, Clone)]
pub struct Provenance {
    /// The organisation.
    pub organization: OrganizationId,
    /// The source.
    pub source_id: u64,
    /// The import; later imports have higher ids.
    pub import_id: u64,
    /// When the rows are written.
    pub at: Timestamp,
    /// The group that the records are uploaded to, besides their source's.
    pub group: Option<Group>,
    /// Whether rows only change records that are in the group already.
    pub updates_only: bool,
}

impl Provenance {
    /// A row whose record is not found is refused, so that it must not merely seem so.
    fn freshness(&self) -> Freshness {
        match self.updates_only {
            true => Freshness::Strong,
            false => Freshness::Eventual,
        }
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its record was inserted.
    Created,
    /// Its record was changed.
    Updated,
    /// Nothing differed.
    Unchanged,
    /// A later import had written the record already.
    Superseded,
    /// The record would be larger than [`MAX_STORED_BYTES`](crate::record::MAX_STORED_BYTES).
    TooLarge,
    /// The customer was erased, and its fence stands.
    Erased,
    /// The row was to change a record, and there is none in the group.
    NotFound,
}

impl Outcome {
    /// Whether the row was taken in, if only to find that it is no news.
    pub fn is_taken_in(self) -> bool {
        match self {
            Self::Created | Self::Updated | Self::Unchanged | Self::Superseded => true,
            Self::TooLarge | Self::Erased | Self::NotFound => false,
        }
    }
}

/// What has to be written for a unit.
enum Write {
    /// Nothing.
    Nothing(Outcome),
    /// The record alone, by one conditional update.
    Change(Box<Update>, Outcome),
    /// The record and memberships, in a transaction with the counters. A new record's item is
    /// made when its transaction is, since thousands of them would fill the memory.
    Join(Option<Box<Update>>, Vec<GroupId>, Outcome),
}

/// A write that somebody else's write came before.
#[derive(Debug, Default)]
struct Lost {
    /// Groups in which the record was a member although it did not exist or did not say so.
    membership_of: Vec<GroupId>,
    /// Whether the group that the records were uploaded to has been deleted since.
    group_is_deleted: bool,
}

impl Store {
    /// Writes one batch of an import's records and says what became of each, in their order.
    ///
    /// The same batch again gives the same outcomes: a record knows which import inserted and
    /// which last changed it.
    pub async fn upsert(
        &self,
        records: Vec<ProtectedRecord>,
        provenance: &Provenance,
        keys: &OrganizationKeys,
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut outcomes = vec![Outcome::Unchanged; records.len()];
        for round in rounds(records) {
            let (rows, records): (Vec<usize>, Vec<ProtectedRecord>) = round.into_iter().unzip();
            let written = self.upsert_round(records, provenance, keys).await?;
            for (row, outcome) in rows.into_iter().zip(written) {
                if let Some(place) = outcomes.get_mut(row) {
                    *place = outcome;
                }
            }
        }
        Ok(outcomes)
    }

    async fn upsert_round(
        &self,
        records: Vec<ProtectedRecord>,
        provenance: &Provenance,
        keys: &OrganizationKeys,
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut outcomes = vec![Outcome::Unchanged; records.len()];
        let absent = self.absent_meters(&records, provenance).await?;
        let mut units = units(records, provenance, &absent);
        let mut pending: Vec<usize> = (0..units.len()).collect();
        let mut fences = Fences::unknown(&units);
        let mut freshness = provenance.freshness();
        let mut backoff = Backoff::new("writing records");
        let mut at_once = COMPARED_AT_ONCE;
        loop {
            let before = pending.len();
            fences.forget_counters();
            let mut joins = Vec::new();
            let mut written = Vec::new();
            for wanted in std::mem::take(&mut pending).chunks(at_once) {
                let stored = self.read_units(&units, wanted, freshness).await?;
                if !provenance.updates_only {
                    let new = new_among(wanted, &units, &stored);
                    self.look_for_fences(&mut fences, new, keys).await?;
                }
                let mut changes = Vec::new();
                for index in wanted.iter().copied() {
                    let Some(unit) = units.get_mut(index) else {
                        continue;
                    };
                    if fences.is_erased(unit.customer()) {
                        unit.tell(Outcome::Erased, false, &mut outcomes);
                        continue;
                    }
                    let record = stored.get(&unit.key);
                    unit.note(record, provenance);
                    match self.plan(unit, record, provenance, keys)? {
                        Write::Nothing(outcome) => unit.tell(outcome, false, &mut outcomes),
                        Write::Change(update, outcome) => changes.push((index, *update, outcome)),
                        Write::Join(update, groups, outcome) => {
                            joins.push(Joining::new(index, unit, update, groups, outcome));
                        }
                    }
                }
                written.extend(self.write_changes(changes).await?);
                if at_once == RETRIED_AT_ONCE {
                    self.number(&joins, &mut units, provenance).await?;
                    let joins = std::mem::take(&mut joins);
                    let joined = self.write_joins(joins, &units, &fences, provenance, keys);
                    written.extend(joined.await?);
                    fences.forget_counters();
                }
            }
            self.number(&joins, &mut units, provenance).await?;
            let joined = self.write_joins(joins, &units, &fences, provenance, keys);
            written.extend(joined.await?);
            for (index, result) in written {
                let Some(unit) = units.get_mut(index) else {
                    continue;
                };
                match result {
                    Ok(outcome) => unit.tell(outcome, true, &mut outcomes),
                    Err(lost) => {
                        unit.members_already = lost.membership_of.into_iter().collect();
                        if lost.group_is_deleted {
                            unit.leave_out(provenance);
                        }
                        pending.push(index);
                    }
                }
            }
            if pending.is_empty() {
                return Ok(outcomes);
            }
            pending.sort_unstable();
            freshness = Freshness::Strong;
            at_once = RETRIED_AT_ONCE;
            if pending.len() < before {
                backoff = Backoff::new("writing records");
            }
            backoff.wait().await?;
        }
    }

    /// What would become of each row, without writing.
    pub async fn predict(
        &self,
        records: Vec<ProtectedRecord>,
        provenance: &Provenance,
        keys: &OrganizationKeys,
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut outcomes = vec![Outcome::Unchanged; records.len()];
        let absent = self.absent_meters(&records, provenance).await?;
        let mut units = units(records, provenance, &absent);
        let pending: Vec<usize> = (0..units.len()).collect();
        let mut fences = Fences::unknown(&units);
        for wanted in pending.chunks(COMPARED_AT_ONCE) {
            let stored = self
                .read_units(&units, wanted, provenance.freshness())
                .await?;
            if !provenance.updates_only {
                let new = new_among(wanted, &units, &stored);
                self.look_for_fences(&mut fences, new, keys).await?;
            }
            for index in wanted {
                let Some(unit) = units.get_mut(*index) else {
                    continue;
                };
                if fences.is_erased(unit.customer()) {
                    unit.tell(Outcome::Erased, false, &mut outcomes);
                    continue;
                }
                let record = stored.get(&unit.key);
                unit.note(record, provenance);
                let write = self.plan(unit, record, provenance, keys)?;
                let is_written = !matches!(write, Write::Nothing(_));
                let (Write::Nothing(outcome)
                | Write::Change(_, outcome)
                | Write::Join(_, _, outcome)) = write;
                unit.tell(outcome, is_written, &mut outcomes);
            }
        }
        Ok(outcomes)
    }

    /// The meters that rows are about but that are not there to be changed: what such a row says
    /// of the meter's customer is not to be stored either.
    async fn absent_meters(
        &self,
        records: &[ProtectedRecord],
        provenance: &Provenance,
    ) -> Result<HashSet<RecordId>, StoreError> {
        let meters = records.iter().map(ProtectedRecord::id);
        let meters: Vec<&RecordId> = match provenance.updates_only {
            true => meters
                .filter(|id| matches!(id, RecordId::Meter(..)))
                .collect(),
            false => Vec::new(),
        };
        let keys: Vec<Key> = meters.iter().map(|id| layout::record(id)).collect();
        let stored = self
            .get_many(&keys, provenance.freshness(), |item| {
                StoredRecord::read(&item)
            })
            .await?;
        let is_there = |id: &RecordId| {
            let stored = stored.get(&layout::record(id));
            stored.is_some_and(|stored| stored.is_in(provenance.group.as_ref()))
        };
        let absent = meters.into_iter().filter(|id| !is_there(id));
        Ok(absent.cloned().collect())
    }

    async fn read_units(
        &self,
        units: &[Unit],
        wanted: &[usize],
        freshness: Freshness,
    ) -> Result<HashMap<Key, StoredRecord>, StoreError> {
        let keys: Vec<Key> = wanted
            .iter()
            .filter_map(|index| Some(units.get(*index)?.key.clone()))
            .collect();
        self.get_many(&keys, freshness, |item| StoredRecord::read(&item))
            .await
    }

    /// Decides what a row does to its record.
    fn plan(
        &self,
        unit: &Unit,
        stored: Option<&StoredRecord>,
        provenance: &Provenance,
        keys: &OrganizationKeys,
    ) -> Result<Write, StoreError> {
        if provenance.updates_only && !unit.is_there(stored, provenance) {
            return Ok(Write::Nothing(Outcome::NotFound));
        }
        let Some(stored) = stored else {
            // What it really takes is only asked where it might be too much.
            if unit.record.size() > MAX_STORED_BYTES / 4
                && Content::default()
                    .merged(&unit.uid, &unit.record, keys)?
                    .size()
                    > MAX_STORED_BYTES
            {
                return Ok(Write::Nothing(Outcome::TooLarge));
            }
            let groups = unit
                .groups
                .iter()
                .filter(|g| !unit.members_already.contains(*g));
            return Ok(Write::Join(
                None,
                groups.cloned().collect(),
                Outcome::Created,
            ));
        };
        // Nobody else can have inserted it: where it differs, it has been changed since.
        if !provenance.updates_only
            && unit.record.dataset().makes_identifiers()
            && stored.import_id == provenance.import_id
        {
            return Ok(Write::Nothing(Outcome::Created));
        }
        let by_this_import = match () {
            () if stored.import_id == provenance.import_id => Some(Outcome::Created),
            () if stored.last_import_id == provenance.import_id => Some(Outcome::Updated),
            () => None,
        };
        // Events know by themselves which is newer.
        let of_event = unit.record.said().is_some();
        // What a later import has written stays, but the row fills in what that left blank, and
        // the record joins the groups all the same.
        let superseded = !of_event && stored.last_import_id > provenance.import_id;
        let content = match superseded {
            true => stored.content.filled_in(&unit.uid, &unit.record, keys)?,
            false => stored.content.merged(&unit.uid, &unit.record, keys)?,
        };
        let differs = content != stored.content;
        if differs && content.size() > MAX_STORED_BYTES {
            return Ok(Write::Nothing(Outcome::TooLarge));
        }
        let unwritten = match superseded {
            true => Outcome::Superseded,
            false => Outcome::Unchanged,
        };
        let groups: Vec<GroupId> = unit
            .groups
            .iter()
            .filter(|group| !stored.groups.contains(group.as_str()))
            .cloned()
            .collect();
        if !differs && groups.is_empty() {
            let outcome = by_this_import.unwrap_or(unwritten);
            return Ok(Write::Nothing(outcome));
        }
        let outcome = match (by_this_import, differs) {
            (Some(outcome), _) => outcome,
            (None, true) if !superseded => Outcome::Updated,
            (None, _) => unwritten,
        };
        // Whoever writes a record writes all of it under the newest key, so that no outdated bytes
        // come back after others have encrypted them again.
        let content = match differs {
            true => content.resealed(&unit.uid, keys)?.unwrap_or(content),
            false => content,
        };
        let change = differs.then_some(&content);
        let update = self.update(unit, stored, change, &groups, provenance, keys)?;
        if groups.is_empty() {
            return Ok(Write::Change(Box::new(update), outcome));
        }
        let groups = groups
            .into_iter()
            .filter(|g| !unit.members_already.contains(g));
        Ok(Write::Join(
            Some(Box::new(update)),
            groups.collect(),
            outcome,
        ))
    }
}

/// The units whose records do not exist.
fn new_among<'u>(
    wanted: &[usize],
    units: &'u [Unit],
    stored: &HashMap<Key, StoredRecord>,
) -> Vec<&'u Unit> {
    let wanted = wanted.iter().filter_map(|index| units.get(*index));
    wanted
        .filter(|unit| !stored.contains_key(&unit.key))
        .collect()
}
