//! The `verify` function: do records, memberships and counters agree?
//!
//! Invoked by hand or on a schedule, with `{}` to look and `{"repair": true}` to mend. It reads
//! the whole table; Lambda gives it 15 minutes, enough for some 10 million items.

use clientele::{
    Registry,
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
        }
    }
}

/// The table could not be read or mended.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct VerifyError(#[from] StoreError);

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
    // Boxed, since the compiler's limit for nested futures is near.
    let report = Box::pin(verify(&registry.store, event.payload.repair)).await?;
    Ok(report.into())
}
