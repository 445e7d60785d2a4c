//! Keeps a batch from bringing back customers who were erased.
//!
//! An import of new records learns from the counters of its source's group, which one query
//! reads, whether anybody of a record's bucket was ever erased. Only then it looks for the
//! customer's fence. And since the transaction that inserts a record moves that counter anyway,
//! it does so on condition that nobody was erased since: see
//! `store/erase` for the other side.

use std::collections::{BTreeMap, HashSet};

use super::unit::Unit;
use crate::{
    identity::{CustomerUid, OrganizationId, RecordId, UidHash},
    protection::OrganizationKeys,
    store::{GroupId, Store, StoreError, group::Counter},
};

/// What a batch knows of erasures.
pub(super) struct Fences {
    /// The groups whose counters tell of them, those of meters first.
    groups: Vec<GroupId>,
    /// What those counters said before fences were looked for.
    counters: BTreeMap<GroupId, Box<[Counter; 256]>>,
    erased: HashSet<CustomerUid>,
}

impl Fences {
    /// Nothing is known yet.
    pub(super) fn unknown(units: &[Unit]) -> Self {
        let mut groups: Vec<GroupId> = Vec::new();
        let meters = units
            .iter()
            .filter(|unit| matches!(unit.record.id(), RecordId::Meter(..)));
        let of_meters = meters.map(Unit::source_group);
        for group in of_meters.chain(units.iter().map(Unit::customers_group)) {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        Self {
            groups,
            counters: BTreeMap::new(),
            erased: HashSet::new(),
        }
    }

    /// Has the counters read again, because one of them was not what it had said.
    pub(super) fn forget_counters(&mut self) {
        self.counters.clear();
    }

    /// How often a record of a group's bucket had been erased when fences were looked for.
    pub(super) fn erasures(&self, group: &GroupId, bucket: u8) -> u64 {
        let counters = self.counters.get(group);
        let counter = counters.and_then(|counters| counters.get(usize::from(bucket)));
        counter.map_or(0, |counter| counter.erasures)
    }

    /// Whether a customer was found to be erased.
    pub(super) fn is_erased(&self, customer: &CustomerUid) -> bool {
        !self.erased.is_empty() && self.erased.contains(customer)
    }
}

impl Store {
    /// Looks for the fences of new records' customers.
    pub(super) async fn look_for_fences(
        &self,
        fences: &mut Fences,
        new: Vec<&Unit>,
        keys: &OrganizationKeys,
    ) -> Result<(), StoreError> {
        let Some(organization) = new.first().map(|unit| unit.customer().organization()) else {
            return Ok(());
        };
        self.read_counters(fences, organization).await?;
        let mut wanted: Vec<&CustomerUid> = Vec::new();
        for unit in new {
            let customer = unit.customer();
            let bucket = UidHash::of(&customer.to_string()).bucket();
            if fences.erasures(&unit.customers_group(), bucket) > 0 {
                wanted.push(customer);
            }
        }
        let digests: Vec<_> = wanted.iter().map(|uid| keys.uid_digest(uid)).collect();
        let found = self.fences(organization, &digests).await?;
        let customers = wanted.into_iter().zip(digests);
        let erased = customers.filter(|(_, digest)| found.contains_key(digest));
        fences
            .erased
            .extend(erased.map(|(customer, _)| customer.clone()));
        Ok(())
    }

    /// One after the other, the meters' first: an erasure moves those after it has left its
    /// fence and moved the customers'. So if it comes after the meters' were read, no meter is
    /// inserted as if nothing had happened, and if before, the customers' tell of it.
    async fn read_counters(
        &self,
        fences: &mut Fences,
        organization: OrganizationId,
    ) -> Result<(), StoreError> {
        if !fences.counters.is_empty() {
            return Ok(());
        }
        for group in &fences.groups {
            let counters = self.counters(organization, group).await?;
            fences.counters.insert(group.clone(), counters);
        }
        Ok(())
    }
}
