//! The domain over a data folder, whether or not a stack is running.

use std::sync::Arc;

use clientele::Registry;
use thiserror::Error;

use crate::{
    Options, StartError,
    data_dir::{DataDir, DataDirError, DataDirLock},
    endpoints::{Endpoints, EndpointsError},
    engine::{self, Engine, EngineListeners},
    identity::SigningKey,
};

/// Why a data folder cannot be opened.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each variant is the error that it wraps")]
pub enum OpenError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Endpoints(#[from] EndpointsError),
}

/// An opened data folder. A running stack is used as it is; otherwise only its table and its bucket
/// are served, and no import runs.
pub(crate) struct Opened {
    pub(crate) registry: Arc<Registry>,
    /// What was started for it.
    engine: Option<(Engine, DataDirLock)>,
}

impl Opened {
    /// Opens a data folder that exists.
    pub(crate) async fn open(options: &Options) -> Result<Self, OpenError> {
        let data = DataDir::new(&options.data)?;
        let lock = match data.acquire_existing() {
            Ok(lock) => lock,
            Err(DataDirError::InUse(folder)) => {
                let Some(endpoints) = Endpoints::of_running(&data)? else {
                    return Err(DataDirError::InUse(folder).into());
                };
                let registry = engine::registry_of_running(&data, &endpoints)?;
                return Ok(Self {
                    registry,
                    engine: None,
                });
            }
            Err(error) => return Err(error.into()),
        };
        let listeners = EngineListeners::bind(options).await?;
        let engine = Engine::start(options, &data, listeners).await?;
        let key = SigningKey::of(&data).map_err(StartError::from)?;
        let registry = engine.registry(options, &data, &key, "")?;
        Ok(Self {
            registry,
            engine: Some((engine, lock)),
        })
    }

    /// Stops what was started.
    pub(crate) async fn close(self) {
        if let Some((engine, _lock)) = self.engine {
            engine.stop().await;
        }
    }
}
