//! Encryption of single values, format 1.
//!
//! ```text
//! format byte 1 | key version u32 BE | nonce 12 | ciphertext | tag 16
//! ```
//!
//! AES-256-GCM (NIST SP 800-38D) with a fresh random nonce per value. Each record has a key
//! of its own, HMAC-SHA256(organisation key, `clientele record key v1` 00 uid), so random
//! nonces stay safe at any number of records. The associated data is `uid 00 field`: moved
//! to another field, record or organisation, a value does not decrypt.
//!
//! These bytes never change under format 1; anything else is a new format byte.

use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    Secret,
    aead::{self, NONCE_BYTES},
};

const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 1 + 4 + NONCE_BYTES;
const RECORD_KEY_LABEL: &[u8] = b"clientele record key v1";

/// An encrypted value, and a keyed digest by which it can be compared without decrypting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: [u8; 16],
}

/// Why a value could not be encrypted or decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CipherError {
    /// Not of format 1.
    #[error("an encrypted value has an unknown format")]
    Format,
    /// Encrypted with a key that is not at hand.
    #[error("an encrypted value needs version {0} of its organization's key, which is missing")]
    KeyVersion(u32),
    /// Damaged, or moved from another field, record or organisation.
    #[error("an encrypted value does not belong where it was found, or is damaged")]
    Authentication,
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random numbers")]
    Random,
}

/// Where a value belongs.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) uid: &'a str,
    pub(super) field: &'a str,
}

impl Place<'_> {
    fn associated_data(self) -> Vec<u8> {
        [self.uid.as_bytes(), &[0], self.field.as_bytes()].concat()
    }

    fn record_key(self, organization_key: &Secret) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(organization_key.mac(&[RECORD_KEY_LABEL, &[0], self.uid.as_bytes()]))
    }
}

/// Encrypts a value for its place.
pub(super) fn seal(
    key: &Secret,
    version: u32,
    place: Place<'_>,
    plaintext: &[u8],
) -> Result<Vec<u8>, CipherError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|_| CipherError::Random)?;
    let (key, associated_data) = (place.record_key(key), place.associated_data());
    let ciphertext = aead::encrypt(&key, nonce, &associated_data, plaintext)
        .ok_or(CipherError::Authentication)?;
    let version = version.to_be_bytes();
    Ok([&[FORMAT], version.as_slice(), &nonce, &ciphertext].concat())
}

/// The version of the key that a value is encrypted with.
pub(super) fn version_of(sealed: &[u8]) -> Result<u32, CipherError> {
    match sealed.first_chunk() {
        Some([FORMAT, a, b, c, d]) => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => Err(CipherError::Format),
    }
}

/// Decrypts a value at its place, with the key that `key_of` finds for its version.
pub(super) fn open<'k>(
    key_of: impl Fn(u32) -> Option<&'k Secret>,
    place: Place<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CipherError> {
    let (head, ciphertext) = sealed
        .split_first_chunk::<HEAD_BYTES>()
        .ok_or(CipherError::Format)?;
    let [FORMAT, _, _, _, _, nonce @ ..] = head else {
        return Err(CipherError::Format);
    };
    let version = version_of(sealed)?;
    let key = key_of(version).ok_or(CipherError::KeyVersion(version))?;
    let (key, associated_data) = (place.record_key(key), place.associated_data());
    aead::decrypt(&key, *nonce, &associated_data, ciphertext).ok_or(CipherError::Authentication)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'static> = Place {
        uid: "1-generic-6574",
        field: "custom",
    };

    fn key(byte: u8) -> Secret {
        Secret::from_bytes([byte; 32])
    }

    fn open_with(secret: &Secret, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        open(|version| (version == 5).then_some(secret), place, sealed).map(|clear| clear.to_vec())
    }

    #[test]
    fn a_value_opens_only_where_it_was_sealed() {
        let secret = key(1);
        let sealed = seal(&secret, 5, HERE, b"value").unwrap();
        assert_eq!(sealed.len(), HEAD_BYTES + 5 + 16);
        assert_eq!(open_with(&secret, HERE, &sealed).unwrap(), b"value");
        for place in [
            Place {
                field: "name",
                ..HERE
            },
            Place {
                uid: "1-generic-6575",
                ..HERE
            },
        ] {
            assert_eq!(
                open_with(&secret, place, &sealed),
                Err(CipherError::Authentication)
            );
        }
        assert_eq!(
            open_with(&key(2), HERE, &sealed),
            Err(CipherError::Authentication)
        );
    }

    #[test]
    fn the_value_in_the_documentation_opens() {
        let secret = Secret::from_bytes(std::array::from_fn(|n| n as u8));
        let place = Place {
            uid: "1-workspace-6574",
            field: "phone",
        };
        let value = b"AQAAAAFkZWZnaGlqa2xtbm8jLbmUz/kUMKQZaUvKrE9OKSRe/XcDqBTlPgznkEcQ";
        let sealed = data_encoding::BASE64.decode(value).unwrap();
        let clear = open(|version| (version == 1).then_some(&secret), place, &sealed);
        assert_eq!(clear.unwrap().as_slice(), br#""+256700000001""#);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let secret = key(1);
        let sealed = seal(&secret, 5, HERE, b"value").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open_with(&secret, HERE, &flipped).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(
                open_with(&secret, HERE, &sealed[..length]).is_err(),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn two_seals_of_one_value_differ() {
        let seal = || seal(&key(1), 5, HERE, b"value").unwrap();
        assert_ne!(seal(), seal());
    }
}
