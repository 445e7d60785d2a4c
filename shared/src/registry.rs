//! Everything that a function works with, made once per process.

use crate::{
    aws::AwsClients,
    bucket::Bucket,
    config::Config,
    import::Importer,
    protection::{KeyError, KeyRing},
    rate::RateLimiter,
    store::Store,
    web::{Verifier, VerifierError},
};
use thiserror::Error;

/// The table, the bucket, the keys and whom to believe.
pub struct Registry {
    /// The settings.
    pub config: Config,
    /// The table.
    pub store: Store,
    /// The bucket.
    pub bucket: Bucket,
    /// The organisations' keys.
    pub keys: KeyRing,
    /// Who checks tokens.
    pub verifier: Verifier,
    /// Who counts the callers' requests.
    pub rates: RateLimiter,
}

/// Why a registry cannot be made.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The local key file.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The JSON Web Key Set.
    #[error(transparent)]
    Verifier(#[from] VerifierError),
}

impl Registry {
    /// A registry over the given clients.
    pub fn new(config: Config, clients: AwsClients) -> Result<Self, RegistryError> {
        let store = Store::new(clients.dynamodb, config.table.clone());
        Ok(Self {
            bucket: Bucket::new(clients.s3, config.bucket.clone()),
            keys: KeyRing::new(store.clone(), &config.key_wrapping, clients.kms)?,
            verifier: Verifier::new(&config.jwt)?,
            rates: RateLimiter::new(config.rate_limit_per_minute),
            store,
            config,
        })
    }

    /// What an import needs.
    pub fn importer(&self) -> Importer<'_> {
        Importer {
            store: &self.store,
            bucket: &self.bucket,
            keys: &self.keys,
            retention: self.config.inbox_retention,
        }
    }
}
