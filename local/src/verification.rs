//! Checking the table's invariants, whether or not a stack is running.

use clientele::store::{
    StoreError,
    verify::{self, Report},
};
use thiserror::Error;

use crate::{
    Options,
    opened::{OpenError, Opened},
};

/// Why the table cannot be checked.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The data folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The table cannot be read.
    #[error("the table could not be checked: {0}")]
    Store(#[from] StoreError),
}

/// Checks counts against members and records, and mends them if asked to.
pub async fn verify(options: &Options, repair: bool) -> Result<Report, VerifyError> {
    let opened = Opened::open(options).await?;
    let report = verify::verify(&opened.registry.store, repair).await;
    opened.close().await;
    Ok(report?)
}
