//! Waiting before a retry, for what the SDK does not retry: conflicts between transactions
//! and items that a batch left unprocessed.

use std::time::Duration;

use super::StoreError;

const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const MAX_WAITS: u32 = 14;

/// Exponential backoff with full jitter, up to about 15 seconds altogether.
pub(super) struct Backoff {
    what: &'static str,
    waits: u32,
}

impl Backoff {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, waits: 0 }
    }

    /// Waits a little longer than last time, or gives up.
    pub(super) async fn wait(&mut self) -> Result<(), StoreError> {
        if self.waits == MAX_WAITS {
            return Err(StoreError::Contention(self.what));
        }
        let ceiling = (FIRST_WAIT * 2_u32.pow(self.waits.min(10))).min(LONGEST_WAIT);
        self.waits += 1;
        let mut random = [0; 4];
        // Without random bytes the waits are merely less spread.
        let _ = getrandom::fill(&mut random);
        let share = f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX);
        tokio::time::sleep(ceiling.mul_f64(share)).await;
        Ok(())
    }
}
