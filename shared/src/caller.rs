//! Who calls, as the table's keys name it.

use sha2::{Digest, Sha256};

use crate::identity::{DataOrigin, OrganizationId};

/// How much of the digest names a caller: 128 bits, so that nobody finds two that share it.
const DIGEST_BYTES: usize = 16;

/// A principal without its name: who it is may be an e-mail address, and keys hold no personal
/// data. Two users, or a user and a source of the same name, never share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallerId {
    organization: OrganizationId,
    digest: [u8; DIGEST_BYTES],
}

impl CallerId {
    /// A user, by the subject of its tokens.
    pub fn of_user(organization: OrganizationId, subject: &str) -> Self {
        Self::new(organization, "user", subject)
    }

    /// A source, whichever of its tokens it sends: several tokens share one quota.
    pub fn of_source(organization: OrganizationId, origin: &DataOrigin) -> Self {
        Self::new(organization, "source", origin.as_str())
    }

    fn new(organization: OrganizationId, kind: &str, name: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [kind.as_bytes(), &[0], name.as_bytes()] {
            hash.update(part);
        }
        let hash: [u8; 32] = hash.finalize().into();
        Self {
            organization,
            digest: hash.first_chunk().copied().unwrap_or_default(),
        }
    }

    /// Whose data it may reach.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// What stands for it in a key.
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_of_one_name_are_apart() {
        let organization = |id| OrganizationId::new(id).unwrap();
        let origin = "generic".parse().unwrap();
        let ids = [
            CallerId::of_user(organization(1), "generic"),
            CallerId::of_user(organization(2), "generic"),
            CallerId::of_user(organization(1), "generic2"),
            CallerId::of_source(organization(1), &origin),
        ];
        for (n, id) in ids.iter().enumerate() {
            assert!(!ids.iter().skip(n + 1).any(|other| other == id), "{n}");
        }
    }
}
