//! Erasure: a customer is removed for good, and kept from coming back.
//!
//! ```text
//! ids → customers of the group → entry in the bucket → record and memberships, fence (erase)
//!                                                    → meters
//!                                                    → receipt
//! ```
//!
//! The fence keeps imports away; the entries in the bucket clean a table that was restored
//! from a backup ([`apply_fences`]); the receipt is what [`prove`] holds the table against.

mod apply;
mod erase;
mod journal;
mod named;
mod proof;
mod receipt;
mod release;

use thiserror::Error;

pub use apply::{Applied, apply_fences};
pub use erase::{Erased, ErasedBefore, Request, erase};
pub use journal::FENCES;
pub use proof::{Proof, ProofError, Proven, prove};
pub use receipt::{BACKUPS, Receipt, Subject};
pub use release::{Released, release};

use crate::{bucket::BucketError, protection::KeyError, store::StoreError};

/// The most customers of one request.
pub const MAX_CUSTOMERS: usize = 1_000;
/// Customers dealt with at once.
const CUSTOMERS_IN_FLIGHT: usize = 16;

/// A failure of the table, the bucket or the keys. The same request again goes on where this
/// one ended.
#[derive(Debug, Error)]
pub enum ErasureError {
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Ids that name several customers of the group each, by their positions.
    #[error("{} ids name several customers", .0.len())]
    Ambiguous(Vec<usize>),
    /// The ids could be those of customers of too many sources.
    #[error("the ids could be of {0} sources")]
    TooManySources(usize),
    /// An entry in the bucket that cannot be read.
    #[error("the object {0} is no entry about fences")]
    Entry(String),
}
