//! Several writes together, or none of them.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{ReturnConsumedCapacity, TransactWriteItem},
};

use super::{Store, StoreError, capacity::Units};

/// What became of a transaction.
pub(super) enum Transacted {
    /// Everything is written.
    Done,
    /// Nothing is. Which actions' conditions did not hold, by their places; none where another
    /// transaction or write was under way on one of the items, or the table was busy.
    Canceled(Vec<usize>),
}

impl Transacted {
    /// Whether everything is written.
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

impl Store {
    /// Writes up to 100 actions in one transaction, at two write units each for every KB. The
    /// SDK does not try a canceled one again: that is for the caller, who may have to read again.
    pub(super) async fn transact(
        &self,
        actions: Vec<TransactWriteItem>,
    ) -> Result<Transacted, StoreError> {
        let result = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let error = match result {
            Ok(output) => {
                self.capacity.add(Units::Write, output.consumed_capacity());
                return Ok(Transacted::Done);
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                let reasons = canceled.cancellation_reasons().iter().enumerate();
                let failed =
                    reasons.filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"));
                Ok(Transacted::Canceled(failed.map(|(at, _)| at).collect()))
            }
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                Ok(Transacted::Canceled(Vec::new()))
            }
            _ => Err(StoreError::call("TransactWriteItems")(error)),
        }
    }
}
