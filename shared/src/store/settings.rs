//! Changing an organisation's settings.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Organization, Store, StoreError,
    datasets::may_write,
    jobs::IMPORTS,
    layout::{self, PK, PSEUDONYMS, UNKNOWN_COLUMNS},
    organizations::HMAC_SHA256,
    retry::Backoff,
};
use crate::{identity::OrganizationId, record::UnknownColumns};

/// Jobs that are read at once.
const JOBS_AT_ONCE: i32 = 100;

/// Settings to change; the others stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NewSettings {
    /// Whether pseudonyms are keyed with the organisation's pepper.
    pub keyed_pseudonyms: Option<bool>,
    /// What becomes of columns that a dataset does not know.
    pub unknown_columns: Option<UnknownColumns>,
}

/// What became of a change of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsChange {
    /// These are the settings now.
    Done(Organization),
    /// Pseudonyms cannot change: there are records with pseudonyms as they are now.
    Records,
    /// Pseudonyms cannot change while this import is under way.
    Import(Uuid),
}

impl Store {
    /// Changes settings of an organisation that exists. How values are pseudonymised changes only
    /// while there are no records: the same person would otherwise have two pseudonyms.
    pub async fn change_settings(
        &self,
        organization: OrganizationId,
        new: NewSettings,
    ) -> Result<SettingsChange, StoreError> {
        let mut backoff = Backoff::new("changing an organization's settings");
        loop {
            let stored = self.organization(organization).await?.unwrap_or_default();
            let wanted = Organization {
                keyed_pseudonyms: new.keyed_pseudonyms.unwrap_or(stored.keyed_pseudonyms),
                unknown_columns: new.unknown_columns.unwrap_or(stored.unknown_columns),
            };
            if wanted == stored {
                return Ok(SettingsChange::Done(wanted));
            }
            let mut actions = vec![self.put_settings(organization, new)?];
            if wanted.keyed_pseudonyms != stored.keyed_pseudonyms {
                // An import that is registered from here on makes the transaction fail.
                let last_import = self.last_number(organization, IMPORTS).await?;
                if let Some(refused) = self.pseudonyms_in_use(organization).await? {
                    return Ok(refused);
                }
                actions.push(self.check_last_import(organization, last_import)?);
            }
            if self.transact(actions).await?.is_done() {
                return Ok(SettingsChange::Done(wanted));
            }
            backoff.wait().await?;
        }
    }

    async fn pseudonyms_in_use(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<SettingsChange>, StoreError> {
        // To have nothing to do with ninety days of jobs in the usual case.
        if self.has_records(organization).await? {
            return Ok(Some(SettingsChange::Records));
        }
        // Imports before records: one that ends meanwhile has left its records.
        let mut before = None;
        loop {
            let jobs = self.jobs(organization, JOBS_AT_ONCE, before).await?;
            let Some(last) = jobs.last() else {
                break;
            };
            before = Some(last.import_id);
            let now = Timestamp::now();
            if let Some(job) = jobs.iter().find(|job| may_write(job, now)) {
                return Ok(Some(SettingsChange::Import(job.id)));
            }
        }
        let has_records = self.has_records(organization).await?;
        Ok(has_records.then_some(SettingsChange::Records))
    }

    async fn has_records(&self, organization: OrganizationId) -> Result<bool, StoreError> {
        for group in self.groups_of_sources(organization).await? {
            if self.member_count(organization, &group).await? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn put_settings(
        &self,
        organization: OrganizationId,
        new: NewSettings,
    ) -> Result<TransactWriteItem, StoreError> {
        let pseudonyms = new.keyed_pseudonyms.map(|keyed| match keyed {
            true => HMAC_SHA256,
            false => "sha256",
        });
        let unknown_columns = new.unknown_columns.map(UnknownColumns::as_str);
        let mut set = Vec::new();
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(layout::organization(organization).to_item()))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK);
        for (name, value) in [(PSEUDONYMS, pseudonyms), (UNKNOWN_COLUMNS, unknown_columns)] {
            if let Some(value) = value {
                set.push(format!("#{name} = :{name}"));
                update = update
                    .expression_attribute_names(format!("#{name}"), name)
                    .expression_attribute_values(
                        format!(":{name}"),
                        AttributeValue::S(value.to_owned()),
                    );
            }
        }
        let update = update.update_expression(format!("SET {}", set.join(", ")));
        let update = update
            .build()
            .map_err(|_| StoreError::corrupt("request", "settings"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}
