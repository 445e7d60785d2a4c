//! The sources of an organisation.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};

use super::{
    Source, Store, StoreError,
    capacity::Units,
    layout::{self, Item, NAME, PK, SK, SOURCE_ID},
};
use crate::identity::{DataOrigin, OrganizationId};

/// Sources that are read at once where all of them are.
const SOURCES_AT_ONCE: i32 = 1_000;

impl Store {
    /// A source by its name, if there is one.
    pub async fn source(
        &self,
        organization: OrganizationId,
        origin: &DataOrigin,
    ) -> Result<Option<Source>, StoreError> {
        let item = self.get(&layout::source(organization, origin)).await?;
        item.as_ref().map(read).transpose()
    }

    /// An organisation's sources by name: at most so many, those after a name.
    pub async fn sources(
        &self,
        organization: OrganizationId,
        after: Option<&DataOrigin>,
        limit: i32,
    ) -> Result<Vec<Source>, StoreError> {
        let (pk, first, last) = layout::sources_after(organization, after);
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .limit(limit)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :first AND :last")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":first", AttributeValue::S(first))
            .expression_attribute_values(":last", AttributeValue::S(last))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::call("Query"))?;
        self.capacity.add(Units::Read, &output.consumed_capacity);
        output.items().iter().map(read).collect()
    }

    /// The names of all of an organisation's sources.
    pub async fn data_origins(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<DataOrigin>, StoreError> {
        let mut origins: Vec<DataOrigin> = Vec::new();
        loop {
            let more = self
                .sources(organization, origins.last(), SOURCES_AT_ONCE)
                .await?;
            if more.is_empty() {
                return Ok(origins);
            }
            origins.extend(more.into_iter().map(|source| source.origin));
        }
    }
}

fn read(item: &Item) -> Result<Source, StoreError> {
    let id = item.get(SOURCE_ID).and_then(|value| value.as_n().ok());
    let origin = item.get(NAME).and_then(|value| value.as_s().ok());
    let corrupt = |attribute| move || StoreError::corrupt("source", attribute);
    Ok(Source {
        id: id
            .and_then(|id| id.parse().ok())
            .ok_or_else(corrupt(SOURCE_ID))?,
        origin: origin
            .and_then(|origin| origin.parse().ok())
            .ok_or_else(corrupt(NAME))?,
    })
}
