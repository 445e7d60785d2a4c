//! How long an invocation may still run.

use std::time::{Duration, Instant, SystemTime};

/// What an invocation keeps to finish the batch under way and hand over the rest.
const RESERVE: Duration = Duration::from_secs(60);

/// The time until a function's limit, at which Lambda ends it whatever it does.
#[derive(Debug, Clone, Copy)]
pub struct TimeLeft {
    until: Instant,
    reserve: Duration,
}

impl TimeLeft {
    /// The time until a deadline. A short function keeps a quarter of its time in reserve.
    pub fn until(deadline: SystemTime) -> Self {
        let given = deadline
            .duration_since(SystemTime::now())
            .unwrap_or_default();
        Self {
            until: Instant::now() + given,
            reserve: RESERVE.min(given / 4),
        }
    }

    /// Whether the rest should be left to a fresh invocation.
    pub fn is_short(&self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        left <= self.reserve
    }
}
