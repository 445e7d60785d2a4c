//! Showing that nothing of the customers of a receipt is left in the table.

use std::{collections::HashSet, fmt};

use serde::{Deserialize, Serialize};

use super::ErasureError;
use crate::{
    Registry,
    identity::{OrganizationId, RecordId},
    protection::UidDigest,
    store::Found,
};

/// Whom a receipt is about. An entry of the journal does as well.
#[derive(Debug, Clone, Deserialize)]
pub struct Proof {
    organization_id: OrganizationId,
    erased: Vec<Digested>,
}

#[derive(Debug, Clone, Deserialize)]
struct Digested {
    uid_digest: UidDigest,
}

/// A text that is no receipt.
#[derive(Debug, thiserror::Error)]
#[error("it is not a receipt: {0}")]
pub struct ProofError(#[from] serde_json::Error);

impl Proof {
    /// Reads a receipt, or a whole reply that holds one.
    pub fn parse(json: &[u8]) -> Result<Self, ProofError> {
        let mut value: serde_json::Value = serde_json::from_slice(json)?;
        if let Some(receipt) = value.get_mut("receipt") {
            value = receipt.take();
        }
        Ok(serde_json::from_value(value)?)
    }
}

/// What was found of a receipt's customers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Proven {
    /// Customers that the receipt is about.
    pub customers: u64,
    /// How many of them have a fence.
    pub fences: u64,
    /// Records that were looked at, everybody's.
    pub records: u64,
    /// Memberships that were looked at, everybody's.
    pub memberships: u64,
    /// What is left, each with the digest of its customer's uid.
    pub left: Vec<String>,
}

impl Proven {
    /// Whether nothing is left.
    pub fn is_clean(&self) -> bool {
        self.left.is_empty()
    }
}

/// Reads the whole table and compares the digest of each uid with the receipt's.
pub async fn prove(registry: &Registry, proof: &Proof) -> Result<Proven, ErasureError> {
    let organization = proof.organization_id;
    let keys = registry.keys.existing(organization).await?;
    let erased: HashSet<UidDigest> = proof.erased.iter().map(|e| e.uid_digest).collect();
    let digests: Vec<UidDigest> = erased.iter().copied().collect();
    let mut proven = Proven {
        customers: erased.len() as u64,
        fences: registry.store.fences(organization, &digests).await?.len() as u64,
        ..Proven::default()
    };
    let visit = |found: Found| {
        let (id, what) = match &found {
            Found::Record(id @ RecordId::Customer(_)) => (id, "the record".to_owned()),
            Found::Record(id @ RecordId::Meter(..)) => (id, "a meter".to_owned()),
            Found::Membership(group, id) => (id, format!("a membership in {group}")),
        };
        match found {
            Found::Record(_) => proven.records += 1,
            Found::Membership(..) => proven.memberships += 1,
        }
        if id.customer().organization() != organization {
            return;
        }
        let digest = keys.uid_digest(id.customer());
        if erased.contains(&digest) {
            proven.left.push(format!("{what} of {digest}"));
        }
    };
    registry.store.visit(visit).await?;
    Ok(proven)
}

impl fmt::Display for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            customers,
            fences,
            records,
            memberships,
            left,
        } = self;
        for left in left {
            writeln!(f, "left: {left}")?;
        }
        writeln!(
            f,
            "{records} records and {memberships} memberships compared with {customers} erased customers; {fences} of them have a fence"
        )?;
        match left.len() {
            0 => write!(f, "nothing of them is left"),
            found => write!(f, "{found} things of theirs are left"),
        }
    }
}
