//! Writes on a condition, alone or as actions of a transaction.

use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, ReturnConsumedCapacity, TransactWriteItem, builders::UpdateBuilder,
};

use super::{
    Store, StoreError,
    capacity::Units,
    layout::{Key, PK},
    retry::Backoff,
};

impl Store {
    /// A conditional update of one item, outside any transaction. Returns whether its condition
    /// held; a transaction that has the item is waited for.
    pub(super) async fn update_alone(
        &self,
        update: UpdateBuilder,
        what: &'static str,
    ) -> Result<bool, StoreError> {
        let update = update
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        let mut backoff = Backoff::new(what);
        loop {
            let update = update.clone();
            let result = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(update.key))
                .update_expression(update.update_expression)
                .set_condition_expression(update.condition_expression)
                .set_expression_attribute_names(update.expression_attribute_names)
                .set_expression_attribute_values(update.expression_attribute_values)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            let error = match result {
                Ok(output) => {
                    self.capacity.add(Units::Write, &output.consumed_capacity);
                    return Ok(true);
                }
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => {
                    return Ok(false);
                }
                Some(service) if service.is_transaction_conflict_exception() => {
                    backoff.wait().await?;
                }
                _ => return Err(StoreError::call("UpdateItem")(error)),
            }
        }
    }

    /// A transaction's action that deletes an item which must exist.
    pub(super) fn delete_existing(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .build()
            .map_err(|_| StoreError::corrupt("request", "delete"))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// A transaction's action that writes nothing, and fails if an item exists.
    pub(super) fn check_absent(&self, key: &Key) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .condition_expression("attribute_not_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .build()
            .map_err(|_| StoreError::corrupt("request", "condition"))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}
