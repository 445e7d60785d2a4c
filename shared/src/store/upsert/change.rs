//! Changing one record that exists.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, Update};
use futures::{StreamExt, TryStreamExt, stream};

use super::{Lost, Outcome, Provenance, WRITES_IN_FLIGHT, unit::Unit};
use crate::{
    protection::OrganizationKeys,
    store::{
        GroupId, Store, StoreError, StoredRecord,
        capacity::Units,
        item::{Content, bytes, number},
        layout::{
            CLOCK, CUSTOM, DIGEST, GROUPS, LAST_IMPORT_ID, LAST_SOURCE_ID, PROFILE, UPDATED_AT,
            VALUE_DIGESTS,
        },
    },
};

impl Store {
    /// An update of a record, on condition that it still is what was read.
    pub(super) fn update(
        &self,
        unit: &Unit,
        stored: &StoredRecord,
        content: Option<&Content>,
        groups: &[GroupId],
        provenance: &Provenance,
        keys: &OrganizationKeys,
    ) -> Result<Update, StoreError> {
        let mut values: BTreeMap<&str, AttributeValue> = BTreeMap::new();
        let mut removed: Vec<&str> = Vec::new();
        if let Some(content) = content {
            let mut attributes = content.to_item();
            for name in [PROFILE, CUSTOM, VALUE_DIGESTS, CLOCK] {
                match attributes.remove(name) {
                    Some(value) => drop(values.insert(name, value)),
                    None => removed.push(name),
                }
            }
            values.insert(DIGEST, bytes(&content.digest(keys)));
        }
        if content.is_some_and(|content| content.shows_other_than(&stored.content)) {
            values.insert(UPDATED_AT, number(provenance.at.as_millisecond()));
            // A row that comes late leaves the record the later import's.
            let (source_id, import_id) = match stored.last_import_id > provenance.import_id {
                true => (stored.last_source_id, stored.last_import_id),
                false => (provenance.source_id, provenance.import_id),
            };
            values.insert(LAST_SOURCE_ID, number(source_id));
            values.insert(LAST_IMPORT_ID, number(import_id));
        }
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(unit.key.to_item()))
            .condition_expression(
                "#condition_digest = :read_digest AND #condition_import = :read_import",
            )
            .expression_attribute_names("#condition_digest", DIGEST)
            .expression_attribute_names("#condition_import", LAST_IMPORT_ID)
            .expression_attribute_values(":read_digest", bytes(&stored.digest))
            .expression_attribute_values(":read_import", number(stored.last_import_id));
        let mut clauses = Vec::new();
        if !values.is_empty() {
            let set: Vec<_> = values
                .keys()
                .map(|name| format!("#{name} = :{name}"))
                .collect();
            clauses.push(format!("SET {}", set.join(", ")));
        }
        for (name, value) in values {
            update = update
                .expression_attribute_names(format!("#{name}"), name)
                .expression_attribute_values(format!(":{name}"), value);
        }
        if !removed.is_empty() {
            let remove: Vec<_> = removed.iter().map(|name| format!("#{name}")).collect();
            clauses.push(format!("REMOVE {}", remove.join(", ")));
        }
        for name in removed {
            update = update.expression_attribute_names(format!("#{name}"), name);
        }
        if !groups.is_empty() {
            clauses.push("ADD #groups :groups".to_owned());
            let ids = groups.iter().map(GroupId::to_string).collect();
            update = update
                .expression_attribute_names("#groups", GROUPS)
                .expression_attribute_values(":groups", AttributeValue::Ss(ids));
        }
        update
            .update_expression(clauses.join(" "))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))
    }

    pub(super) async fn write_changes(
        &self,
        changes: Vec<(usize, Update, Outcome)>,
    ) -> Result<Vec<(usize, Result<Outcome, Lost>)>, StoreError> {
        stream::iter(changes)
            .map(|(unit, update, outcome)| async move {
                let result = self.write_change(update).await?;
                Ok((unit, result.map(|()| outcome)))
            })
            .buffer_unordered(WRITES_IN_FLIGHT)
            .try_collect()
            .await
    }

    async fn write_change(&self, update: Update) -> Result<Result<(), Lost>, StoreError> {
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
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(Ok(()))
            }
            Err(error) => match error.as_service_error() {
                Some(service)
                    if service.is_conditional_check_failed_exception()
                        || service.is_transaction_conflict_exception() =>
                {
                    Ok(Err(Lost::default()))
                }
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }
}
