//! Making and renaming groups.

use aws_sdk_dynamodb::types::{AttributeValue, Update};

use super::{FoundGroup, Group, GroupId};
use crate::{
    dataset::Dataset,
    identity::OrganizationId,
    store::{
        Store, StoreError, item,
        layout::{self, DATASET, DELETED_BY, Item, NAME, NUMBER, PK},
        organizations::Numbered,
    },
};

/// The integer counter that groups are numbered by.
const COUNTER: &str = "group";

/// What came of making a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// It was made.
    New(Group),
    /// There is one under this id.
    Exists(Group),
    /// There was one under this id, whose memberships a job still removes.
    BeingDeleted,
}

impl Store {
    /// Makes a group for a dataset.
    pub async fn create_group(
        &self,
        organization: OrganizationId,
        id: &GroupId,
        name: &str,
        dataset: &str,
    ) -> Result<Made, StoreError> {
        let mut group = Group {
            id: id.clone(),
            name: name.to_owned(),
            dataset: dataset.to_owned(),
            number: 0,
        };
        // A source's own group lasts, so that nothing has to tell it from a later one.
        let is_new = match id.is_of_source() {
            true => self.create(write_group(organization, &group)).await?,
            false => {
                let items = |number: u64| {
                    let mut item = write_group(organization, &group);
                    item.insert(NUMBER.to_owned(), item::number(number));
                    vec![item]
                };
                match self.create_numbered(organization, COUNTER, items).await? {
                    Numbered::Written(number) => {
                        group.number = number;
                        true
                    }
                    Numbered::Exists => false,
                }
            }
        };
        if is_new {
            return Ok(Made::New(group));
        }
        match self.find_group(organization, id).await? {
            Some(FoundGroup::Kept(group)) => Ok(Made::Exists(group)),
            Some(FoundGroup::Deleted { .. }) => Ok(Made::BeingDeleted),
            // Its deletion ended in between.
            None => Err(StoreError::Contention("making a group")),
        }
    }

    /// The group with this id: the existing one, or a new one for a dataset. None while one
    /// that was deleted is still under this id.
    pub async fn ensure_group(
        &self,
        organization: OrganizationId,
        id: &GroupId,
        dataset: &Dataset,
    ) -> Result<Option<Group>, StoreError> {
        if let Some(found) = self.find_group(organization, id).await? {
            return Ok(found.kept());
        }
        let made = self.create_group(organization, id, id.as_str(), dataset.name());
        Ok(match made.await? {
            Made::New(group) | Made::Exists(group) => Some(group),
            Made::BeingDeleted => None,
        })
    }

    /// Gives a group another name; nothing if there is no such group.
    pub async fn rename_group(
        &self,
        organization: OrganizationId,
        id: &GroupId,
        name: &str,
    ) -> Result<Option<Group>, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(layout::group(organization, id).to_item()))
            .update_expression("SET #name = :name")
            .condition_expression("attribute_exists(#pk) AND attribute_not_exists(#deleted)")
            .expression_attribute_names("#name", NAME)
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#deleted", DELETED_BY)
            .expression_attribute_values(":name", AttributeValue::S(name.to_owned()));
        match self.update_alone(update, "renaming a group").await? {
            true => self.group(organization, id).await,
            false => Ok(None),
        }
    }
}

fn write_group(organization: OrganizationId, group: &Group) -> Item {
    let mut item = layout::group(organization, &group.id).to_item();
    item.insert(NAME.to_owned(), AttributeValue::S(group.name.clone()));
    item.insert(DATASET.to_owned(), AttributeValue::S(group.dataset.clone()));
    item
}
