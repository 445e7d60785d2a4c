//! Going through the whole table.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::scan::{ScanError, ScanOutput},
    types::ReturnConsumedCapacity,
};
use futures::stream::{self, Stream, StreamExt};

use super::{
    GroupId, Store, StoreError,
    capacity::Units,
    layout::{self, CUSTOMER_UID, DEVICE_UID, Key, KindInGroup, PK, SK},
};
use crate::identity::RecordId;

/// How many parts of the table are read at once. One part alone waits for DynamoDB most of the
/// time; more than these are more than one processor reads.
pub(super) const SEGMENTS: i32 = 8;

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
        let parts = (0..SEGMENTS).map(|segment| Box::pin(self.keys_in(segment)));
        let mut pages = stream::select_all(parts);
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

    /// The pages of one part of the table, with what makes up keys.
    fn keys_in(
        &self,
        segment: i32,
    ) -> impl Stream<Item = Result<ScanOutput, SdkError<ScanError>>> + use<> {
        let pages = self
            .client
            .scan()
            .table_name(&self.table)
            .segment(segment)
            .total_segments(SEGMENTS)
            .consistent_read(true)
            .projection_expression("#pk, #sk, #customer, #device")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_names("#customer", CUSTOMER_UID)
            .expression_attribute_names("#device", DEVICE_UID)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        stream::unfold(pages, async |mut pages| Some((pages.next().await?, pages)))
    }
}
