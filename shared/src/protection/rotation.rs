//! Versions of an organisation's encryption key.
//!
//! A rotation makes a new version for what is written from now on. For a while others still write
//! under the version before: those who have its keys cached ([`CACHE_FOR`]), and invocations that
//! began with them (Lambda's 15 minutes).

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{KeyError, KeyPurpose, KeyRing, KeyState, Secret, WrappedKey, keyring::CACHE_FOR};
use crate::{
    identity::OrganizationId,
    store::{REPLIES_KEPT_FOR, jobs::LEASE},
};

/// The most versions in use. Each is unwrapped, by a call to KMS, whenever keys are read.
const MAX_IN_USE: usize = 16;
/// How far clocks may differ.
const LEEWAY: SignedDuration = SignedDuration::from_mins(1);

/// A version of an organisation's encryption key.
pub struct KeyVersion {
    /// Its number, from 1.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: KeyState,
    /// The key; none of a retired version.
    pub key: Option<Secret>,
}

/// What became of a rotation.
pub enum Rotation {
    /// This is the new version.
    Made(KeyVersion),
    /// Another rotation, at the same time, has made this version.
    Overtaken(u32),
    /// Too many versions are in use.
    TooMany(usize),
}

impl KeyRing {
    /// The versions of an organisation's encryption key, the newest first; none before the first
    /// record.
    pub async fn versions(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<KeyVersion>, KeyError> {
        let mut versions = Vec::new();
        for stored in self.encryption_keys(organization).await? {
            let state = match (stored.retired_at, versions.is_empty()) {
                (Some(_), _) => KeyState::Retired,
                (None, true) => KeyState::Active,
                (None, false) => KeyState::Decrypting,
            };
            let key = match state {
                KeyState::Retired => None,
                _ => Some(self.unwrapped(organization, &stored).await?),
            };
            versions.push(KeyVersion {
                version: stored.version,
                created_at: stored.created_at,
                state,
                key,
            });
        }
        Ok(versions)
    }

    /// Makes a new version of an organisation's encryption key, or its first.
    pub async fn rotate(
        &self,
        organization: OrganizationId,
        rotation: Uuid,
    ) -> Result<Rotation, KeyError> {
        let mut stored = self.encryption_keys(organization).await?;
        // A request that died before its reply was kept, and comes again.
        if let Some(made) = stored.iter().find(|key| key.made_by == Some(rotation)) {
            return Ok(Rotation::Made(active(made)));
        }
        if stored.is_empty() {
            self.for_writing(organization).await?;
            stored = self.encryption_keys(organization).await?;
            let first = stored.first().ok_or(KeyError::None)?;
            return Ok(Rotation::Made(active(first)));
        }
        let in_use = stored.iter().filter(|key| key.retired_at.is_none()).count();
        if in_use >= MAX_IN_USE {
            return Ok(Rotation::TooMany(in_use));
        }
        let newest = stored.first().map_or(0, |key| key.version);
        let version = newest.checked_add(1).ok_or(KeyError::None)?;
        let secret = Secret::generate().map_err(|_| KeyError::Random)?;
        let key = WrappedKey {
            made_by: Some(rotation),
            ..self
                .wrapped(organization, KeyPurpose::Encryption, version, &secret)
                .await?
        };
        let created = self.store.create_wrapped_key(organization, &key).await?;
        // A write whose reply was lost is refused when it is tried again, and found done.
        if !created && !self.is_stored(organization, &key).await? {
            return Ok(Rotation::Overtaken(version));
        }
        self.forget(organization).await;
        Ok(Rotation::Made(active(&key)))
    }

    /// Retires the versions before one, if all was under it or a later one when a check ended
    /// that had begun at a time. Returns from when on such a check will do, if this one did not.
    pub async fn retire_before(
        &self,
        organization: OrganizationId,
        version: u32,
        check_began: Timestamp,
    ) -> Result<Option<Timestamp>, KeyError> {
        let stored = self.encryption_keys(organization).await?;
        let mut not_before = None;
        for (successor, key) in stored.iter().zip(stored.iter().skip(1)) {
            if key.version >= version || key.retired_at.is_some() {
                continue;
            }
            let safe_from = needed_until(successor.created_at);
            if check_began < safe_from {
                not_before = not_before.max(Some(safe_from));
                continue;
            }
            self.store
                .retire_key(organization, key.version, Timestamp::now())
                .await?;
        }
        Ok(not_before)
    }

    /// The stored versions, the newest first.
    async fn encryption_keys(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<WrappedKey>, KeyError> {
        let mut stored = self.store.wrapped_keys(organization).await?;
        stored.retain(|key| key.purpose == KeyPurpose::Encryption);
        stored.sort_by_key(|key| std::cmp::Reverse(key.version));
        Ok(stored)
    }

    async fn is_stored(
        &self,
        organization: OrganizationId,
        key: &WrappedKey,
    ) -> Result<bool, KeyError> {
        let stored = self.encryption_keys(organization).await?;
        Ok(stored
            .iter()
            .any(|stored| stored.version == key.version && stored.wrapped == key.wrapped))
    }
}

/// From when on nobody writes under the version before one that was made at a time, and what was
/// written under it for a while alone, replies for repeated requests, is gone.
fn needed_until(successor_made: Timestamp) -> Timestamp {
    let cached = SignedDuration::try_from(CACHE_FOR).unwrap_or(SignedDuration::MAX);
    successor_made + cached + LEASE + REPLIES_KEPT_FOR + LEEWAY
}

fn active(key: &WrappedKey) -> KeyVersion {
    KeyVersion {
        version: key.version,
        created_at: key.created_at,
        state: KeyState::Active,
        key: None,
    }
}
