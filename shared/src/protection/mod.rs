//! Makes a checked record safe to store.
//!
//! Only [`Protector::protect`] makes a [`ProtectedRecord`], and only those can be stored, so
//! forgetting protection does not compile.

mod blur;
mod cipher;
mod keyring;
mod keys;
mod protect;
mod pseudonym;
mod secret;
mod uid_digest;

pub use cipher::{CipherError, Sealed};
pub use keyring::{KeyError, KeyRing};
pub use keys::{KeyPurpose, OrganizationKeys, WrappedKey};
pub use protect::{CustomChange, Protected, ProtectedRecord, ProtectedValue, Protector};
pub use pseudonym::{Pseudonym, PseudonymMode};
pub use secret::Secret;
pub use uid_digest::UidDigest;
