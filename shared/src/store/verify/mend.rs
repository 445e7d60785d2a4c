//! Mending what does not agree, each difference in one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, TransactWriteItem, Update};

use crate::{
    identity::{OrganizationId, RecordId},
    store::{
        GroupId, Store, StoreError,
        item::number,
        layout::{self, GROUPS, Key, MEMBERS, PK},
        retry::Backoff,
        transact::Transacted,
    },
};

impl Store {
    pub(super) async fn add_membership(
        &self,
        group: &GroupId,
        id: &RecordId,
    ) -> Result<bool, StoreError> {
        let organization = id.customer().organization();
        let item = layout::membership_item(organization, group, id);
        let exists = "contains(#groups, :group)";
        let actions = vec![
            self.check_record(id, group, exists)?,
            self.put_new(item)?,
            self.move_counter(
                &layout::counter(organization, group, id.hash().bucket()),
                "1",
            )?,
        ];
        self.mend(actions).await
    }

    pub(super) async fn remove_membership(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        id: &RecordId,
    ) -> Result<bool, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(layout::membership(organization, group, id).to_item()))
            .condition_expression("attribute_exists(#pk)")
            .expression_attribute_names("#pk", PK)
            .build()
            .map_err(|_| StoreError::corrupt("request", "delete"))?;
        let actions = vec![
            self.check_record(id, group, "NOT contains(#groups, :group)")?,
            TransactWriteItem::builder().delete(delete).build(),
            self.move_counter(
                &layout::counter(organization, group, id.hash().bucket()),
                "-1",
            )?,
        ];
        self.mend(actions).await
    }

    fn check_record(
        &self,
        id: &RecordId,
        group: &GroupId,
        condition: &str,
    ) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(layout::record(id).to_item()))
            .condition_expression(condition)
            .expression_attribute_names("#groups", GROUPS)
            .expression_attribute_values(":group", AttributeValue::S(group.to_string()))
            .build()
            .map_err(|_| StoreError::corrupt("request", "condition"))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    pub(in crate::store) fn move_counter(
        &self,
        key: &Key,
        by: &str,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("ADD #members :by")
            .expression_attribute_names("#members", MEMBERS)
            .expression_attribute_values(":by", number(by))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Sets a counter to what there is, if it still says what it said.
    pub(super) async fn correct(
        &self,
        key: &Key,
        counter: i64,
        members: i64,
    ) -> Result<bool, StoreError> {
        let values = HashMap::from([
            (":members".to_owned(), number(members)),
            (":counter".to_owned(), number(counter)),
        ]);
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("SET #members = :members")
            .condition_expression(
                "#members = :counter OR (attribute_not_exists(#members) AND :counter = :zero)",
            )
            .expression_attribute_names("#members", MEMBERS)
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":zero", number(0))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        self.mend(vec![TransactWriteItem::builder().update(update).build()])
            .await
    }

    /// Writes a repair, unless what it mends has changed meanwhile. Other repairs and imports
    /// that move the same counter are waited for.
    async fn mend(&self, actions: Vec<TransactWriteItem>) -> Result<bool, StoreError> {
        let mut backoff = Backoff::new("mending a busy group");
        loop {
            match self.transact(actions.clone()).await? {
                Transacted::Done => return Ok(true),
                Transacted::Canceled(failed) if !failed.is_empty() => return Ok(false),
                Transacted::Canceled(_) => {}
            }
            backoff.wait().await?;
        }
    }
}
