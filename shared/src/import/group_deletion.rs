//! The job that removes the memberships of a deleted group, and at last the group.
//!
//! Where it goes on after a stop is what is left in the table.

use jiff::Timestamp;

use super::{ImportError, Importer, Invocation, Object, TimeLeft, run::Stopped, storing::Stored};
use crate::store::{
    FoundGroup, Group, StoreError,
    jobs::{Counts, Job},
};

impl Importer<'_> {
    /// Works on a job that deletes a group.
    pub(super) async fn delete_group(
        &self,
        mut job: Job,
        object: &Object,
        invocation: Invocation<'_>,
    ) -> Result<(), ImportError> {
        let mut saved = job.counts.rows_read;
        job.started_at.get_or_insert(Timestamp::now());
        let removed = self
            .remove_group(&mut job, &mut saved, invocation.time)
            .await;
        self.conclude(job, removed, saved, object, invocation).await
    }

    /// Removes members until none is left or the time is short. The job counts them as rows.
    async fn remove_group(
        &self,
        job: &mut Job,
        saved: &mut u64,
        time: TimeLeft,
    ) -> Result<Stored, Stopped> {
        // An earlier invocation may have ended just after the group did.
        if let Some(group) = self.group_to_delete(job).await? {
            if job.rows_total.is_none() {
                self.store.close_group(job.organization, &group).await?;
                let members = self.store.member_count(job.organization, &group.id).await?;
                job.rows_total = Some(members);
                self.checkpoint(job, saved).await?;
            }
            while self.remove_some(job, &group).await? {
                self.checkpoint(job, saved).await?;
                if time.is_short() {
                    return Ok(Stored::OutOfTime);
                }
            }
            self.store
                .forget_deleted_group(job.organization, &group, job.id)
                .await?;
        }
        let removed = job.rows_total.unwrap_or_default();
        job.counts = counts(removed);
        self.complete(job, saved).await
    }

    async fn group_to_delete(&self, job: &Job) -> Result<Option<Group>, StoreError> {
        let id = job.group.as_deref().and_then(|id| id.parse().ok());
        let id = id.ok_or(StoreError::corrupt("job", "group"))?;
        Ok(match self.store.find_group(job.organization, &id).await? {
            Some(FoundGroup::Deleted { group, job: by }) if by == job.id => Some(group),
            _ => None,
        })
    }

    async fn remove_some(&self, job: &mut Job, group: &Group) -> Result<bool, StoreError> {
        let removed = self
            .store
            .remove_members(job.organization, &group.id)
            .await?;
        let left = self.store.member_count(job.organization, &group.id).await?;
        let total = job.rows_total.unwrap_or_default();
        job.counts = counts(total.saturating_sub(left));
        Ok(removed)
    }
}

/// Each member's record is changed: it forgets the group.
fn counts(removed: u64) -> Counts {
    Counts {
        rows_read: removed,
        updated: removed,
        ..Counts::default()
    }
}
