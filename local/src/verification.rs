//! Checking the table's invariants and erasures, whether or not a stack is running.

use clientele::{
    erasure::{self, Applied, ErasureError, Proof, Proven},
    store::{
        StoreError,
        verify::{self, Report},
    },
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
    /// Fences cannot be applied, or an erasure not be proven.
    #[error("erasures could not be checked: {0}")]
    Erasure(#[from] ErasureError),
}

/// Checks counts against members and records, and mends them if asked to.
pub async fn verify(options: &Options, repair: bool) -> Result<Report, VerifyError> {
    let opened = Opened::open(options).await?;
    let report = verify::verify(&opened.registry.store, repair).await;
    opened.close().await;
    Ok(report?)
}

/// Looks for what is left of a receipt's customers.
pub async fn prove(options: &Options, receipt: &Proof) -> Result<Proven, VerifyError> {
    let opened = Opened::open(options).await?;
    let proven = erasure::prove(&opened.registry, receipt).await;
    opened.close().await;
    Ok(proven?)
}

/// Erases again whom a restored table brought back, and sets up missing fences.
pub async fn apply_fences(options: &Options) -> Result<Applied, VerifyError> {
    let opened = Opened::open(options).await?;
    let applied = erasure::apply_fences(&opened.registry).await;
    opened.close().await;
    Ok(applied?)
}
