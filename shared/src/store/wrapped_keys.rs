//! Organisations' keys, wrapped.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use jiff::Timestamp;

use super::{
    Store, StoreError,
    capacity::Units,
    item::{bytes, number},
    layout::{self, CHECK, CREATED_AT, Item, MADE_BY, PK, RETIRED_AT, SK, WRAPPED},
};
use crate::{
    identity::OrganizationId,
    protection::{KeyPurpose, WrappedKey},
};

impl Store {
    /// An organisation's keys, as they are stored, retired ones included.
    pub async fn wrapped_keys(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<WrappedKey>, StoreError> {
        let (pk, prefix) = layout::wrapped_keys(organization);
        let items = self.items_beginning(pk, prefix).await?;
        items.iter().map(read_wrapped_key).collect()
    }

    /// Stores a key, unless that version exists. Returns whether it was stored.
    pub async fn create_wrapped_key(
        &self,
        organization: OrganizationId,
        key: &WrappedKey,
    ) -> Result<bool, StoreError> {
        let mut item = layout::wrapped_key(organization, key.purpose, key.version).to_item();
        item.insert(WRAPPED.to_owned(), bytes(&key.wrapped));
        item.insert(CHECK.to_owned(), bytes(&key.check));
        let created_at = number(key.created_at.as_millisecond());
        item.insert(CREATED_AT.to_owned(), created_at);
        if let Some(rotation) = key.made_by {
            let rotation = AttributeValue::S(rotation.to_string());
            item.insert(MADE_BY.to_owned(), rotation);
        }
        self.create(item).await
    }

    /// Marks a version of the encryption key as no longer needed. The first mark stays.
    pub async fn retire_key(
        &self,
        organization: OrganizationId,
        version: u32,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let key = layout::wrapped_key(organization, KeyPurpose::Encryption, version);
        let output = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("SET #retired = if_not_exists(#retired, :at)")
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#retired", RETIRED_AT)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_values(":at", number(at.as_millisecond()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::call("UpdateItem"))?;
        self.capacity.add(Units::Write, &output.consumed_capacity);
        Ok(())
    }
}

fn read_wrapped_key(item: &Item) -> Result<WrappedKey, StoreError> {
    let corrupt = |attribute| StoreError::corrupt("key", attribute);
    let (purpose, version) = item
        .get(SK)
        .and_then(|value| layout::wrapped_key_of(value.as_s().ok()?))
        .ok_or(corrupt(SK))?;
    let bytes = |name: &'static str| {
        let value = item.get(name).and_then(|value| value.as_b().ok());
        value
            .map(|blob| blob.as_ref().to_vec())
            .ok_or(corrupt(name))
    };
    let time = |name: &'static str| {
        let milliseconds = item.get(name)?.as_n().ok()?.parse().ok()?;
        Timestamp::from_millisecond(milliseconds).ok()
    };
    Ok(WrappedKey {
        purpose,
        version,
        wrapped: bytes(WRAPPED)?,
        check: bytes(CHECK)?.try_into().map_err(|_| corrupt(CHECK))?,
        created_at: time(CREATED_AT).ok_or(corrupt(CREATED_AT))?,
        retired_at: time(RETIRED_AT),
        made_by: item
            .get(MADE_BY)
            .and_then(|value| value.as_s().ok()?.parse().ok()),
    })
}
