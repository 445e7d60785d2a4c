//! Records that join groups: written in one transaction with their memberships and the groups'
//! counters.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{ConditionCheck, ReturnConsumedCapacity, TransactWriteItem, Update},
};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    Lost, Outcome, Provenance, WRITES_IN_FLIGHT,
    fences::Fences,
    unit::{Unit, new_item},
};
use crate::{
    identity::UidHash,
    protection::OrganizationKeys,
    store::{
        Group, GroupId, Store, StoreError,
        capacity::Units,
        item::number,
        layout::{self, CLOSED, ERASURES, EXPIRES_AT, Key, MEMBERS},
    },
};

/// DynamoDB's limit for one transaction.
const TRANSACTION_ACTIONS: usize = 100;

/// New records of one dataset that are always written by one transaction: all of them or none.
/// Each takes at most three actions, for itself, its membership and a counter.
pub const INSERTED_WHOLE: usize = TRANSACTION_ACTIONS / 3;

/// A unit's part in a transaction.
pub(super) struct Joining {
    pub(super) unit: usize,
    /// How an existing record changes; a new one is put.
    pub(super) update: Option<Box<Update>>,
    pub(super) groups: Vec<GroupId>,
    pub(super) outcome: Outcome,
    /// For a new record its source's group, whose counter says whether anybody was erased since
    /// fences were looked for.
    guard: Option<GroupId>,
}

impl Joining {
    pub(super) fn new(
        index: usize,
        unit: &Unit,
        update: Option<Box<Update>>,
        groups: Vec<GroupId>,
        outcome: Outcome,
    ) -> Self {
        Self {
            unit: index,
            guard: update.is_none().then(|| unit.source_group()),
            update,
            groups,
            outcome,
        }
    }

    /// The groups whose counters it moves or checks.
    fn counters(&self) -> impl Iterator<Item = &GroupId> {
        let guard = self.guard.iter();
        let only_checked = guard.filter(|group| !self.groups.contains(*group));
        self.groups.iter().chain(only_checked)
    }
}

/// What a transaction does to a counter.
#[derive(Default)]
struct Counting {
    joined: u64,
    /// What it must say of erasures for the transaction to hold.
    erasures: Option<u64>,
}

impl Store {
    pub(super) async fn write_joins(
        &self,
        joins: Vec<Joining>,
        units: &[Unit],
        fences: &Fences,
        provenance: &Provenance,
        keys: &OrganizationKeys,
    ) -> Result<Vec<(usize, Result<Outcome, Lost>)>, StoreError> {
        let transactions = pack(joins, units);
        let written: Vec<Vec<_>> = stream::iter(transactions)
            .map(|joins| self.write_transaction(joins, units, fences, provenance, keys))
            .buffer_unordered(WRITES_IN_FLIGHT)
            .try_collect()
            .await?;
        Ok(written.into_iter().flatten().collect())
    }

    async fn write_transaction(
        &self,
        joins: Vec<Joining>,
        units: &[Unit],
        fences: &Fences,
        provenance: &Provenance,
        keys: &OrganizationKeys,
    ) -> Result<Vec<(usize, Result<Outcome, Lost>)>, StoreError> {
        let mut actions = Vec::new();
        let mut owners: Vec<Owner> = Vec::new();
        let mut counters: BTreeMap<(GroupId, u8), Counting> = BTreeMap::new();
        let mut results = Vec::with_capacity(joins.len());
        for joining in joins {
            let Some(unit) = units.get(joining.unit) else {
                continue;
            };
            actions.push(match joining.update {
                Some(update) => TransactWriteItem::builder().update(*update).build(),
                None => self.put_new(new_item(unit, provenance, keys)?)?,
            });
            owners.push(Owner::Record(joining.unit));
            let bucket = unit.hash.bucket();
            if let Some(group) = joining.guard {
                let erasures = fences.erasures(&group, bucket);
                counters.entry((group, bucket)).or_default().erasures = Some(erasures);
            }
            for group in joining.groups {
                let item =
                    layout::membership_item(provenance.organization, &group, unit.record.id());
                actions.push(self.put_new(item)?);
                counters.entry((group.clone(), bucket)).or_default().joined += 1;
                owners.push(Owner::Membership(joining.unit, group));
            }
            results.push((joining.unit, Ok(joining.outcome)));
        }
        for ((group, bucket), counting) in counters {
            let key = layout::counter(provenance.organization, &group, bucket);
            let uploaded_to = provenance.group.as_ref();
            let deletable = uploaded_to.filter(|to| to.id == group && !group.is_of_source());
            owners.push(match deletable {
                Some(_) => Owner::DeletableCounter,
                None => Owner::Counter,
            });
            actions.push(match deletable {
                Some(group) => self.count_in_deletable(&key, counting.joined, group)?,
                None => self.count(&key, &counting)?,
            });
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
                let (mut memberships, group_is_deleted) = lost_transaction(error, &owners)?;
                let all_lost = results.into_iter().map(|(unit, _)| {
                    let lost = Lost {
                        membership_of: memberships.remove(&unit).unwrap_or_default(),
                        group_is_deleted,
                    };
                    (unit, Err(lost))
                });
                Ok(all_lost.collect())
            }
        }
    }

    /// A transaction's action that adds members to a counter. Only the transaction's conditions
    /// keep it from counting twice, so it never stands alone.
    fn count(&self, key: &Key, counting: &Counting) -> Result<TransactWriteItem, StoreError> {
        if counting.joined == 0 {
            return self.check_erasures(key, counting.erasures.unwrap_or(0));
        }
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("ADD #members :joined")
            .expression_attribute_names("#members", MEMBERS)
            .expression_attribute_values(":joined", number(counting.joined));
        if let Some(erasures) = counting.erasures {
            update = update
                .condition_expression(erasures_are(erasures))
                .expression_attribute_names("#erasures", ERASURES);
        }
        // A value that no expression names is refused.
        if let Some(erasures @ 1..) = counting.erasures {
            update = update.expression_attribute_values(":erasures", number(erasures));
        }
        let update = update
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The same for a group that can be deleted: the counter is one of this very group, or its
    /// deletion has closed it. Nobody's erasure is told by these.
    fn count_in_deletable(
        &self,
        key: &Key,
        joined: u64,
        group: &Group,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            // What a deleted group of the same id has left would expire.
            .update_expression("ADD #members :joined REMOVE #expires")
            .condition_expression("attribute_not_exists(#closed) OR #closed < :number")
            .expression_attribute_names("#members", MEMBERS)
            .expression_attribute_names("#expires", EXPIRES_AT)
            .expression_attribute_names("#closed", CLOSED)
            .expression_attribute_values(":joined", number(joined))
            .expression_attribute_values(":number", number(group.number))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A transaction's action that leaves a counter alone.
    fn check_erasures(&self, key: &Key, erasures: u64) -> Result<TransactWriteItem, StoreError> {
        let mut check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .condition_expression(erasures_are(erasures))
            .expression_attribute_names("#erasures", ERASURES);
        if erasures > 0 {
            check = check.expression_attribute_values(":erasures", number(erasures));
        }
        let check = check
            .build()
            .map_err(|_| StoreError::corrupt("request", "condition"))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// The condition that nobody was erased since.
fn erasures_are(erasures: u64) -> &'static str {
    match erasures {
        0 => "attribute_not_exists(#erasures)",
        _ => "#erasures = :erasures",
    }
}

/// What an action of a transaction is about.
enum Owner {
    /// A unit's record.
    Record(usize),
    /// A unit's membership of a group.
    Membership(usize, GroupId),
    /// A counter of a source's group.
    Counter,
    /// A counter of a group that can be deleted.
    DeletableCounter,
}

/// Reads why a transaction was canceled: which memberships were there already, and whether the
/// group has been deleted. Errors that another try would not mend are passed on.
fn lost_transaction<R>(
    error: SdkError<TransactWriteItemsError, R>,
    owners: &[Owner],
) -> Result<(HashMap<usize, Vec<GroupId>>, bool), StoreError> {
    let canceled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => canceled,
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
            return Ok((HashMap::new(), false));
        }
        _ => return Err(StoreError::call("TransactWriteItems")(error)),
    };
    let mut lost: HashMap<usize, Vec<GroupId>> = HashMap::new();
    let mut records_lost = BTreeSet::new();
    let mut group_is_deleted = false;
    for (index, reason) in canceled.cancellation_reasons().iter().enumerate() {
        match reason.code() {
            None
            | Some(
                "None"
                | "TransactionConflict"
                | "ThrottlingError"
                | "ProvisionedThroughputExceeded",
            ) => {}
            Some("ConditionalCheckFailed") => match owners.get(index) {
                Some(Owner::Membership(unit, group)) => {
                    lost.entry(*unit).or_default().push(group.clone());
                }
                Some(Owner::Record(unit)) => drop(records_lost.insert(*unit)),
                Some(Owner::DeletableCounter) => group_is_deleted = true,
                Some(Owner::Counter) | None => {}
            },
            Some(code) => {
                return Err(StoreError::Call {
                    operation: "TransactWriteItems",
                    code: code.to_owned(),
                });
            }
        }
    }
    // Where the record itself was written by somebody else, so were its memberships.
    lost.retain(|unit, _| !records_lost.contains(unit));
    Ok((lost, group_is_deleted))
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
            .counters()
            .filter(|g| !self.counters.contains(*g))
            .count();
        self.actions() + 1 + joining.groups.len() + new <= TRANSACTION_ACTIONS
    }

    fn add(&mut self, joining: Joining) {
        self.actions += 1 + joining.groups.len();
        self.counters.extend(joining.counters().cloned());
        self.joins.push(joining);
    }

    fn append(&mut self, other: Self) {
        self.other_counters += other.counters.len() + other.other_counters;
        self.actions += other.actions;
        self.joins.extend(other.joins);
    }
}
