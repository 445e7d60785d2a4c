//! One organisation's keys, unwrapped.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    CipherError, Secret,
    cipher::{Place, Sealed, open, seal, version_of},
    pseudonym::PseudonymMode,
};
use crate::identity::UidPart;

/// What a key is for. Each has versions of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyPurpose {
    /// Encrypting values.
    Encryption,
    /// Keyed pseudonyms.
    Pepper,
    /// Comparing encrypted values and signing cursors. It outlives the other keys: with a new
    /// one, every record would count as changed.
    Digest,
}

impl KeyPurpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Encryption, Self::Pepper, Self::Digest];

    /// The purpose's name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encryption => "encryption",
            Self::Pepper => "pepper",
            Self::Digest => "digest",
        }
    }
}

/// A key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Its version, from 1.
    pub version: u32,
    /// The key, encrypted by KMS or the local key file.
    pub wrapped: Vec<u8>,
    /// A value derived from the key, by which a wrong unwrapping is noticed before use.
    pub check: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was found to be needed no more.
    pub retired_at: Option<Timestamp>,
    /// The rotation that made it, so that a repeated one makes no other.
    pub made_by: Option<Uuid>,
}

/// Where a version of the encryption key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// The newest: values are encrypted with it.
    Active,
    /// Older: values may still be under it.
    Decrypting,
    /// Nothing is under it any more. It stays in the table, wrapped, and is not used.
    Retired,
}

/// The check value of a key (key commitment).
pub(super) fn check_value(purpose: KeyPurpose, version: u32, secret: &Secret) -> [u8; 32] {
    let label = b"clientele key check v1";
    secret.mac(&[
        label,
        &[0],
        purpose.as_str().as_bytes(),
        &version.to_be_bytes(),
    ])
}

/// An organisation's keys in memory. There is no way to show them.
pub struct OrganizationKeys {
    encryption: BTreeMap<u32, Secret>,
    pepper: (u32, Secret),
    digest: Secret,
}

impl OrganizationKeys {
    /// The keys of an organisation, if every purpose has one.
    pub(super) fn new(keys: Vec<(KeyPurpose, u32, Secret)>) -> Option<Self> {
        let mut encryption = BTreeMap::new();
        let mut pepper: Option<(u32, Secret)> = None;
        let mut digest: Option<(u32, Secret)> = None;
        for (purpose, version, secret) in keys {
            match purpose {
                KeyPurpose::Encryption => drop(encryption.insert(version, secret)),
                KeyPurpose::Pepper if pepper.as_ref().is_none_or(|(v, _)| *v < version) => {
                    pepper = Some((version, secret));
                }
                KeyPurpose::Digest if digest.as_ref().is_none_or(|(v, _)| *v > version) => {
                    digest = Some((version, secret));
                }
                KeyPurpose::Pepper | KeyPurpose::Digest => {}
            }
        }
        let complete = !encryption.is_empty();
        complete.then_some(Self {
            encryption,
            pepper: pepper?,
            digest: digest?.1,
        })
    }

    /// Keys that everybody may know, for examples in the documentation. Nothing is stored under them.
    pub(crate) fn of_examples() -> Option<std::sync::Arc<Self>> {
        const KEY: [u8; 32] = *b"clientele documentation example!";
        const PEPPER: [u8; 32] = *b"clientele documentation pepper!!";
        const DIGEST: [u8; 32] = *b"clientele documentation digest!!";
        let keys = Self::new(vec![
            (KeyPurpose::Encryption, 1, Secret::from_bytes(KEY)),
            (KeyPurpose::Pepper, 1, Secret::from_bytes(PEPPER)),
            (KeyPurpose::Digest, 1, Secret::from_bytes(DIGEST)),
        ]);
        keys.map(std::sync::Arc::new)
    }

    /// Keys that are the same in every test.
    #[cfg(test)]
    #[allow(clippy::unwrap_used, reason = "every purpose has a key")]
    pub(crate) fn of_tests() -> std::sync::Arc<Self> {
        let key = |purpose: KeyPurpose| (purpose, 1, Secret::from_bytes([purpose as u8 + 1; 32]));
        std::sync::Arc::new(Self::new(KeyPurpose::ALL.map(key).to_vec()).unwrap())
    }

    /// Keyed pseudonyms with this organisation's pepper.
    pub fn keyed_pseudonyms(&self) -> PseudonymMode {
        PseudonymMode::HmacSha256 {
            version: self.pepper.0,
            pepper: self.pepper.1.clone(),
        }
    }

    /// A keyed digest of bytes, for comparing within the organisation. The label keeps uses apart.
    pub fn digest(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all: Vec<&[u8]> = vec![label.as_bytes(), &[0]];
        all.extend(parts);
        self.digest.mac(&all)
    }

    /// The external id of a customer whose identifier is personal: a keyed digest of it in hex, so
    /// that no uid, key or message holds the identifier itself.
    pub fn external_id(&self, identifier: &UidPart) -> UidPart {
        let digest = self.digest(
            "clientele external id v1",
            &[identifier.as_str().as_bytes()],
        );
        UidPart::of_digest(&digest)
    }

    /// The version that values are encrypted with.
    pub fn newest_version(&self) -> u32 {
        let newest = self.encryption.last_key_value();
        newest.map_or(0, |(version, _)| *version)
    }

    /// Whether an encrypted value is under an older version of the key.
    pub fn is_outdated(&self, sealed: &[u8]) -> Result<bool, CipherError> {
        Ok(version_of(sealed)? < self.newest_version())
    }

    /// Encrypts a stored value of a record's field, or an object of the bucket, again under the
    /// newest version of the key.
    pub fn reseal(&self, uid: &str, field: &str, sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        let plaintext = self.open(uid, field, sealed)?;
        self.seal_object(uid, field, &plaintext)
    }

    /// Encrypts a value of a record's field. `same_as` is what its digest is taken of.
    pub(super) fn seal(
        &self,
        place: Place<'_>,
        plaintext: &[u8],
        same_as: &[u8],
    ) -> Result<Sealed, CipherError> {
        let (version, key) = self
            .encryption
            .last_key_value()
            .ok_or(CipherError::KeyVersion(0))?;
        Ok(Sealed {
            bytes: seal(key, *version, place, plaintext)?,
            digest: self.value_digest(place, same_as),
        })
    }

    /// Encrypts an object of the bucket for its folder and name, with a key of the folder's own.
    /// A folder begins with a letter, so that none is a record's uid.
    pub fn seal_object(
        &self,
        folder: &str,
        name: &str,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        let (version, key) = self
            .encryption
            .last_key_value()
            .ok_or(CipherError::KeyVersion(0))?;
        let place = Place {
            uid: folder,
            field: name,
        };
        seal(key, *version, place, plaintext)
    }

    /// Decrypts what [`seal_object`](Self::seal_object) encrypted.
    pub fn open_object(
        &self,
        folder: &str,
        name: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        self.open(folder, name, sealed)
    }

    fn value_digest(&self, place: Place<'_>, plaintext: &[u8]) -> [u8; 16] {
        let digest = self.digest(
            "clientele value digest v1",
            &[
                place.uid.as_bytes(),
                &[0],
                place.field.as_bytes(),
                &[0],
                plaintext,
            ],
        );
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// Decrypts a stored value of a record's field.
    pub fn open(
        &self,
        uid: &str,
        field: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        open(
            |version| self.encryption.get(&version),
            Place { uid, field },
            sealed,
        )
    }
}
