//! Naming a customer without naming anybody.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::OrganizationKeys;
use crate::identity::CustomerUid;

const LABEL: &str = "clientele uid digest v1";

/// A keyed digest of a customer's uid, 32 bytes, written as 64 lower-case hex digits.
///
/// Whoever has the organisation's key finds the customer of a uid by it; to everybody else, even
/// with a list of all uids there could be, it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UidDigest([u8; 32]);

impl OrganizationKeys {
    /// The digest of a customer's uid.
    pub fn uid_digest(&self, customer: &CustomerUid) -> UidDigest {
        UidDigest(self.digest(LABEL, &[customer.to_string().as_bytes()]))
    }
}

impl fmt::Display for UidDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl Serialize for UidDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UidDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .ok_or_else(|| D::Error::custom("a uid digest is 64 lower-case hex digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_spelling() {
        let text = format!("\"{}\"", "0a".repeat(32));
        let digest: UidDigest = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&digest).unwrap(), text);
        for wrong in [
            "",
            "0a",
            &"0A".repeat(32),
            &"0a".repeat(33),
            &"xx".repeat(32),
        ] {
            let read: Result<UidDigest, _> = serde_json::from_str(&format!("\"{wrong}\""));
            assert!(read.is_err(), "{wrong}");
        }
    }
}
