//! Checking the table's invariants, whether or not a stack is running.

use std::sync::Arc;

use clientele::{
    Registry,
    store::{
        StoreError,
        verify::{self, Report},
    },
};
use thiserror::Error;

use crate::{
    Options, StartError,
    data_dir::{DataDir, DataDirError},
    endpoints::{Endpoints, EndpointsError},
    engine::{self, Engine, EngineListeners},
    identity::SigningKey,
};

/// Why the table cannot be checked.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// Nothing to check it with.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// A running stack cannot be found.
    #[error(transparent)]
    Endpoints(#[from] EndpointsError),
    /// The table cannot be read.
    #[error("the table could not be checked: {0}")]
    Store(#[from] StoreError),
}

/// Checks counts against members and records, and mends them if asked to. A running
/// stack is used as it is; otherwise only the table is opened, and no import runs.
pub async fn verify(options: &Options, repair: bool) -> Result<Report, VerifyError> {
    let data = DataDir::new(&options.data)?;
    let _lock = match data.acquire_existing() {
        Ok(lock) => lock,
        Err(DataDirError::InUse(folder)) => {
            let Some(endpoints) = Endpoints::of_running(&data)? else {
                return Err(DataDirError::InUse(folder).into());
            };
            let registry = engine::registry_of_running(&data, &endpoints)?;
            return Ok(check(&registry, repair).await?);
        }
        Err(error) => return Err(error.into()),
    };
    let listeners = EngineListeners::bind(options).await?;
    let engine = Engine::start(options, &data, listeners).await?;
    let key = SigningKey::of(&data).map_err(StartError::from)?;
    let registry = engine.registry(options, &data, &key, "")?;
    let report = check(&registry, repair).await;
    engine.stop().await;
    Ok(report?)
}

async fn check(registry: &Arc<Registry>, repair: bool) -> Result<Report, StoreError> {
    verify::verify(&registry.store, repair).await
}
