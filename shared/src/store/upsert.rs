//! Inserting and changing records, batch by batch.
//!
//! A batch is read, compared and only then written: unchanged rows write nothing, changed ones
//! one item, new ones a record and its memberships together with the groups' counters in one
//! transaction. Every write is conditional on what was read; where somebody else was faster,
//! the record is read again and merged again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, ReturnConsumedCapacity, TransactWriteItem, Update},
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    GroupId, Store, StoreError, StoredRecord,
    capacity::Units,
    item::{Content, bytes, number},
    layout::{
        self, CREATED_AT, CUSTOM, DATASET, DIGEST, GROUPS, IMPORT_ID, Item, Key, LAST_IMPORT_ID,
        LAST_SOURCE_ID, MEMBERS, PROFILE, SOURCE_ID, UPDATED_AT, VALUE_DIGESTS,
    },
    read::Freshness,
    retry::Backoff,
};
use crate::{
    identity::{OrganizationId, UidHash},
    protection::{OrganizationKeys, ProtectedRecord},
};

/// DynamoDB's limit for one transaction.
const TRANSACTION_ACTIONS: usize = 100;
/// Writes under way at once: enough to fill the way there and back, few enough not to throttle
/// a table that has just been made.
const WRITES_IN_FLIGHT: usize = 24;

/// Records read and compared at once: enough for batch reads side by side.
const COMPARED_AT_ONCE: usize = 1_000;

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
    pub group: Option<GroupId>,
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
}

/// A record to write, and the row that it is the outcome of.
struct Unit {
    record: ProtectedRecord,
    /// The row's place in the batch; none for the customer that a meter's row also writes.
    row: Option<usize>,
    key: Key,
    uid: String,
    hash: UidHash,
    groups: Vec<GroupId>,
    /// Groups whose membership was found without the record knowing of it.
    members_already: BTreeSet<GroupId>,
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

/// A unit's part in a transaction.
struct Joining {
    unit: usize,
    /// How an existing record changes; a new one is put.
    update: Option<Box<Update>>,
    groups: Vec<GroupId>,
    outcome: Outcome,
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
        let mut units = units(records, provenance);
        let mut pending: Vec<usize> = (0..units.len()).collect();
        let mut freshness = Freshness::Eventual;
        let mut backoff = Backoff::new("writing records");
        loop {
            let mut joins = Vec::new();
            let mut written = Vec::new();
            for wanted in std::mem::take(&mut pending).chunks(COMPARED_AT_ONCE) {
                let stored = self.read_units(&units, wanted, freshness).await?;
                let mut changes = Vec::new();
                for index in wanted.iter().copied() {
                    let Some(unit) = units.get(index) else {
                        continue;
                    };
                    match self.plan(unit, stored.get(&unit.key), provenance, keys)? {
                        Write::Nothing(outcome) => set(&mut outcomes, unit.row, outcome),
                        Write::Change(update, outcome) => changes.push((index, *update, outcome)),
                        Write::Join(update, groups, outcome) => joins.push(Joining {
                            unit: index,
                            update,
                            groups,
                            outcome,
                        }),
                    }
                }
                written.extend(self.write_changes(changes).await?);
            }
            written.extend(self.write_joins(joins, &units, provenance, keys).await?);
            for (index, result) in written {
                let Some(unit) = units.get_mut(index) else {
                    continue;
                };
                match result {
                    Ok(outcome) => set(&mut outcomes, unit.row, outcome),
                    Err(Lost { membership_of }) => {
                        unit.members_already.extend(membership_of);
                        pending.push(index);
                    }
                }
            }
            if pending.is_empty() {
                return Ok(outcomes);
            }
            pending.sort_unstable();
            freshness = Freshness::Strong;
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
        let units = units(records, provenance);
        let pending: Vec<usize> = (0..units.len()).collect();
        for wanted in pending.chunks(COMPARED_AT_ONCE) {
            let stored = self.read_units(&units, wanted, Freshness::Eventual).await?;
            for unit in wanted.iter().filter_map(|index| units.get(*index)) {
                let (Write::Nothing(outcome)
                | Write::Change(_, outcome)
                | Write::Join(_, _, outcome)) =
                    self.plan(unit, stored.get(&unit.key), provenance, keys)?;
                set(&mut outcomes, unit.row, outcome);
            }
        }
        Ok(outcomes)
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
        let Some(stored) = stored else {
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
        let by_this_import = match () {
            () if stored.import_id == provenance.import_id => Some(Outcome::Created),
            () if stored.last_import_id == provenance.import_id => Some(Outcome::Updated),
            () => None,
        };
        if stored.last_import_id > provenance.import_id {
            // Whatever this import did to the record, a later one has written over it.
            return Ok(Write::Nothing(
                by_this_import.unwrap_or(Outcome::Superseded),
            ));
        }
        let content = stored.content.merged(&unit.uid, &unit.record, keys)?;
        let differs = content != stored.content;
        let groups: Vec<GroupId> = unit
            .groups
            .iter()
            .filter(|group| !stored.groups.contains(group.as_str()))
            .cloned()
            .collect();
        if !differs && groups.is_empty() {
            let outcome = by_this_import.unwrap_or(Outcome::Unchanged);
            return Ok(Write::Nothing(outcome));
        }
        let outcome = match (by_this_import, differs) {
            (Some(outcome), _) => outcome,
            (None, true) => Outcome::Updated,
            (None, false) => Outcome::Unchanged,
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

    /// An update of a record, on condition that it still is what was read.
    fn update(
        &self,
        unit: &Unit,
        stored: &StoredRecord,
        content: Option<&Content>,
        groups: &[GroupId],
        provenance: &Provenance,
        keys: &OrganizationKeys,
    ) -> Result<Update, StoreError> {
        let mut values: BTreeMap<&str, AttributeValue> = BTreeMap::new();
        let mut removed: Vec<&str> = Vec::new();
        if let Some(content) = content {
            let mut attributes = content.to_item();
            for name in [PROFILE, CUSTOM, VALUE_DIGESTS] {
                match attributes.remove(name) {
                    Some(value) => drop(values.insert(name, value)),
                    None => removed.push(name),
                }
            }
            values.insert(DIGEST, bytes(&content.digest(keys)));
            values.insert(UPDATED_AT, number(provenance.at.as_millisecond()));
            values.insert(LAST_SOURCE_ID, number(provenance.source_id));
            values.insert(LAST_IMPORT_ID, number(provenance.import_id));
        }
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(unit.key.to_item()))
            .condition_expression(
                "#condition_digest = :read_digest AND #condition_import = :read_import",
            )
            .expression_attribute_names("#condition_digest", DIGEST)
            .expression_attribute_names("#condition_import", LAST_IMPORT_ID)
            .expression_attribute_values(":read_digest", bytes(&stored.digest))
            .expression_attribute_values(":read_import", number(stored.last_import_id));
        let mut clauses = Vec::new();
        if !values.is_empty() {
            let set: Vec<_> = values
                .keys()
                .map(|name| format!("#{name} = :{name}"))
                .collect();
            clauses.push(format!("SET {}", set.join(", ")));
        }
        for (name, value) in values {
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        if !removed.is_empty() {
            let remove: Vec<_> = removed.iter().map(|name| format!("#{name}")).collect();
            clauses.push(format!("REMOVE {}", remove.join(", ")));
        }
        for name in removed {
            update = update.expression_attribute_names(format!("#{name}"), name);
        }
        if !groups.is_empty() {
            clauses.push("ADD #groups :groups".to_owned());
            let ids = groups.iter().map(GroupId::to_string).collect();
            update = update
                .expression_attribute_names("#groups", GROUPS)
                .expression_attribute_values(":groups", AttributeValue::Ss(ids));
        }
        update
            .update_expression(clauses.join(" "))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))
    }

    async fn write_changes(
        &self,
        changes: Vec<(usize, Update, Outcome)>,
    ) -> Result<Vec<(usize, Result<Outcome, Lost>)>, StoreError> {
        stream::iter(changes)
            .map(|(unit, update, outcome)| async move {
                let result = self.write_change(update).await?;
                Ok((unit, result.map(|()| outcome)))
            })
            .buffer_unordered(WRITES_IN_FLIGHT)
            .try_collect()
            .await
    }

    async fn write_change(&self, update: Update) -> Result<Result<(), Lost>, StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(update.key))
            .update_expression(update.update_expression)
            .set_condition_expression(update.condition_expression)
            .set_expression_attribute_names(update.expression_attribute_names)
            .set_expression_attribute_values(update.expression_attribute_values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(Ok(()))
            }
            Err(error) => match error.as_service_error() {
                Some(service)
                    if service.is_conditional_check_failed_exception()
                        || service.is_transaction_conflict_exception() =>
                {
                    Ok(Err(Lost::default()))
                }
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }

    async fn write_joins(
        &self,
        joins: Vec<Joining>,
        units: &[Unit],
        provenance: &Provenance,
        keys: &OrganizationKeys,
    ) -> Result<Vec<(usize, Result<Outcome, Lost>)>, StoreError> {
        let transactions = pack(joins, units);
        let written: Vec<Vec<_>> = stream::iter(transactions)
            .map(|joins| self.write_transaction(joins, units, provenance, keys))
            .buffer_unordered(WRITES_IN_FLIGHT)
            .try_collect()
            .await?;
        Ok(written.into_iter().flatten().collect())
    }

    async fn write_transaction(
        &self,
        joins: Vec<Joining>,
        units: &[Unit],
        provenance: &Provenance,
        keys: &OrganizationKeys,
    ) -> Result<Vec<(usize, Result<Outcome, Lost>)>, StoreError> {
        let mut actions = Vec::new();
        // Which unit, and which of its memberships, an action belongs to.
        let mut owners: Vec<(usize, Option<GroupId>)> = Vec::new();
        let mut counters: BTreeMap<(GroupId, u8), u64> = BTreeMap::new();
        let mut results = Vec::with_capacity(joins.len());
        for joining in joins {
            let Some(unit) = units.get(joining.unit) else {
                continue;
            };
            actions.push(match joining.update {
                Some(update) => TransactWriteItem::builder().update(*update).build(),
                None => self.put_new(new_item(unit, provenance, keys)?)?,
            });
            owners.push((joining.unit, None));
            for group in joining.groups {
                let item =
                    layout::membership_item(provenance.organization, &group, unit.record.id());
                actions.push(self.put_new(item)?);
                *counters
                    .entry((group.clone(), unit.hash.bucket()))
                    .or_default() += 1;
                owners.push((joining.unit, Some(group)));
            }
            results.push((joining.unit, Ok(joining.outcome)));
        }
        for ((group, bucket), joined) in counters {
            let key = layout::counter(provenance.organization, &group, bucket);
            actions.push(self.count(&key, joined)?);
        }
        let result = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, output.consumed_capacity());
                Ok(results)
            }
            Err(error) => {
                let lost = lost_transaction(error, &owners)?;
                let all_lost = results.into_iter().map(|(unit, _)| {
                    let membership_of = lost.get(&unit).cloned().unwrap_or_default();
                    (unit, Err(Lost { membership_of }))
                });
                Ok(all_lost.collect())
            }
        }
    }

    /// A transaction's action that adds members to a counter. Only the transaction's conditions
    /// keep it from counting twice, so it never stands alone.
    fn count(&self, key: &Key, joined: u64) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("ADD #members :joined")
            .expression_attribute_names("#members", MEMBERS)
            .expression_attribute_values(":joined", number(joined))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

/// A write that somebody else's write came before.
#[derive(Debug, Default)]
struct Lost {
    /// Groups in which the record was a member although it did not exist or did not say so.
    membership_of: Vec<GroupId>,
}

/// Reads why a transaction was canceled: which memberships were there already.
/// Errors that another try would not mend are passed on.
fn lost_transaction<R>(
    error: SdkError<TransactWriteItemsError, R>,
    owners: &[(usize, Option<GroupId>)],
) -> Result<HashMap<usize, Vec<GroupId>>, StoreError> {
    let canceled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
            return Ok(HashMap::new());
        }
        _ => return Err(StoreError::call("TransactWriteItems")(error)),
    };
    let mut lost: HashMap<usize, Vec<GroupId>> = HashMap::new();
    for (index, reason) in canceled.cancellation_reasons().iter().enumerate() {
        match reason.code() {
            None
            | Some(
                "None"
                | "TransactionConflict"
                | "ThrottlingError"
                | "ProvisionedThroughputExceeded",
            ) => {}
            Some("ConditionalCheckFailed") => {
                if let Some((unit, Some(group))) = owners.get(index) {
                    lost.entry(*unit).or_default().push(group.clone());
                }
            }
            Some(code) => {
                return Err(StoreError::Call {
                    operation: "TransactWriteItems",
                    code: code.to_owned(),
                });
            }
        }
    }
    Ok(lost)
}

fn set(outcomes: &mut [Outcome], row: Option<usize>, outcome: Outcome) {
    if let Some(place) = row.and_then(|row| outcomes.get_mut(row)) {
        *place = outcome;
    }
}

/// The records to write: each row's, and one for every customer that meters' rows speak of.
fn units(records: Vec<ProtectedRecord>, provenance: &Provenance) -> Vec<Unit> {
    let mut units = Vec::with_capacity(records.len());
    let mut customers: BTreeMap<String, ProtectedRecord> = BTreeMap::new();
    for (row, mut record) in records.into_iter().enumerate() {
        if let Some(customer) = record.take_customer() {
            match customers.entry(customer.id().to_string()) {
                std::collections::btree_map::Entry::Occupied(mut known) => {
                    known.get_mut().overlay(customer);
                }
                std::collections::btree_map::Entry::Vacant(new) => drop(new.insert(customer)),
            }
        }
        units.push(unit(record, Some(row), provenance));
    }
    units.extend(
        customers
            .into_values()
            .map(|customer| unit(customer, None, provenance)),
    );
    units
}

fn unit(record: ProtectedRecord, row: Option<usize>, provenance: &Provenance) -> Unit {
    let uid = record.id().to_string();
    let mut groups = vec![GroupId::of_source(
        record.dataset(),
        record.id().customer().origin(),
    )];
    // A group has one dataset, so a meter's customer does not join the meter's.
    if let (Some(group), Some(_)) = (&provenance.group, row)
        && !groups.contains(group)
    {
        groups.push(group.clone());
    }
    Unit {
        key: layout::record(record.id()),
        hash: UidHash::of(&uid),
        uid,
        record,
        row,
        groups,
        members_already: BTreeSet::new(),
    }
}

fn new_item(
    unit: &Unit,
    provenance: &Provenance,
    keys: &OrganizationKeys,
) -> Result<Item, StoreError> {
    let content = Content::default().merged(&unit.uid, &unit.record, keys)?;
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

/// Packs units into transactions, by the order of their hashes and whole buckets at a time
/// where they fit, so that transactions under way together seldom share a counter.
fn pack(mut joins: Vec<Joining>, units: &[Unit]) -> Vec<Vec<Joining>> {
    let hash = |joining: &Joining| units.get(joining.unit).map(|unit| unit.hash);
    joins.sort_by_key(hash);
    let mut packed: Vec<Packed> = Vec::new();
    let mut joins = joins.into_iter().peekable();
    while let Some(first) = joins.next() {
        let bucket = hash(&first).map(UidHash::bucket);
        let mut of_bucket = vec![first];
        while let Some(next) = joins.next_if(|next| hash(next).map(UidHash::bucket) == bucket) {
            of_bucket.push(next);
        }
        let mut rest = Packed::default();
        for joining in of_bucket {
            if !rest.fits(&joining) {
                packed.push(std::mem::take(&mut rest));
            }
            rest.add(joining);
        }
        match packed.last_mut() {
            Some(last) if last.actions() + rest.actions() <= TRANSACTION_ACTIONS => {
                last.append(rest);
            }
            _ => packed.push(rest),
        }
    }
    packed.into_iter().map(|packed| packed.joins).collect()
}

/// A transaction in the making.
#[derive(Default)]
struct Packed {
    joins: Vec<Joining>,
    actions: usize,
    /// Groups whose counters are touched; each bucket that is appended counts its own.
    counters: BTreeSet<GroupId>,
    other_counters: usize,
}

impl Packed {
    fn actions(&self) -> usize {
        self.actions + self.counters.len() + self.other_counters
    }

    fn fits(&self, joining: &Joining) -> bool {
        let new = joining
            .groups
            .iter()
            .filter(|g| !self.counters.contains(*g))
            .count();
        self.actions() + 1 + joining.groups.len() + new <= TRANSACTION_ACTIONS
    }

    fn add(&mut self, joining: Joining) {
        self.actions += 1 + joining.groups.len();
        self.counters.extend(joining.groups.iter().cloned());
        self.joins.push(joining);
    }

    fn append(&mut self, other: Self) {
        self.other_counters += other.counters.len() + other.other_counters;
        self.actions += other.actions;
        self.joins.extend(other.joins);
    }
}
