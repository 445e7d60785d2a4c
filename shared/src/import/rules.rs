//! What rows are checked against, and how they are protected.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    dataset::Dataset,
    identity::{DataOrigin, OrganizationId},
    protection::{OrganizationKeys, Protector, PseudonymMode},
    record::Validator,
    store::{Organization, jobs::Mode},
};

/// What the rows of one source are checked against.
pub struct Rules {
    /// Whose they are.
    pub organization: OrganizationId,
    /// Their dataset.
    pub dataset: Arc<Dataset>,
    /// Their source.
    pub origin: DataOrigin,
    /// What the organisation has chosen.
    pub settings: Organization,
    /// The organisation's keys. The same throughout: a dry run for an organisation without keys
    /// makes new ones each time.
    pub keys: Arc<OrganizationKeys>,
}

impl Rules {
    /// Checks rows that are to land in a mode.
    pub fn validator(&self, mode: Mode) -> Validator {
        let this_year = Timestamp::now().to_zoned(TimeZone::UTC).year();
        let validator = Validator::new(
            Arc::clone(&self.dataset),
            self.organization,
            self.origin.clone(),
            Arc::clone(&self.keys),
            self.settings.unknown_columns,
            this_year,
        );
        match mode {
            Mode::Update => validator.of_changes(),
            _ => validator,
        }
    }

    /// Protects the records that rows become.
    pub fn protector(&self) -> Protector {
        let pseudonyms = match self.settings.keyed_pseudonyms {
            true => self.keys.keyed_pseudonyms(),
            false => PseudonymMode::Sha256,
        };
        Protector::new(Arc::clone(&self.keys), pseudonyms)
    }
}
