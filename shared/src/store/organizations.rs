//! Organisations, their sources and integer ids.

use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnConsumedCapacity, ReturnValue, TransactWriteItem, Update,
};
use jiff::Timestamp;

use super::{
    Store, StoreError,
    capacity::Units,
    layout::{
        self, CREATED_AT, Item, Key, NAME, PK, PSEUDONYMS, SOURCE_ID, UNKNOWN_COLUMNS, VALUE,
    },
    retry::Backoff,
    transact::Transacted,
};
use crate::{
    identity::{DataOrigin, OrganizationId},
    record::UnknownColumns,
};

/// The setting of keyed pseudonyms.
pub(super) const HMAC_SHA256: &str = "hmac-sha256";

/// An organisation's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Organization {
    /// Whether pseudonyms are keyed with the organisation's pepper.
    pub keyed_pseudonyms: bool,
    /// What becomes of columns that a dataset does not know.
    pub unknown_columns: UnknownColumns,
}

/// Where data comes from inside an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its integer id, unique in the organisation.
    pub id: u64,
    /// Its name.
    pub origin: DataOrigin,
}

/// What became of an item with a new integer id.
pub(super) enum Numbered {
    /// It was written with this id.
    Written(u64),
    /// It existed already.
    Exists,
}

impl Store {
    /// An organisation's settings, if it exists.
    pub async fn organization(
        &self,
        id: OrganizationId,
    ) -> Result<Option<Organization>, StoreError> {
        let item = self.get(&layout::organization(id)).await?;
        Ok(item.map(|item| {
            let setting = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
            Organization {
                keyed_pseudonyms: setting(PSEUDONYMS).is_some_and(|mode| mode == HMAC_SHA256),
                unknown_columns: setting(UNKNOWN_COLUMNS)
                    .and_then(|name| UnknownColumns::named(name))
                    .unwrap_or_default(),
            }
        }))
    }

    /// Brings an organisation into being, unless it exists.
    pub async fn ensure_organization(&self, id: OrganizationId) -> Result<(), StoreError> {
        if self.organization(id).await?.is_none() {
            let mut item = layout::organization(id).to_item();
            item.insert(CREATED_AT.to_owned(), now());
            self.create(item).await?;
        }
        Ok(())
    }

    /// The source with this name: the existing one, or a new one with the next id.
    pub async fn ensure_source(
        &self,
        organization: OrganizationId,
        origin: &DataOrigin,
    ) -> Result<Source, StoreError> {
        let key = layout::source(organization, origin);
        loop {
            if let Some(item) = self.get(&key).await? {
                let id = item
                    .get(SOURCE_ID)
                    .and_then(|value| value.as_n().ok()?.parse().ok())
                    .ok_or(StoreError::corrupt("source", SOURCE_ID))?;
                return Ok(Source {
                    id,
                    origin: origin.clone(),
                });
            }
            let item = |id: u64| {
                let mut item = key.to_item();
                item.insert(SOURCE_ID.to_owned(), AttributeValue::N(id.to_string()));
                item.insert(NAME.to_owned(), AttributeValue::S(origin.to_string()));
                item.insert(CREATED_AT.to_owned(), now());
                vec![item]
            };
            self.create_numbered(organization, "source", item).await?;
        }
    }

    /// Writes new items with the organisation's next integer id, in one transaction with the
    /// counter, so that a repeated request neither skips an id nor uses one twice.
    pub(super) async fn create_numbered(
        &self,
        organization: OrganizationId,
        counter: &'static str,
        items: impl Fn(u64) -> Vec<Item>,
    ) -> Result<Numbered, StoreError> {
        let key = layout::integer(organization, counter);
        let mut backoff = Backoff::new("taking the next id");
        loop {
            let last = self.last_number(organization, counter).await?;
            let id = last.unwrap_or(0) + 1;
            let mut actions = vec![self.advance(&key, last, id)?];
            for item in items(id) {
                actions.push(self.put_new(item)?);
            }
            match self.transact(actions).await? {
                Transacted::Done => return Ok(Numbered::Written(id)),
                // An id that somebody else took fails the items under that id as well.
                Transacted::Canceled(failed) if failed.first().is_some_and(|first| *first > 0) => {
                    return Ok(Numbered::Exists);
                }
                Transacted::Canceled(_) => {}
            }
            backoff.wait().await?;
        }
    }

    /// Takes the next integer ids of an organisation, so many in a row, and says which is the
    /// first. A call that is lost leaves a gap: no id is given out twice.
    pub(super) async fn take_numbers(
        &self,
        organization: OrganizationId,
        counter: &str,
        count: u64,
    ) -> Result<u64, StoreError> {
        let key = layout::integer(organization, counter);
        let mut backoff = Backoff::new("taking the next ids");
        loop {
            let result = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key.to_item()))
                .update_expression("ADD #value :count")
                .expression_attribute_names("#value", VALUE)
                .expression_attribute_values(":count", AttributeValue::N(count.to_string()))
                .return_values(ReturnValue::UpdatedNew)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            match result {
                Ok(output) => {
                    self.capacity.add(Units::Write, &output.consumed_capacity);
                    let last = output.attributes().and_then(|item| number(item, VALUE));
                    let first = last.and_then(|last| last.checked_sub(count)?.checked_add(1));
                    return first.ok_or(StoreError::corrupt("integer counter", VALUE));
                }
                Err(error) => match error.as_service_error() {
                    Some(service) if service.is_transaction_conflict_exception() => {
                        backoff.wait().await?;
                    }
                    _ => return Err(StoreError::call("UpdateItem")(error)),
                },
            }
        }
    }

    /// The last integer id that was given out.
    pub(super) async fn last_number(
        &self,
        organization: OrganizationId,
        counter: &'static str,
    ) -> Result<Option<u64>, StoreError> {
        let item = self.get(&layout::integer(organization, counter)).await?;
        Ok(item.and_then(|item| number(&item, VALUE)))
    }

    /// Moves an integer counter on, if nobody else has.
    fn advance(
        &self,
        key: &Key,
        last: Option<u64>,
        next: u64,
    ) -> Result<TransactWriteItem, StoreError> {
        let number = |number: u64| AttributeValue::N(number.to_string());
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("SET #value = :next")
            .expression_attribute_names("#value", VALUE)
            .expression_attribute_values(":next", number(next));
        let update = match last {
            Some(last) => update
                .condition_expression("#value = :last")
                .expression_attribute_values(":last", number(last)),
            None => update.condition_expression("attribute_not_exists(#value)"),
        };
        let update = update
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A transaction's action that writes an item which must not exist yet.
    pub(super) fn put_new(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .build()
            .map_err(|_| StoreError::corrupt("request", "item"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn now() -> AttributeValue {
    AttributeValue::N(Timestamp::now().as_millisecond().to_string())
}
