//! How many requests a caller may make: never more than the limit in any 60 seconds, however
//! many instances of the functions answer.
//!
//! [`History`] is the law, without a table; [`RateLimiter`] keeps to it in one write a request.
//! The reasons are in `docs/adr/0011-rate-limit.md`.

mod history;

pub use history::{Attempt, History};

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

use crate::{
    caller::CallerId,
    store::{Counted, Store, StoreError},
};

/// The length of the window, in seconds.
pub const WINDOW_SECONDS: i64 = 60;
/// How many callers an instance remembers. One that it has forgotten costs a read.
const REMEMBERED_CALLERS: usize = 1_000;
/// How often others may be faster at the same moment before a request counts as one too many.
const TRIES: usize = 8;

/// What a caller may still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests that a window has room for.
    pub limit: u32,
    /// How many of them are left.
    pub remaining: u64,
    /// Seconds until more are left.
    pub reset: u64,
}

impl Quota {
    /// The quota of a caller who has made no request yet.
    pub fn untouched(limit: u32) -> Self {
        Self {
            limit,
            remaining: u64::from(limit),
            reset: WINDOW_SECONDS.unsigned_abs(),
        }
    }
}

/// Whether a request is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is, and counted.
    Admitted(Quota),
    /// It is one too many. It counts for nothing; the quota's `reset` says when another may come.
    Refused(Quota),
}

/// Counts the requests of callers in the table.
#[derive(Debug)]
pub struct RateLimiter {
    limit: u32,
    seen: Mutex<HashMap<CallerId, History>>,
}

impl RateLimiter {
    /// A limiter that lets in so many requests in any 60 seconds.
    pub fn new(limit: u32) -> Self {
        Self {
            limit,
            seen: Mutex::default(),
        }
    }

    /// How many requests it lets in.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Counts a request, if there is room for it. A request whose count is confirmed by a reply
    /// that gets lost may count twice.
    pub async fn admit(
        &self,
        store: &Store,
        caller: &CallerId,
        clock: impl Fn() -> Timestamp,
    ) -> Result<Verdict, StoreError> {
        let mut known = self.recall(caller, clock().as_second());
        if known.is_none() {
            known = store.rate_history(caller).await?;
        }
        for _ in 0..TRIES {
            let now = clock().as_second();
            let counted = match &known {
                None => store.begin_rate_history(caller, clock()).await?,
                Some(history) => match history.attempt(now, self.limit) {
                    Ok(attempt) => store.count_request(caller, &attempt).await?,
                    Err(wait) => {
                        self.remember(caller, history.clone(), now);
                        return Ok(self.refused(wait));
                    }
                },
            };
            known = match counted {
                Counted::Yes(history) => {
                    let quota = history.quota(now, self.limit);
                    self.remember(caller, history, now);
                    return Ok(Verdict::Admitted(quota));
                }
                Counted::No(found) => found,
            };
        }
        Ok(self.refused(1))
    }

    fn refused(&self, wait: u64) -> Verdict {
        Verdict::Refused(Quota {
            limit: self.limit,
            remaining: 0,
            reset: wait,
        })
    }

    /// What was last seen of a caller. What is older than a window says nothing of this one.
    fn recall(&self, caller: &CallerId, now: i64) -> Option<History> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let history = seen.get(caller)?;
        history.is_of_window(now).then(|| history.clone())
    }

    fn remember(&self, caller: &CallerId, history: History, now: i64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // A reply that overtook a later one knows less.
        if seen.get(caller).is_some_and(|seen| seen.is_later(&history)) {
            return;
        }
        if seen.len() >= REMEMBERED_CALLERS && !seen.contains_key(caller) {
            seen.retain(|_, history| history.is_of_window(now));
        }
        if seen.len() >= REMEMBERED_CALLERS && !seen.contains_key(caller) {
            // Any will do: forgetting costs no more than a read.
            let any = seen.keys().next().copied();
            any.and_then(|caller| seen.remove(&caller));
        }
        seen.insert(*caller, history);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::OrganizationId;

    #[test]
    fn an_instance_remembers_a_bounded_number_of_callers() {
        let limiter = RateLimiter::new(1);
        for n in 0..REMEMBERED_CALLERS + 500 {
            let organization = OrganizationId::new(1).unwrap();
            let caller = CallerId::of_user(organization, &n.to_string());
            limiter.remember(&caller, History::begun(0, 1_000), 1_000);
            assert!(limiter.recall(&caller, 1_000).is_some());
        }
        assert_eq!(limiter.seen.lock().unwrap().len(), REMEMBERED_CALLERS);
    }
}
