//! The journal of erasures and releases in the bucket, which outlives the table.
//!
//! One object for each request, written before the table is touched:
//! `fences/{organization}/{id}.json`. Ids are UUIDs of version 7 (RFC 9562), so that the keys of
//! an organisation's entries are in the order of time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ErasureError;
use crate::{
    bucket::Bucket,
    identity::{CustomerUid, OrganizationId, UidHash},
    protection::UidDigest,
    store::GroupId,
};

/// The folder of the journal. Nothing in it ever expires.
pub const FENCES: &str = "fences";

/// An entry: what somebody asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) id: Uuid,
    pub(super) time: Timestamp,
    pub(super) organization_id: OrganizationId,
    pub(super) principal: String,
    #[serde(flatten)]
    pub(super) matter: Matter,
}

/// What an entry is about, without uids.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Matter {
    /// Customers are erased.
    Erased(Vec<Listed>),
    /// Erased customers may come back.
    Released(Vec<UidDigest>),
}

/// An erased customer: what it takes to set up the fence again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) uid_digest: UidDigest,
    /// The source's group, and which of its 256 counters tells of the erasure. One customer in
    /// 256 has the same.
    pub(super) group: String,
    pub(super) bucket: u8,
}

impl Listed {
    pub(super) fn new(customer: &CustomerUid, uid_digest: UidDigest, group: &GroupId) -> Self {
        Self {
            uid_digest,
            group: group.to_string(),
            bucket: UidHash::of(&customer.to_string()).bucket(),
        }
    }
}

impl Entry {
    /// A new entry, of now.
    pub(super) fn new(organization: OrganizationId, principal: &str, matter: Matter) -> Self {
        Self {
            id: Uuid::now_v7(),
            time: Timestamp::now(),
            organization_id: organization,
            principal: principal.to_owned(),
            matter,
        }
    }

    /// Keeps it for good.
    pub(super) async fn keep(&self, bucket: &Bucket) -> Result<(), ErasureError> {
        let key = format!("{FENCES}/{}/{}.json", self.organization_id, self.id);
        let json = serde_json::to_vec(self).map_err(|_| ErasureError::Entry(key.clone()))?;
        Ok(bucket.put(&key, json).await?)
    }

    /// Reads an entry.
    pub(super) async fn read(bucket: &Bucket, key: &str) -> Result<Self, ErasureError> {
        let unreadable = || ErasureError::Entry(key.to_owned());
        let json = bucket.read(key).await?.ok_or_else(unreadable)?;
        serde_json::from_slice(&json).map_err(|_| unreadable())
    }

    /// The keys of all entries, each organisation's in the order of time.
    pub(super) async fn keys(bucket: &Bucket) -> Result<Vec<String>, ErasureError> {
        let listed = bucket.list(&format!("{FENCES}/")).await?;
        Ok(listed.into_iter().map(|object| object.key).collect())
    }
}
