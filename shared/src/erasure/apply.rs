//! Cleaning a table that was restored from a backup.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{
    ErasureError,
    erase::remove,
    journal::{Entry, Matter},
};
use crate::{
    Registry,
    identity::{CustomerUid, OrganizationId},
    protection::{KeyError, UidDigest},
    store::{Erasure, Fence, Found, GroupId},
};

/// Fences looked for at once.
const FENCES_AT_ONCE: usize = 1_000;
/// Entries of the journal read at once.
const ENTRIES_AT_ONCE: usize = 32;

/// What had to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Applied {
    /// Entries of the journal that were read.
    pub entries: u64,
    /// Fences that were missing and stand again.
    pub fences_set_up: u64,
    /// Fences of customers who had been released.
    pub fences_removed: u64,
    /// Customers who were back, or of whom something was, and were erased again.
    pub customers_erased: u64,
    /// Their meters.
    pub meters_removed: u64,
    /// Their memberships.
    pub memberships_removed: u64,
    /// Organisations that have no keys in the table, so that nobody can be told by a digest.
    pub organizations_without_keys: u64,
}

/// The last word of the journal on a customer.
enum Word {
    Erased {
        receipt: Uuid,
        at: Timestamp,
        group: String,
        bucket: u8,
    },
    Released,
}

type Words = HashMap<UidDigest, Word>;

/// Goes through the journal in the bucket and brings the table to what it says: sets up missing
/// fences, takes those of released customers away, and erases again whom a backup brought back.
/// It may be repeated, and cut off.
pub async fn apply_fences(registry: &Registry) -> Result<Applied, ErasureError> {
    let mut applied = Applied::default();
    let mut words: BTreeMap<OrganizationId, Words> = BTreeMap::new();
    let keys = Entry::keys(&registry.bucket).await?;
    // Many at once, and yet in their order: the last word counts.
    let mut entries = stream::iter(&keys)
        .map(|key| Entry::read(&registry.bucket, key))
        .buffered(ENTRIES_AT_ONCE);
    while let Some(entry) = entries.try_next().await? {
        applied.entries += 1;
        hear(words.entry(entry.organization_id).or_default(), entry);
    }
    for (organization, words) in &words {
        set_up(registry, *organization, words, &mut applied).await?;
    }
    let returned = returned(registry, &words, &mut applied).await?;
    for (organization, customers) in returned {
        let removed = remove(&registry.store, organization, &customers).await?;
        for removed in removed.iter().filter(|removed| !removed.is_nothing()) {
            applied.customers_erased += 1;
            applied.meters_removed += removed.meters;
            applied.memberships_removed += removed.memberships;
        }
    }
    Ok(applied)
}

fn hear(words: &mut Words, entry: Entry) {
    match entry.matter {
        Matter::Erased(customers) => words.extend(customers.into_iter().map(|customer| {
            let word = Word::Erased {
                receipt: entry.id,
                at: entry.time,
                group: customer.group,
                bucket: customer.bucket,
            };
            (customer.uid_digest, word)
        })),
        Matter::Released(digests) => {
            words.extend(digests.into_iter().map(|digest| (digest, Word::Released)));
        }
    }
}

/// Sets up an organisation's missing fences, and takes away those that were released.
async fn set_up(
    registry: &Registry,
    organization: OrganizationId,
    words: &Words,
    applied: &mut Applied,
) -> Result<(), ErasureError> {
    let store = &registry.store;
    let all: Vec<UidDigest> = words.keys().copied().collect();
    for digests in all.chunks(FENCES_AT_ONCE) {
        let standing = store.fences(organization, digests).await?;
        for digest in digests {
            match words.get(digest) {
                Some(Word::Erased {
                    receipt,
                    at,
                    group,
                    bucket,
                }) if !standing.contains_key(digest) => {
                    let fence = Fence {
                        digest: *digest,
                        receipt: *receipt,
                        at: *at,
                        groups: BTreeSet::from([group.clone()]),
                    };
                    let entry = || ErasureError::Entry(receipt.to_string());
                    let group: GroupId = group.parse().map_err(|_| entry())?;
                    store
                        .set_up_fence(organization, &fence, &group, *bucket)
                        .await?;
                    applied.fences_set_up += 1;
                }
                Some(Word::Released) if standing.contains_key(digest) => {
                    store.release_fence(organization, *digest).await?;
                    applied.fences_removed += 1;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Those in the table whom the journal says to be erased.
async fn returned(
    registry: &Registry,
    words: &BTreeMap<OrganizationId, Words>,
    applied: &mut Applied,
) -> Result<BTreeMap<OrganizationId, Vec<(CustomerUid, Erasure)>>, ErasureError> {
    let mut keys = BTreeMap::new();
    for organization in words.keys() {
        match registry.keys.existing(*organization).await {
            Ok(found) => drop(keys.insert(*organization, found)),
            Err(KeyError::None) => applied.organizations_without_keys += 1,
            Err(error) => return Err(error.into()),
        }
    }
    let mut returned: BTreeMap<OrganizationId, HashMap<CustomerUid, Erasure>> = BTreeMap::new();
    let visit = |found: Found| {
        let Found::Record(id) = found else {
            return;
        };
        let customer = id.customer();
        let organization = customer.organization();
        let (Some(words), Some(keys)) = (words.get(&organization), keys.get(&organization)) else {
            return;
        };
        let digest = keys.uid_digest(customer);
        if let Some(Word::Erased { receipt, at, .. }) = words.get(&digest) {
            let erasure = Erasure {
                digest,
                group: None,
                receipt: *receipt,
                at: *at,
            };
            let of_organization = returned.entry(organization).or_default();
            of_organization.insert(customer.clone(), erasure);
        }
    };
    registry.store.visit(visit).await?;
    let customers = |(organization, customers): (_, HashMap<_, _>)| {
        (organization, customers.into_iter().collect())
    };
    Ok(returned.into_iter().map(customers).collect())
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            entries,
            fences_set_up,
            fences_removed,
            customers_erased,
            meters_removed,
            memberships_removed,
            organizations_without_keys,
        } = self;
        write!(
            f,
            "{entries} entries of the journal: {fences_set_up} fences set up, {fences_removed} removed; \
             {customers_erased} customers erased again, with {meters_removed} meters and {memberships_removed} memberships"
        )?;
        match organizations_without_keys {
            0 => Ok(()),
            none => write!(
                f,
                "\n{none} organizations have no keys in this table: nobody of theirs was looked for"
            ),
        }
    }
}
