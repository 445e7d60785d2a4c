//! Jobs without a file: work that takes longer than a request may.

use jiff::Timestamp;

use super::{
    ImportError, Importer, Invocation,
    run::{Stopped, log_end},
};
use crate::store::{
    GroupId, StoreError,
    jobs::{Job, JobState},
};

impl Importer<'_> {
    /// Removes the memberships of a group that was marked as deleted.
    pub(super) async fn delete_group(
        &self,
        mut job: Job,
        invocation: Invocation<'_>,
    ) -> Result<(), ImportError> {
        let group = job.group.as_deref().map(str::parse);
        let Some(Ok(group)): Option<Result<GroupId, _>> = group else {
            return Err(StoreError::corrupt("job", "group").into());
        };
        let organization = job.organization;
        let mut saved = job.counts.rows_read;
        if job.rows_total.is_none() {
            // First of all, so that the count only falls from now on.
            self.store.close_counters(organization, &group).await?;
            job.rows_total = Some(self.store.member_count(organization, &group).await?);
        }
        loop {
            let removed = self.store.remove_next_members(organization, &group).await?;
            if removed == 0 {
                break;
            }
            job.counts.rows_read += removed;
            job.counts.updated += removed;
            match self.checkpoint(&mut job, &mut saved).await {
                Ok(()) => {}
                Err(Stopped::Failed(error)) => return Err(error),
                Err(_) => return Ok(()),
            }
            if invocation.time.is_short() {
                return self.leave_rest(&job, invocation.id).await;
            }
        }
        let now = Timestamp::now();
        self.store
            .finish_group_deletion(organization, &group, now)
            .await?;
        job.state = JobState::Completed;
        job.finished_at = Some(now);
        match self.checkpoint(&mut job, &mut saved).await {
            Ok(()) => log_end(&job),
            Err(Stopped::Failed(error)) => return Err(error),
            Err(_) => {}
        }
        Ok(())
    }
}
