//! How many requests callers made: one conditional write a request.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure,
};
use jiff::{SignedDuration, Timestamp};

use super::{
    Store, StoreError,
    capacity::Units,
    item::number,
    layout::{self, ADMITTED, BORN, EXPIRES_AT, Item, PK, SLOTS},
};
use crate::{
    caller::CallerId,
    rate::{Attempt, History},
};

/// How long a history is kept after its last request. DynamoDB deletes later, never earlier.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Whether a request was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// It was; this is the history since.
    Yes(History),
    /// It was not: the history is another by now, or there is none.
    No(Option<History>),
}

impl Store {
    /// A caller's requests, as they stood a moment ago.
    pub async fn rate_history(&self, caller: &CallerId) -> Result<Option<History>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(layout::rate(caller).to_item()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::call("GetItem"))?;
        self.capacity.add(Units::Read, &output.consumed_capacity);
        // If a lost body looks like "no such item", the write that follows knows better.
        output.item.as_ref().map(read).transpose()
    }

    /// Counts a caller's first request, if there is no history.
    pub async fn begin_rate_history(
        &self,
        caller: &CallerId,
        now: Timestamp,
    ) -> Result<Counted, StoreError> {
        let history = History::begun(now.as_millisecond(), now.as_second());
        let slots = history.slots.iter();
        let slots: HashMap<String, AttributeValue> = slots
            .map(|(second, before)| (slot_name(*second), number(*before)))
            .collect();
        let mut item = layout::rate(caller).to_item();
        item.insert(BORN.to_owned(), AttributeValue::N(history.born.to_string()));
        item.insert(ADMITTED.to_owned(), number(history.admitted));
        item.insert(SLOTS.to_owned(), AttributeValue::M(slots));
        item.insert(EXPIRES_AT.to_owned(), expiry(now.as_second()));
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(Counted::Yes(history))
            }
            Err(error) => match error.as_service_error() {
                Some(
                    aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(
                        failed,
                    ),
                ) => found(failed.item.as_ref()),
                _ => Err(StoreError::call("PutItem")(error)),
            },
        }
    }

    /// Counts a request, if there is still room for it. A repeated call counts it again.
    pub async fn count_request(
        &self,
        caller: &CallerId,
        attempt: &Attempt,
    ) -> Result<Counted, StoreError> {
        let mut update = "SET #admitted = #admitted + :one, \
            #slots.#slot = if_not_exists(#slots.#slot, #admitted), #expires_at = :expires_at"
            .to_owned();
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(layout::rate(caller).to_item()))
            .expression_attribute_names("#slot", slot_name(attempt.slot));
        for (n, second) in attempt.stale.iter().enumerate() {
            let separator = if n == 0 { " REMOVE" } else { "," };
            update.push_str(&format!("{separator} #slots.#s{n}"));
            request = request.expression_attribute_names(format!("#s{n}"), slot_name(*second));
        }
        let result = request
            .update_expression(update)
            .condition_expression("#born = :born AND #admitted < :ceiling")
            .expression_attribute_names("#admitted", ADMITTED)
            .expression_attribute_names("#slots", SLOTS)
            .expression_attribute_names("#born", BORN)
            .expression_attribute_names("#expires_at", EXPIRES_AT)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":born", AttributeValue::N(attempt.born.to_string()))
            .expression_attribute_values(":ceiling", number(attempt.ceiling))
            .expression_attribute_values(":expires_at", expiry(attempt.slot))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                let item = output.attributes.ok_or(StoreError::corrupt("rate", PK))?;
                Ok(Counted::Yes(read(&item)?))
            }
            Err(error) => match error.as_service_error() {
                Some(
                    aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(
                        failed,
                    ),
                ) => found(failed.item.as_ref()),
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }
}

fn found(item: Option<&Item>) -> Result<Counted, StoreError> {
    item.map(read).transpose().map(Counted::No)
}

/// Eight hex digits until the year 2106: short names keep an item of 66 slots below 1 KB.
fn slot_name(second: i64) -> String {
    format!("{second:08x}")
}

fn expiry(second: i64) -> AttributeValue {
    AttributeValue::N(second.saturating_add(KEPT_FOR.as_secs()).to_string())
}

fn read(item: &Item) -> Result<History, StoreError> {
    fn integer<T: std::str::FromStr>(value: Option<&AttributeValue>) -> Option<T> {
        value?.as_n().ok()?.parse().ok()
    }
    let corrupt = |attribute| move || StoreError::corrupt("rate", attribute);
    let slots = item.get(SLOTS).and_then(|slots| slots.as_m().ok());
    let slot = |(name, before): (&String, &AttributeValue)| {
        Some((i64::from_str_radix(name, 16).ok()?, integer(Some(before))?))
    };
    let slots: Option<BTreeMap<i64, u64>> =
        slots.and_then(|slots| slots.iter().map(slot).collect());
    Ok(History {
        born: integer(item.get(BORN)).ok_or_else(corrupt(BORN))?,
        admitted: integer(item.get(ADMITTED)).ok_or_else(corrupt(ADMITTED))?,
        slots: slots.ok_or_else(corrupt(SLOTS))?,
    })
}
