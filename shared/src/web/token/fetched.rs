//! An issuer's keys at an address, fetched when they are needed and kept for a while.

use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::{
    VerifierError,
    download::{FetchError, KeySource},
    key::{Key, KeySet},
};

/// How long keys are used without asking again, so that a withdrawn key goes.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// How long keys are used while the issuer cannot be asked: longer than an outage, shorter than
/// somebody with a stolen key should have.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// The least time between two fetches, whatever key ids are asked for.
const FETCH_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
/// The same after a failure while there are no keys and every caller is turned away.
const RETRY_INTERVAL: SignedDuration = SignedDuration::from_secs(5);

/// Keys by their ids, as the issuer publishes them.
///
/// Times are the wall clock's: the monotonic one may stand still while Lambda has a function
/// frozen.
pub(super) struct FetchedKeys {
    source: KeySource,
    held: RwLock<Option<Arc<Held>>>,
    /// Why the last fetch failed, if it did. Who fetches holds the lock, so that one does.
    failure: Mutex<Option<Failure>>,
}

struct Held {
    keys: KeySet,
    fetched: Timestamp,
}

struct Failure {
    at: Timestamp,
    error: FetchError,
}

/// The time between two moments, whichever is earlier: clocks are set back, and who waits for
/// another's fetch has asked before it.
fn between(a: Timestamp, b: Timestamp) -> SignedDuration {
    a.duration_since(b).abs()
}

impl FetchedKeys {
    /// The keys at an address. Nothing is fetched yet.
    pub(super) fn at(address: &str) -> Result<Self, VerifierError> {
        Ok(Self {
            source: KeySource::new(address)?,
            held: RwLock::default(),
            failure: Mutex::default(),
        })
    }

    /// The key of an id, `None` if the issuer has none; fails if there are no keys at all.
    pub(super) async fn get(
        &self,
        kid: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Key>>, FetchError> {
        let held = self.held(now);
        let Some((held, key)) = held.and_then(|held| held.keys.get(kid).map(|key| (held, key)))
        else {
            let mut failure = self.failure.lock().await;
            let held = self.renewed(&mut failure, now).await?;
            return Ok(held.keys.get(kid));
        };
        if between(now, held.fetched) < FRESH {
            return Ok(Some(key));
        }
        // One request renews old keys; others need not wait for it.
        match self.failure.try_lock() {
            Ok(mut failure) => Ok(self.renewed(&mut failure, now).await?.keys.get(kid)),
            Err(_) => Ok(Some(key)),
        }
    }

    /// The keys, fetched again unless that was tried just now; the old ones if it fails.
    async fn renewed(
        &self,
        failure: &mut Option<Failure>,
        now: Timestamp,
    ) -> Result<Arc<Held>, FetchError> {
        let held = self.held(now);
        if let Some(held) = &held
            && between(now, held.fetched) < FETCH_INTERVAL
        {
            return Ok(Arc::clone(held));
        }
        let interval = match held {
            Some(_) => FETCH_INTERVAL,
            None => RETRY_INTERVAL,
        };
        if let Some(failure) = failure
            && between(now, failure.at) < interval
        {
            return held.ok_or_else(|| failure.error.clone());
        }
        match self.source.fetch().await {
            Ok(keys) => {
                *failure = None;
                Ok(self.hold(keys, now))
            }
            Err(error) => {
                tracing::warn!(%error, "the issuer's keys cannot be fetched");
                *failure = Some(Failure {
                    at: now,
                    error: error.clone(),
                });
                held.ok_or(error)
            }
        }
    }

    fn held(&self, now: Timestamp) -> Option<Arc<Held>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.clone()
            .filter(|held| between(now, held.fetched) < KEPT)
    }

    fn hold(&self, keys: KeySet, fetched: Timestamp) -> Arc<Held> {
        let new = Arc::new(Held { keys, fetched });
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        *held = Some(Arc::clone(&new));
        new
    }
}
