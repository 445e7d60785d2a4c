//! Makes a checked record safe to store.
//!
//! Only [`Protector::protect`] makes a [`ProtectedRecord`], and only those can be stored, so
//! forgetting protection does not compile.

mod aead;
mod blur;
mod cipher;
mod custom;
mod explain;
mod keyring;
mod keys;
mod protect;
mod pseudonym;
mod rotation;
mod secret;
mod uid_digest;

pub use cipher::{CipherError, Sealed};
pub use custom::CustomChange;
pub use explain::Explained;
pub use keyring::{KeyError, KeyRing};
pub use keys::{KeyPurpose, KeyState, OrganizationKeys, WrappedKey};
pub use protect::{Protected, ProtectedRecord, ProtectedValue, Protector};
pub use pseudonym::{Pseudonym, PseudonymMode};
pub use rotation::{KeyVersion, Rotation};
pub use secret::Secret;
pub use uid_digest::UidDigest;

#[cfg(test)]
mod vectors;

// The Rust recipe there is compiled and run with the documentation's tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/decrypting.md")]
struct DecryptingByYourself;
