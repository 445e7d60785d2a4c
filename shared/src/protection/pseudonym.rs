//! Pseudonymisation (p14n): hashes that recognise a value without holding it.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::Secret;

/// How an organisation's values are pseudonymised.
#[derive(Clone)]
pub enum PseudonymMode {
    /// Plain SHA-256, which whoever can guess a value can check.
    Sha256,
    /// HMAC-SHA256 keyed with the organisation's pepper.
    HmacSha256 {
        /// The pepper's version.
        version: u32,
        /// The pepper.
        pepper: Secret,
    },
}

/// A value's pseudonym. As text:
///
/// - `6a09…`: 64 lower-case hex digits, a SHA-256
/// - `7b1a…`: 40 lower-case hex digits, hashed by the source
/// - `hmac-sha256:1:6a09…`: keyed, by version 1 of the organisation's pepper
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pseudonym {
    /// A SHA-256, made here or by the source.
    Sha256([u8; 32]),
    /// 160 bits that the source hashed itself.
    Given160([u8; 20]),
    /// A keyed hash.
    HmacSha256 {
        /// The pepper's version.
        version: u32,
        /// The hash.
        mac: [u8; 32],
    },
}

/// The first byte of a keyed pseudonym's stored form.
const HMAC_FORMAT: u8 = 2;

impl PseudonymMode {
    /// The pseudonym of a value, which is trimmed and in NFC. A value that is already
    /// lower-case hex of one of the given lengths is taken as a pseudonym.
    pub fn pseudonym(&self, value: &str, passthrough_hex: &[usize]) -> Pseudonym {
        if passthrough_hex.contains(&value.len())
            && let Some(given) = Pseudonym::given(value)
        {
            return given;
        }
        match self {
            Self::Sha256 => Pseudonym::Sha256(Sha256::digest(value.as_bytes()).into()),
            Self::HmacSha256 { version, pepper } => Pseudonym::HmacSha256 {
                version: *version,
                mac: pepper.mac(&[value.as_bytes()]),
            },
        }
    }
}

impl Pseudonym {
    fn given(value: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(value.as_bytes()).ok()?;
        match bytes.len() {
            32 => Some(Self::Sha256(bytes.try_into().ok()?)),
            20 => Some(Self::Given160(bytes.try_into().ok()?)),
            _ => None,
        }
    }

    /// The stored form: the bare hash of 20 or 32 bytes, or `2 | version u32 BE | mac 32`.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Sha256(hash) => hash.to_vec(),
            Self::Given160(hash) => hash.to_vec(),
            Self::HmacSha256 { version, mac } => {
                [&[HMAC_FORMAT], version.to_be_bytes().as_slice(), mac].concat()
            }
        }
    }

    /// Reads the stored form.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [HMAC_FORMAT, a, b, c, d, mac @ ..] if mac.len() == 32 => Some(Self::HmacSha256 {
                version: u32::from_be_bytes([*a, *b, *c, *d]),
                mac: mac.try_into().ok()?,
            }),
            _ if bytes.len() == 32 => Some(Self::Sha256(bytes.try_into().ok()?)),
            _ => Some(Self::Given160(bytes.try_into().ok()?)),
        }
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(hash) => f.write_str(&HEXLOWER.encode(hash)),
            Self::Given160(hash) => f.write_str(&HEXLOWER.encode(hash)),
            Self::HmacSha256 { version, mac } => {
                write!(f, "hmac-sha256:{version}:{}", HEXLOWER.encode(mac))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: [usize; 2] = [40, 64];

    #[test]
    fn the_known_value_has_its_known_hash() {
        assert_eq!(
            PseudonymMode::Sha256
                .pseudonym("L23FX1236", &DOCUMENT)
                .to_string(),
            "6a099e5c63f0138de7b3dfa7e03c17e551ea23e53c6399a2f0d490d5d87457de"
        );
    }

    #[test]
    fn hashes_of_the_source_pass_through() {
        let short = "7b1a3d34a3fcbad23308a5da7b49f9f3f7a67d2d";
        let long = "6a099e5c63f0138de7b3dfa7e03c17e551ea23e53c6399a2f0d490d5d87457de";
        let mode = PseudonymMode::Sha256;
        assert_eq!(mode.pseudonym(short, &DOCUMENT).to_string(), short);
        assert_eq!(mode.pseudonym(long, &DOCUMENT).to_string(), long);
        assert_ne!(mode.pseudonym(short, &[64]).to_string(), short);
        let upper = long.to_uppercase();
        assert_ne!(mode.pseudonym(&upper, &DOCUMENT).to_string(), long);
    }

    #[test]
    fn keyed_pseudonyms_name_their_mode_and_version() {
        let mode = PseudonymMode::HmacSha256 {
            version: 3,
            pepper: Secret::from_bytes([7; 32]),
        };
        let pseudonym = mode.pseudonym("L23FX1236", &DOCUMENT);
        assert!(pseudonym.to_string().starts_with("hmac-sha256:3:"));
        let other = PseudonymMode::HmacSha256 {
            version: 3,
            pepper: Secret::from_bytes([8; 32]),
        };
        assert_ne!(pseudonym, other.pseudonym("L23FX1236", &DOCUMENT));
    }

    #[test]
    fn stored_forms_read_back() {
        let table = [
            Pseudonym::Sha256([1; 32]),
            Pseudonym::Given160([2; 20]),
            Pseudonym::HmacSha256 {
                version: u32::MAX,
                mac: [3; 32],
            },
        ];
        for pseudonym in table {
            assert_eq!(
                Pseudonym::from_bytes(&pseudonym.to_bytes()),
                Some(pseudonym)
            );
        }
        assert_eq!(Pseudonym::from_bytes(&[1; 31]), None);
    }
}
