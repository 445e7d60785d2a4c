//! A record as it was read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::{
    Content,
    value::{Opener, show},
};
use crate::{
    dataset::{Dataset, Field},
    event::{Clock, Consent, Moment},
    protection::{CipherError, OrganizationKeys, ProtectedRecord, Sealed},
    store::{
        Group, Provenance, StoreError,
        layout::{
            CREATED_AT, CUSTOM, DATASET, DIGEST, GROUPS, IMPORT_ID, Item, LAST_IMPORT_ID,
            LAST_SOURCE_ID, PROFILE, SOURCE_ID, UPDATED_AT, VALUE_DIGESTS,
        },
    },
};

/// A record as it was read.
pub struct StoredRecord {
    pub(in crate::store) content: Content,
    pub(in crate::store) dataset: String,
    pub(in crate::store) digest: Vec<u8>,
    pub(in crate::store) groups: BTreeSet<String>,
    /// When it was inserted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The source that inserted it.
    pub source_id: u64,
    /// The import that inserted it.
    pub import_id: u64,
    /// The source that last changed it.
    pub last_source_id: u64,
    /// The import that last changed it.
    pub last_import_id: u64,
}

impl StoredRecord {
    pub(in crate::store) fn read(item: &Item) -> Result<Self, StoreError> {
        let attributes = Attributes(item);
        let mut digests = BTreeMap::new();
        for (name, value) in attributes.map(VALUE_DIGESTS) {
            let digest = value.as_b().ok().and_then(|b| b.as_ref().try_into().ok());
            let digest = digest.ok_or(StoreError::corrupt("record", VALUE_DIGESTS))?;
            digests.insert(name.clone(), digest);
        }
        let custom = match item.get(CUSTOM) {
            Some(AttributeValue::B(sealed)) => Some(Sealed {
                bytes: sealed.as_ref().to_vec(),
                digest: digests
                    .remove(CUSTOM)
                    .ok_or(StoreError::corrupt("record", VALUE_DIGESTS))?,
            }),
            _ => None,
        };
        let profile = attributes.map(PROFILE);
        let mut content = Content {
            profile: profile.map(|(n, v)| (n.clone(), v.clone())).collect(),
            value_digests: digests,
            custom,
            clock: None,
        };
        content.clock = content.read_clock(item)?;
        Ok(Self {
            content,
            dataset: attributes.text(DATASET)?,
            digest: attributes.bytes(DIGEST)?,
            groups: attributes.set(GROUPS),
            created_at: attributes.time(CREATED_AT)?,
            updated_at: attributes.time(UPDATED_AT)?,
            source_id: attributes.integer(SOURCE_ID)?,
            import_id: attributes.integer(IMPORT_ID)?,
            last_source_id: attributes.integer(LAST_SOURCE_ID)?,
            last_import_id: attributes.integer(LAST_IMPORT_ID)?,
        })
    }

    /// The record that a row makes where there was none, as it would be read back. It is in no group.
    pub(crate) fn of_new(
        record: &ProtectedRecord,
        keys: &OrganizationKeys,
        provenance: &Provenance,
    ) -> Result<Self, CipherError> {
        let content = Content::default().merged(&record.id().to_string(), record, keys)?;
        Ok(Self {
            digest: content.digest(keys),
            content,
            dataset: record.dataset().name().to_owned(),
            groups: BTreeSet::new(),
            created_at: provenance.at,
            updated_at: provenance.at,
            source_id: provenance.source_id,
            import_id: provenance.import_id,
            last_source_id: provenance.source_id,
            last_import_id: provenance.import_id,
        })
    }

    /// Whether the record is in a group.
    pub(in crate::store) fn is_in(&self, group: Option<&Group>) -> bool {
        group.is_some_and(|group| self.groups.contains(group.id.as_str()))
    }

    /// The moment of the newest event that the record has taken in.
    pub(in crate::store) fn newest_event(&self) -> Option<Moment> {
        Some(self.content.clock.as_ref()?.newest())
    }

    /// The dataset that the record is of.
    pub fn dataset(&self) -> &str {
        &self.dataset
    }

    /// The fields that have a value, in the dataset's order, as they may be shown: pseudonyms
    /// in their text form, encrypted values in base64.
    pub fn shown(&self, dataset: &Arc<Dataset>) -> Vec<(String, Json)> {
        let field_value = |field: &Field| {
            let value = match self.content.profile.get(&field.name) {
                Some(value) => show(field, value),
                None => self.changed_at(dataset, field)?,
            };
            Some((field.name.clone(), value))
        };
        dataset.fields().iter().filter_map(field_value).collect()
    }

    /// The value of a field that keeps when another one changed.
    fn changed_at(&self, dataset: &Dataset, field: &Field) -> Option<Json> {
        let consents = self.content.clock.as_ref().map(Clock::consents)?;
        let keeps = |of: &&Field| of.changed_at.as_ref() == Some(&field.name);
        let of = dataset.fields().iter().find(keeps)?;
        let since = consents.get(&of.name).and_then(Consent::since)?;
        Some(since.to_string().into())
    }

    /// The fields that have a value, in the dataset's order, with encrypted values in clear.
    /// Pseudonyms stay what they are.
    pub fn revealed(
        &self,
        dataset: &Arc<Dataset>,
        uid: &str,
        keys: &OrganizationKeys,
    ) -> Result<Vec<(String, Json)>, CipherError> {
        let mut fields = self.shown(dataset);
        let opener = Opener {
            uid,
            keys,
            digests: &self.content.value_digests,
        };
        for (name, shown) in &mut fields {
            if let Some(value) = self.content.profile.get(name) {
                opener.reveal(name, value, shown)?;
            }
        }
        Ok(fields)
    }

    /// The encrypted unknown columns.
    pub fn custom(&self) -> Option<&[u8]> {
        self.content
            .custom
            .as_ref()
            .map(|custom| custom.bytes.as_slice())
    }
}

/// Typed access to an item's attributes.
struct Attributes<'i>(&'i Item);

impl<'i> Attributes<'i> {
    fn get(&self, name: &'static str) -> Result<&'i AttributeValue, StoreError> {
        self.0.get(name).ok_or(StoreError::corrupt("record", name))
    }

    fn text(&self, name: &'static str) -> Result<String, StoreError> {
        let value = self.get(name)?.as_s().ok().cloned();
        value.ok_or(StoreError::corrupt("record", name))
    }

    fn bytes(&self, name: &'static str) -> Result<Vec<u8>, StoreError> {
        let value = self.get(name)?.as_b().ok();
        let bytes = value.map(|blob| blob.as_ref().to_vec());
        bytes.ok_or(StoreError::corrupt("record", name))
    }

    fn integer(&self, name: &'static str) -> Result<u64, StoreError> {
        let number = self.get(name)?.as_n().ok();
        number
            .and_then(|number| number.parse().ok())
            .ok_or(StoreError::corrupt("record", name))
    }

    fn time(&self, name: &'static str) -> Result<Timestamp, StoreError> {
        let milliseconds = i64::try_from(self.integer(name)?).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(milliseconds).map_err(|_| StoreError::corrupt("record", name))
    }

    fn map(&self, name: &str) -> impl Iterator<Item = (&'i String, &'i AttributeValue)> {
        let map = self.0.get(name).and_then(|value| value.as_m().ok());
        map.into_iter().flatten()
    }

    fn set(&self, name: &str) -> BTreeSet<String> {
        let set = self.0.get(name).and_then(|value| value.as_ss().ok());
        set.into_iter().flatten().cloned().collect()
    }
}
