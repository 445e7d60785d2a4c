//! A record as an item, and what a change makes of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use super::{
    Group, StoreError,
    layout::{
        CREATED_AT, CUSTOM, DATASET, DIGEST, GROUPS, IMPORT_ID, Item, LAST_IMPORT_ID,
        LAST_SOURCE_ID, PROFILE, SOURCE_ID, UPDATED_AT, VALUE_DIGESTS,
    },
};
use crate::{
    dataset::{Dataset, FieldType, Protection},
    protection::{
        CipherError, OrganizationKeys, Protected, ProtectedRecord, ProtectedValue, Pseudonym,
        Sealed,
    },
    record::{Change, Value},
};

/// A record's fields as they are stored, by name.
pub(super) type Profile = BTreeMap<String, AttributeValue>;

/// What a record holds, apart from where it came from.
#[derive(Clone, PartialEq, Default)]
pub(super) struct Content {
    pub(super) profile: Profile,
    /// Keyed digests of the profile's encrypted values.
    pub(super) value_digests: BTreeMap<String, [u8; 16]>,
    pub(super) custom: Option<Sealed>,
}

/// A record as it was read.
pub struct StoredRecord {
    pub(super) content: Content,
    pub(super) dataset: String,
    pub(super) digest: Vec<u8>,
    pub(super) groups: BTreeSet<String>,
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

impl Content {
    /// What the content becomes when a row changes it.
    pub(super) fn merged(
        &self,
        uid: &str,
        record: &ProtectedRecord,
        keys: &OrganizationKeys,
    ) -> Result<Self, CipherError> {
        let mut merged = self.clone();
        for (index, change) in record.changes() {
            let Some(field) = record.dataset().field(*index) else {
                continue;
            };
            match change {
                Change::Set(value) => merged.set(&field.name, value),
                Change::Unset => {
                    merged.profile.remove(&field.name);
                    merged.value_digests.remove(&field.name);
                }
            }
        }
        merged.custom = keys.merge_custom(uid, self.custom.as_ref(), record.custom())?;
        Ok(merged)
    }

    /// What the content becomes when a row comes after a later import has written the record:
    /// the row fills in what is blank, and overwrites nothing.
    pub(super) fn filled_in(
        &self,
        uid: &str,
        record: &ProtectedRecord,
        keys: &OrganizationKeys,
    ) -> Result<Self, CipherError> {
        let mut filled = self.clone();
        for (index, change) in record.changes() {
            match (record.dataset().field(*index), change) {
                (Some(field), Change::Set(value)) if !self.profile.contains_key(&field.name) => {
                    filled.set(&field.name, value);
                }
                _ => {}
            }
        }
        filled.custom = keys.fill_custom(uid, self.custom.as_ref(), record.custom())?;
        Ok(filled)
    }

    /// About how many bytes the content takes.
    pub(super) fn size(&self) -> usize {
        let value = |(name, value): (&String, &AttributeValue)| {
            name.len()
                + match value {
                    AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
                    AttributeValue::B(bytes) => bytes.as_ref().len(),
                    _ => 1,
                }
        };
        let fields: usize = self.profile.iter().map(value).sum();
        fields + self.custom.as_ref().map_or(0, |custom| custom.bytes.len())
    }

    fn set(&mut self, name: &str, value: &ProtectedValue) {
        if let Protected::Sealed(sealed) = value.inner() {
            // The same value has other bytes each time it is encrypted.
            if self.value_digests.get(name) == Some(&sealed.digest) {
                return;
            }
            self.value_digests.insert(name.to_owned(), sealed.digest);
        }
        self.profile
            .insert(name.to_owned(), to_attribute(value.inner()));
    }

    /// A keyed digest of the whole content: equal content, equal digest.
    pub(super) fn digest(&self, keys: &OrganizationKeys) -> Vec<u8> {
        let mut canonical = Vec::new();
        let mut part = |bytes: &[u8]| {
            canonical.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            canonical.extend_from_slice(bytes);
        };
        for (name, value) in &self.profile {
            part(name.as_bytes());
            match (self.value_digests.get(name), value) {
                (Some(digest), _) => part(digest),
                (None, AttributeValue::S(text)) => part(&[b"S", text.as_bytes()].concat()),
                (None, AttributeValue::N(number)) => part(&[b"N", number.as_bytes()].concat()),
                (None, AttributeValue::Bool(value)) => part(&[b'B', u8::from(*value)]),
                (None, AttributeValue::B(bytes)) => part(bytes.as_ref()),
                (None, _) => part(&[]),
            }
        }
        if let Some(custom) = &self.custom {
            part(CUSTOM.as_bytes());
            part(&custom.digest);
        }
        let digest = keys.digest("clientele record digest v1", &[&canonical]);
        digest.into_iter().take(16).collect()
    }

    /// The content's attributes.
    pub(super) fn to_item(&self) -> Item {
        let mut digests: HashMap<_, _> = self
            .value_digests
            .iter()
            .map(|(name, digest)| (name.clone(), bytes(digest)))
            .collect();
        let profile = self.profile.clone().into_iter().collect();
        let mut item = HashMap::from([(PROFILE.to_owned(), AttributeValue::M(profile))]);
        if let Some(custom) = &self.custom {
            item.insert(CUSTOM.to_owned(), bytes(&custom.bytes));
            digests.insert(CUSTOM.to_owned(), bytes(&custom.digest));
        }
        if !digests.is_empty() {
            item.insert(VALUE_DIGESTS.to_owned(), AttributeValue::M(digests));
        }
        item
    }
}

pub(super) fn bytes(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(bytes.to_vec().into())
}

pub(super) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn to_attribute(value: &Protected) -> AttributeValue {
    match value {
        Protected::Clear(value) => match value {
            Value::Text(text) => AttributeValue::S(text.clone()),
            Value::Integer(integer) => number(integer),
            Value::Decimal(decimal) => number(decimal.normalize()),
            Value::Boolean(boolean) => AttributeValue::Bool(*boolean),
            Value::Date(date) => AttributeValue::S(date.to_string()),
            Value::DateTime(time) => AttributeValue::S(time.to_string()),
            Value::Json(json) => AttributeValue::S(json.to_string()),
        },
        Protected::Pseudonym(pseudonym) => bytes(&pseudonym.to_bytes()),
        Protected::Sealed(sealed) => bytes(&sealed.bytes),
    }
}

impl StoredRecord {
    pub(super) fn read(item: &Item) -> Result<Self, StoreError> {
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
        Ok(Self {
            content: Content {
                profile: profile.map(|(n, v)| (n.clone(), v.clone())).collect(),
                value_digests: digests,
                custom,
            },
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

    /// Whether the record is in a group.
    pub(super) fn is_in(&self, group: Option<&Group>) -> bool {
        group.is_some_and(|group| self.groups.contains(group.id.as_str()))
    }

    /// The dataset that the record is of.
    pub fn dataset(&self) -> &str {
        &self.dataset
    }

    /// The fields that have a value, in the dataset's order, as they may be shown: pseudonyms
    /// in their text form, encrypted values in base64.
    pub fn shown(&self, dataset: &Arc<Dataset>) -> Vec<(String, serde_json::Value)> {
        let field_value = |field: &crate::dataset::Field| {
            let value = self.content.profile.get(&field.name)?;
            Some((field.name.clone(), show(field, value)))
        };
        dataset.fields().iter().filter_map(field_value).collect()
    }

    /// The fields that have a value, in the dataset's order, with encrypted values in clear.
    /// Pseudonyms stay what they are.
    pub fn revealed(
        &self,
        dataset: &Arc<Dataset>,
        uid: &str,
        keys: &OrganizationKeys,
    ) -> Result<Vec<(String, serde_json::Value)>, CipherError> {
        let mut fields = self.shown(dataset);
        for (name, value) in &mut fields {
            let is_sealed = self.content.value_digests.contains_key(name);
            if let (true, Some(AttributeValue::B(sealed))) =
                (is_sealed, self.content.profile.get(name))
            {
                let clear = keys.open(uid, name, sealed.as_ref())?;
                *value = serde_json::from_slice(&clear).map_err(|_| CipherError::Format)?;
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

fn show(field: &crate::dataset::Field, value: &AttributeValue) -> serde_json::Value {
    match (value, field.protection) {
        (AttributeValue::S(text), _) if field.r#type == FieldType::Json => {
            serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())
        }
        (AttributeValue::S(text), _) => text.as_str().into(),
        (AttributeValue::N(number), _) => show_number(number),
        (AttributeValue::Bool(boolean), _) => (*boolean).into(),
        (AttributeValue::B(stored), Protection::Pseudonym) => {
            Pseudonym::from_bytes(stored.as_ref()).map_or(serde_json::Value::Null, |pseudonym| {
                pseudonym.to_string().into()
            })
        }
        (AttributeValue::B(stored), _) => data_encoding::BASE64.encode(stored.as_ref()).into(),
        _ => serde_json::Value::Null,
    }
}

fn show_number(number: &str) -> serde_json::Value {
    match number.parse::<rust_decimal::Decimal>() {
        Ok(decimal) => Value::Decimal(decimal).to_json(),
        Err(_) => number.into(),
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
