//! Datasets as an organisation has them.

use std::sync::Arc;

use super::{Store, StoreError};
use crate::{dataset::Dataset, identity::OrganizationId};

impl Store {
    /// A dataset by its name: a built-in one, or one that the organisation has defined.
    pub async fn dataset(
        &self,
        _organization: OrganizationId,
        name: &str,
    ) -> Result<Option<Arc<Dataset>>, StoreError> {
        Ok(Dataset::builtin(name))
    }
}
