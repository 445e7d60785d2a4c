//! Going through the whole table.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::{
    GroupId, Store, StoreError,
    capacity::Units,
    layout::{self, CUSTOMER_UID, DEVICE_UID, Key, KindInGroup, PK, SK},
};
use crate::identity::RecordId;

/// A thing in the table that tells of a record.
#[derive(Debug)]
pub enum Found {
    /// The record itself.
    Record(RecordId),
    /// Its membership in a group.
    Membership(GroupId, RecordId),
}

impl Store {
    /// Shows every record and every membership by its key, strongly consistent. What is written
    /// meanwhile may be among them or not.
    pub async fn visit(&self, mut show: impl FnMut(Found)) -> Result<(), StoreError> {
        let mut pages = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .projection_expression("#pk, #sk, #customer, #device")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_names("#customer", CUSTOMER_UID)
            .expression_attribute_names("#device", DEVICE_UID)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(StoreError::call("Scan"))?;
            self.capacity.add(Units::Read, &page.consumed_capacity);
            for item in page.items() {
                let key = Key::of(item)?;
                if let Some(id) = layout::record_id(&key) {
                    show(Found::Record(id));
                } else if let Some((_, group, KindInGroup::Membership)) = layout::group_of(&key.pk)
                {
                    show(Found::Membership(group, layout::member(item)?));
                }
            }
        }
        Ok(())
    }
}
