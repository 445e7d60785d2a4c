//! Removing one record with its memberships and its places in counters.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{AttributeValue, Delete, Put, TransactWriteItem, Update},
};

use super::Erasure;
use crate::{
    identity::RecordId,
    store::{
        Fence, GroupId, Store, StoreError,
        item::number,
        layout::{self, DATASET, ERASURES, GROUPS, Item, MEMBERS, PK},
        retry::Backoff,
        transact::Transacted,
    },
};

/// Groups that a record leaves in one transaction: two actions each, of 100, and some to spare
/// for the record, the fence and the source's counter.
const GROUPS_AT_ONCE: usize = 45;

/// A record that is to be removed, as it was read.
struct Doomed {
    id: RecordId,
    /// The groups that it names.
    groups: BTreeSet<GroupId>,
    source_group: GroupId,
}

impl Doomed {
    fn read(id: &RecordId, item: &Item) -> Result<Self, StoreError> {
        let groups = item.get(GROUPS).and_then(|value| value.as_ss().ok());
        let groups = groups.into_iter().flatten().map(|group| group.parse());
        let groups: Result<_, _> = groups.collect();
        let dataset = item.get(DATASET).and_then(|value| value.as_s().ok());
        let dataset = dataset.ok_or(StoreError::corrupt("record", DATASET))?;
        Ok(Self {
            id: id.clone(),
            groups: groups.map_err(|_| StoreError::corrupt("record", GROUPS))?,
            source_group: GroupId::of_source_named(dataset, id.customer().origin())
                .map_err(|_| StoreError::corrupt("record", DATASET))?,
        })
    }

    /// The groups that it leaves next: the one that it was found in and its source's last.
    fn leaving(&self, found_in: Option<&GroupId>) -> Vec<GroupId> {
        let mut groups: Vec<&GroupId> = self.groups.iter().collect();
        groups.sort_by_key(|group| **group == self.source_group || Some(*group) == found_in);
        groups.into_iter().take(GROUPS_AT_ONCE).cloned().collect()
    }
}

/// A group that a record leaves.
struct Leaving {
    group: GroupId,
    /// Whether the record names it without being a member.
    is_stranger: bool,
}

impl Store {
    /// Removes a record with its memberships. Returns how many those were, or nothing if there
    /// is no such record.
    ///
    /// A record in more groups than one transaction takes leaves some of them first. The one
    /// that removes it also leaves the fence of an erasure.
    pub(super) async fn remove_record(
        &self,
        id: &RecordId,
        erasure: Option<&Erasure>,
    ) -> Result<Option<u64>, StoreError> {
        let key = layout::record(id);
        let mut memberships = 0;
        let mut strangers: BTreeSet<GroupId> = BTreeSet::new();
        let mut backoff = Backoff::new("removing a record");
        while let Some(item) = self.get(&key).await? {
            let doomed = Doomed::read(id, &item)?;
            let found_in = erasure.and_then(|erasure| erasure.group.as_ref());
            let leaving = doomed.leaving(found_in).into_iter();
            let leaving = leaving.map(|group| Leaving {
                is_stranger: strangers.contains(&group),
                group,
            });
            let leaving: Vec<Leaving> = leaving.collect();
            let is_last = leaving.len() == doomed.groups.len();
            let actions = self.actions(&doomed, &leaving, erasure.filter(|_| is_last), is_last)?;
            match self.transact(actions).await? {
                Transacted::Done => {
                    memberships += leaving.iter().filter(|l| !l.is_stranger).count() as u64;
                    if is_last {
                        return Ok(Some(memberships));
                    }
                }
                Transacted::Canceled(failed) => {
                    // The record's own action comes first, then one for each group.
                    for Leaving { group, is_stranger } in failed
                        .iter()
                        .filter_map(|at| leaving.get(at.checked_sub(1)?))
                    {
                        match is_stranger {
                            true => strangers.remove(group),
                            false => strangers.insert(group.clone()),
                        };
                    }
                    backoff.wait().await?;
                }
            }
        }
        Ok((memberships > 0).then_some(memberships))
    }

    fn actions(
        &self,
        doomed: &Doomed,
        leaving: &[Leaving],
        erasure: Option<&Erasure>,
        is_last: bool,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut actions = vec![match is_last {
            true => self.delete_record(doomed)?,
            false => self.leave_groups(doomed, leaving)?,
        }];
        for leaving in leaving {
            actions.push(self.delete_membership(doomed, leaving)?);
        }
        let mut is_noted = false;
        for Leaving { group, .. } in leaving.iter().filter(|l| !l.is_stranger) {
            let notes = erasure.is_some() && *group == doomed.source_group;
            actions.push(self.move_counter_down(doomed, group, 1, notes)?);
            is_noted |= notes;
        }
        if let Some(erasure) = erasure {
            if !is_noted {
                let group = &doomed.source_group;
                actions.push(self.move_counter_down(doomed, group, 0, true)?);
            }
            actions.push(self.put_fence(doomed, erasure)?);
        }
        Ok(actions)
    }

    fn delete_record(&self, doomed: &Doomed) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(layout::record(&doomed.id).to_item()))
            .condition_expression(as_read(doomed))
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#groups", GROUPS)
            .set_expression_attribute_values(groups_as_read(doomed))
            .build()
            .map_err(unbuilt)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn leave_groups(
        &self,
        doomed: &Doomed,
        leaving: &[Leaving],
    ) -> Result<TransactWriteItem, StoreError> {
        let leaving = leaving.iter().map(|leaving| leaving.group.to_string());
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(layout::record(&doomed.id).to_item()))
            .update_expression("DELETE #groups :leaving")
            .condition_expression(as_read(doomed))
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#groups", GROUPS)
            .set_expression_attribute_values(groups_as_read(doomed))
            .expression_attribute_values(":leaving", AttributeValue::Ss(leaving.collect()))
            .build()
            .map_err(unbuilt)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Deletes a membership that is there, or makes sure that there is none.
    fn delete_membership(
        &self,
        doomed: &Doomed,
        leaving: &Leaving,
    ) -> Result<TransactWriteItem, StoreError> {
        let organization = doomed.id.customer().organization();
        let key = layout::membership(organization, &leaving.group, &doomed.id);
        match leaving.is_stranger {
            true => self.check_absent(&key),
            false => self.delete_existing(&key),
        }
    }

    /// Takes a record out of a count, and notes its erasure in its source's.
    fn move_counter_down(
        &self,
        doomed: &Doomed,
        group: &GroupId,
        less: i64,
        notes_erasure: bool,
    ) -> Result<TransactWriteItem, StoreError> {
        let organization = doomed.id.customer().organization();
        let bucket = doomed.id.hash().bucket();
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(layout::counter(organization, group, bucket).to_item()))
            .expression_attribute_names("#members", MEMBERS)
            .expression_attribute_values(":less", number(-less));
        update = match notes_erasure {
            true => update
                .update_expression("ADD #members :less, #erasures :one")
                .expression_attribute_names("#erasures", ERASURES)
                .expression_attribute_values(":one", number(1)),
            false => update.update_expression("ADD #members :less"),
        };
        let update = update.build().map_err(unbuilt)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn put_fence(
        &self,
        doomed: &Doomed,
        erasure: &Erasure,
    ) -> Result<TransactWriteItem, StoreError> {
        let fence = Fence {
            digest: erasure.digest,
            receipt: erasure.receipt,
            at: erasure.at,
            groups: doomed.groups.iter().map(GroupId::to_string).collect(),
        };
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(fence.to_item(doomed.id.customer().organization())))
            .build()
            .map_err(unbuilt)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// The condition that a record still is in the groups that it was read to be in.
fn as_read(doomed: &Doomed) -> &'static str {
    match doomed.groups.is_empty() {
        true => "attribute_exists(#pk) AND attribute_not_exists(#groups)",
        false => "attribute_exists(#pk) AND #groups = :groups",
    }
}

fn groups_as_read(doomed: &Doomed) -> Option<Item> {
    if doomed.groups.is_empty() {
        return None;
    }
    let groups = doomed.groups.iter().map(GroupId::to_string).collect();
    Some(Item::from([(
        ":groups".to_owned(),
        AttributeValue::Ss(groups),
    )]))
}

fn unbuilt(_: BuildError) -> StoreError {
    StoreError::corrupt("request", "action")
}
