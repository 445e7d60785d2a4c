//! Changing single attributes of a job that has not ended, whatever others change meanwhile.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use serde_dynamo::to_attribute_value;

use super::Job;
use crate::store::{Store, StoreError, capacity::Units, layout};

impl Store {
    /// Gives an invocation's lease back, if it still has it.
    pub async fn release_job(&self, job: &Job, owner: &str) -> Result<(), StoreError> {
        let none = AttributeValue::Null(true);
        self.update_running(
            job,
            "SET #owner = :none, #until = :none",
            "#owner = :me",
            &[("#owner", "lease_owner"), ("#until", "lease_until")],
            vec![
                (":none", none),
                (":me", AttributeValue::S(owner.to_owned())),
            ],
        )
        .await
        .map(drop)
    }

    /// Ends a job whose parts may be under way. Returns whether it had not ended before.
    pub async fn end_split_job(&self, job: &Job) -> Result<bool, StoreError> {
        let value = |value: serde_dynamo::Result<AttributeValue>| {
            value.map_err(|_| StoreError::corrupt("job", "state"))
        };
        let ended = self.update_running(
            job,
            "SET #to = :state, #finished = :finished, #error = :error",
            "#split = :true",
            &[
                ("#to", "state"),
                ("#finished", "finished_at"),
                ("#error", "error"),
                ("#split", "is_split"),
            ],
            vec![
                (":state", value(to_attribute_value(job.state))?),
                (":finished", value(to_attribute_value(job.finished_at))?),
                (":error", value(to_attribute_value(&job.error))?),
                (":true", AttributeValue::Bool(true)),
            ],
        );
        Ok(ended.await? || self.has_ended_as(job).await?)
    }

    /// Whether a job has ended with this very end: one whose reply was lost is found done.
    pub(super) async fn has_ended_as(&self, job: &Job) -> Result<bool, StoreError> {
        let found = self.job(job.organization, job.id).await?;
        Ok(found.is_some_and(|found| {
            found.state == job.state
                && found.state.is_ended()
                && found.finished_at == job.finished_at
        }))
    }

    /// Updates a job that has not ended. Returns whether the condition held.
    pub(super) async fn update_running(
        &self,
        job: &Job,
        update: &str,
        condition: &str,
        names: &[(&str, &str)],
        values: Vec<(&str, AttributeValue)>,
    ) -> Result<bool, StoreError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(layout::job(job.organization, job.id).to_item()))
            .update_expression(update)
            .condition_expression(format!("#state IN (:queued, :running) AND {condition}"))
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":queued", text("queued"))
            .expression_attribute_values(":running", text("running"))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        for (placeholder, name) in names {
            call = call.expression_attribute_names(*placeholder, *name);
        }
        for (placeholder, value) in values {
            call = call.expression_attribute_values(placeholder, value);
        }
        match call.send().await {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }
}
