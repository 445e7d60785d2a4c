//! An organisation's groups.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use futures::{StreamExt, TryStreamExt, stream};

use super::{FoundGroup, Group, GroupId, read_group};
use crate::{
    identity::OrganizationId,
    store::{
        Store, StoreError,
        capacity::Units,
        layout::{self, PK, SK},
        read::Freshness,
    },
};

/// Groups whose members are counted at once; each takes a query.
const COUNTED_AT_ONCE: usize = 25;

impl Store {
    /// An organisation's groups that come after an id, by their ids, at most `limit`.
    pub async fn groups(
        &self,
        organization: OrganizationId,
        after: Option<&GroupId>,
        limit: usize,
    ) -> Result<Vec<Group>, StoreError> {
        let (pk, from, to) = layout::groups_after(organization, after);
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":from", AttributeValue::S(from))
            .expression_attribute_values(":to", AttributeValue::S(to))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        let mut groups = Vec::new();
        // Deleted ones are left out, so that a page may not fill the list.
        while let Some(page) = pages.next().await {
            let page = page.map_err(StoreError::call("Query"))?;
            self.capacity.add(Units::Read, &page.consumed_capacity);
            for item in page.items() {
                groups.extend(read_group(item)?.kept());
            }
            if groups.len() >= limit {
                break;
            }
        }
        groups.truncate(limit);
        Ok(groups)
    }

    /// Those of some groups that exist, by their ids.
    pub async fn groups_among(
        &self,
        organization: OrganizationId,
        ids: &[GroupId],
    ) -> Result<Vec<Group>, StoreError> {
        let keys: Vec<_> = ids
            .iter()
            .map(|id| layout::group(organization, id))
            .collect();
        let found = self
            .get_many(&keys, Freshness::Strong, |item| read_group(&item))
            .await?;
        let kept = found.into_values().filter_map(FoundGroup::kept);
        let mut groups: Vec<Group> = kept.collect();
        groups.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(groups)
    }

    /// How many members each of some groups has, in their order.
    pub async fn member_counts(
        &self,
        organization: OrganizationId,
        groups: &[Group],
    ) -> Result<Vec<u64>, StoreError> {
        let ids: Vec<GroupId> = groups.iter().map(|group| group.id.clone()).collect();
        stream::iter(ids)
            .map(|id| async move { self.member_count(organization, &id).await })
            .buffered(COUNTED_AT_ONCE)
            .try_collect()
            .await
    }
}
