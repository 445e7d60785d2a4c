//! What an erasure leaves for the one who asked for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{identity::OrganizationId, protection::UidDigest, store::RemovedCustomer};

/// What a receipt says of backups.
pub const BACKUPS: &str = "Backups of the table hold what was erased until they expire, at the latest 35 days after \
     this time. A table that is restored from one is cleaned again before it is used.";

/// A receipt: who had what erased, and when. It holds no uid.
#[derive(Debug, Clone, Serialize)]
pub struct Receipt {
    /// Its id; later ones have higher ids.
    pub id: Uuid,
    /// When the erasure was asked for.
    pub time: Timestamp,
    /// Who asked for it: the subject of the token.
    pub principal: String,
    /// Whose customers they were.
    pub organization_id: OrganizationId,
    /// The group in which they were named.
    pub group: String,
    /// What was removed, in the order in which the customers were named.
    pub erased: Vec<Subject>,
    /// What backups still hold.
    pub backups: &'static str,
}

/// A customer who was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The keyed digest of the uid.
    pub uid_digest: UidDigest,
    /// How many records of meters were removed.
    pub meters: u64,
    /// How many memberships in groups were removed, the meters' among them.
    pub memberships: u64,
}

impl Subject {
    pub(super) fn of(uid_digest: UidDigest, removed: &RemovedCustomer) -> Self {
        Self {
            uid_digest,
            meters: removed.meters,
            memberships: removed.memberships,
        }
    }
}
