//! Import ids for records that come without a job.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use super::{Store, StoreError, jobs::IMPORTS};
use crate::identity::OrganizationId;

/// Ids that a process takes at once: taking one costs a write unit, as much as changing a record.
const AT_ONCE: u64 = 100;
/// The most organisations whose ids are kept. What is forgotten is a gap.
const MAX_ORGANIZATIONS: usize = 1_000;

/// The ids that this process has taken and not used, by organisation.
#[derive(Debug, Default)]
pub(super) struct ImportIds(Mutex<HashMap<OrganizationId, Range<u64>>>);

impl ImportIds {
    fn next(&self, organization: OrganizationId) -> Option<u64> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.get_mut(&organization)?.next()
    }

    fn keep(&self, organization: OrganizationId, ids: Range<u64>) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() >= MAX_ORGANIZATIONS {
            taken.clear();
        }
        taken.insert(organization, ids);
    }
}

impl Store {
    /// An import id that nobody else gets, for records that come without a job.
    ///
    /// It may be lower than that of a job which was registered before: it tells imports apart, and
    /// does not say which came first.
    pub async fn next_import_id(&self, organization: OrganizationId) -> Result<u64, StoreError> {
        if let Some(id) = self.import_ids.next(organization) {
            return Ok(id);
        }
        let first = self.take_numbers(organization, IMPORTS, AT_ONCE).await?;
        self.import_ids
            .keep(organization, first + 1..first + AT_ONCE);
        Ok(first)
    }
}
