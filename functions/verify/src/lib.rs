//! The `verify` function: do records, memberships and counters agree?
//!
//! Invoked by hand or on a schedule, with `{}` to look and `{"repair": true}` to mend. It reads
//! the whole table; Lambda gives it 15 minutes.
//!
//! `{"apply_fences": true}` first erases again whom a restored backup brought back, and
//! `{"receipt": {…}}` also shows whether anything of a receipt's customers is left.

use clientele::{
    Registry,
    erasure::{Applied, ErasureError, Proof, Proven, apply_fences, prove},
    store::{
        StoreError,
        verify::{Report, verify},
    },
};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Whether differences are mended.
    #[serde(default)]
    pub repair: bool,
    /// Whether the table is brought to what the journal of erasures says.
    #[serde(default)]
    pub apply_fences: bool,
    /// The receipt of an erasure that is to be proven.
    #[serde(default)]
    pub receipt: Option<Proof>,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Reply {
    /// Whether everything agrees, or was made to.
    pub clean: bool,
    /// Records read.
    pub records: u64,
    /// Memberships read.
    pub memberships: u64,
    /// Groups with members or counters.
    pub groups: u64,
    /// Differences that were mended.
    pub repaired: u64,
    /// What does not agree; records are named by the hashes of their uids.
    pub differences: Vec<String>,
    /// What the journal of erasures had done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// What was found of the receipt's customers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proven: Option<Proven>,
}

impl From<Report> for Reply {
    fn from(report: Report) -> Self {
        Self {
            clean: report.is_clean(),
            records: report.records,
            memberships: report.memberships,
            groups: report.groups,
            repaired: report.repaired,
            differences: report.differences.iter().map(ToString::to_string).collect(),
            applied: None,
            proven: None,
        }
    }
}

/// The table could not be read or mended.
#[derive(Debug, Error)]
#[error(transparent)]
pub enum VerifyError {
    /// Comparing.
    Store(#[from] StoreError),
    /// Applying fences, or proving an erasure.
    Erasure(#[from] ErasureError),
}

impl From<VerifyError> for Diagnostic {
    fn from(error: VerifyError) -> Self {
        Self {
            error_type: "VerifyInterrupted".to_owned(),
            error_message: error.to_string(),
        }
    }
}

/// Checks the table.
pub async fn handle(
    registry: &Registry,
    event: LambdaEvent<Request>,
) -> Result<Reply, VerifyError> {
    let Request {
        repair,
        apply_fences: applies,
        receipt,
    } = event.payload;
    // Boxed, since the compiler's limit for nested futures is near.
    let applied = match applies {
        true => Some(Box::pin(apply_fences(registry)).await?),
        false => None,
    };
    let report = Box::pin(verify(&registry.store, repair)).await?;
    let proven = match receipt {
        Some(receipt) => Some(Box::pin(prove(registry, &receipt)).await?),
        None => None,
    };
    let reply = Reply::from(report);
    Ok(Reply {
        clean: reply.clean && proven.as_ref().is_none_or(Proven::is_clean),
        applied,
        proven,
        ..reply
    })
}
