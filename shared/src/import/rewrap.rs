//! Encrypts everything of an organisation again under the newest version of its key, so that older
//! versions can be retired: its records, group by group of its sources, then its objects.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Importer, Invocation, Object, TimeLeft,
    rejected::REJECTED,
    run::{ImportError, Stopped},
    storing::Stored,
};
use crate::{
    bucket::Bucket,
    protection::{KeyError, OrganizationKeys},
    store::{
        GroupId,
        jobs::{Job, JobError},
    },
};

/// The partitions that a group's members are spread over.
const SHARDS: u8 = 16;
/// An object that keeps being replaced is tried so often.
const ATTEMPTS: usize = 5;

/// How far a pass over everything has come. It is kept with the job, so it names no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Pass {
    /// What is under an older version than this is encrypted again.
    version: u32,
    /// When the pass began.
    began: Timestamp,
    /// The group that is worked on; empty before the first.
    group: String,
    /// The sixteenth of its members that is worked on.
    shard: u8,
    /// The hash of the last member that was dealt with; empty before the first.
    after: String,
    /// Whether all records are dealt with.
    records_done: bool,
    /// The last object that was dealt with; empty before the first.
    object: String,
}

/// A pass, and what it works with.
struct Rewrapping<'a> {
    job: &'a mut Job,
    saved: &'a mut u64,
    keys: &'a OrganizationKeys,
    pass: Pass,
    time: TimeLeft,
}

impl Importer<'_> {
    /// Works on a job that encrypts everything again.
    pub(super) async fn rewrap(
        &self,
        mut job: Job,
        object: &Object,
        invocation: Invocation<'_>,
    ) -> Result<(), ImportError> {
        let mut saved = job.counts.rows_read;
        job.started_at.get_or_insert(Timestamp::now());
        let stored = self
            .rewrap_everything(&mut job, &mut saved, invocation.time)
            .await;
        self.conclude(job, stored, saved, object, invocation).await
    }

    async fn rewrap_everything(
        &self,
        job: &mut Job,
        saved: &mut u64,
        time: TimeLeft,
    ) -> Result<Stored, Stopped> {
        if let Some(at) = job.cancel_requested_at {
            return Err(Stopped::Cancelled(at));
        }
        let began = Timestamp::now();
        // Not the cached ones: they may be older than the rotation.
        let keys = match self.keys.reload(job.organization).await {
            // Nothing was ever written.
            Err(KeyError::None) => return self.complete(job, saved).await,
            keys => keys?,
        };
        let pass = match &job.cursor {
            Some(cursor) => serde_json::from_str(cursor).map_err(|_| ImportError::Reader)?,
            None => self.begin_pass(job, &keys, began).await?,
        };
        let mut work = Rewrapping {
            job,
            saved,
            keys: &keys,
            pass,
            time,
        };
        if let Stored::OutOfTime = self.rewrap_records(&mut work).await? {
            return Ok(Stored::OutOfTime);
        }
        if let Stored::OutOfTime = self.rewrap_objects(&mut work).await? {
            return Ok(Stored::OutOfTime);
        }
        let pass = work.pass;
        self.retire(job, &pass).await?;
        self.complete(job, saved).await
    }

    async fn begin_pass(
        &self,
        job: &mut Job,
        keys: &OrganizationKeys,
        began: Timestamp,
    ) -> Result<Pass, ImportError> {
        let mut members = 0;
        for group in self.store.groups_of_sources(job.organization).await? {
            members += self.store.member_count(job.organization, &group).await?;
        }
        job.rows_total = Some(members);
        Ok(Pass {
            version: keys.newest_version(),
            began,
            group: String::new(),
            shard: 0,
            after: String::new(),
            records_done: false,
            object: String::new(),
        })
    }

    async fn rewrap_records(&self, work: &mut Rewrapping<'_>) -> Result<Stored, Stopped> {
        if work.pass.records_done {
            return Ok(Stored::All);
        }
        let organization = work.job.organization;
        for group in self.store.groups_of_sources(organization).await? {
            if group.as_str() < work.pass.group.as_str() {
                continue;
            }
            if group.as_str() != work.pass.group {
                work.pass.group = group.to_string();
                work.pass.shard = 0;
                work.pass.after.clear();
            }
            if let Stored::OutOfTime = self.rewrap_group(work, &group).await? {
                return Ok(Stored::OutOfTime);
            }
        }
        work.pass.records_done = true;
        Ok(Stored::All)
    }

    async fn rewrap_group(
        &self,
        work: &mut Rewrapping<'_>,
        group: &GroupId,
    ) -> Result<Stored, Stopped> {
        let organization = work.job.organization;
        while work.pass.shard < SHARDS {
            let (shard, after) = (work.pass.shard, work.pass.after.as_str());
            let (members, next) = self
                .store
                .members_after(organization, group, shard, after)
                .await?;
            let rewrapped = self.store.rewrap(&members, work.keys).await?;
            let counts = &mut work.job.counts;
            counts.rows_read += rewrapped.read;
            counts.updated += rewrapped.updated;
            counts.rejected += rewrapped.failed;
            counts.unchanged += rewrapped.read - rewrapped.updated - rewrapped.failed;
            match next {
                Some(last) => work.pass.after = last,
                None => {
                    work.pass.after.clear();
                    work.pass.shard += 1;
                }
            }
            let is_short = work.time.is_short();
            // A sixteenth without members is no progress worth keeping.
            if rewrapped.read > 0 || is_short {
                self.keep(work).await?;
            }
            if is_short {
                return Ok(Stored::OutOfTime);
            }
        }
        Ok(Stored::All)
    }

    async fn rewrap_objects(&self, work: &mut Rewrapping<'_>) -> Result<Stored, Stopped> {
        let folder = format!("{REJECTED}/{}/", work.job.organization);
        for listed in self.bucket.list(&folder).await? {
            if listed.key <= work.pass.object {
                continue;
            }
            if !rewrap_object(self.bucket, &listed.key, work.keys).await? {
                work.job.counts.rows_read += 1;
                work.job.counts.rejected += 1;
            }
            work.pass.object = listed.key;
            if work.time.is_short() {
                self.keep(work).await?;
                return Ok(Stored::OutOfTime);
            }
        }
        Ok(Stored::All)
    }

    /// Saves how far the pass has come.
    async fn keep(&self, work: &mut Rewrapping<'_>) -> Result<(), Stopped> {
        let cursor = serde_json::to_string(&work.pass).map_err(|_| ImportError::Reader)?;
        work.job.cursor = Some(cursor);
        self.checkpoint(work.job, work.saved).await
    }

    /// Retires the versions that nothing is under any more, or says why they stay.
    async fn retire(&self, job: &mut Job, pass: &Pass) -> Result<(), ImportError> {
        if job.counts.rejected > 0 {
            job.remark = Some(unreadable(job.counts.rejected));
            return Ok(());
        }
        let not_before = self
            .keys
            .retire_before(job.organization, pass.version, pass.began)
            .await?;
        job.remark = not_before.map(too_early);
        Ok(())
    }
}

/// Encrypts an object again, if it is under an older version. Returns whether it can be opened; one
/// that was deleted meanwhile need not.
async fn rewrap_object(
    bucket: &Bucket,
    key: &str,
    keys: &OrganizationKeys,
) -> Result<bool, ImportError> {
    let Some((folder, name)) = key.rfind('/').and_then(|at| key.split_at_checked(at + 1)) else {
        return Ok(true);
    };
    for _ in 0..ATTEMPTS {
        let Some(object) = bucket.open(key, None).await? else {
            return Ok(true);
        };
        let sealed = object.body.collect().await;
        let sealed = sealed.map_err(|_| ImportError::Interrupted)?.into_bytes();
        let resealed = match keys.is_outdated(&sealed) {
            Ok(false) => return Ok(true),
            Ok(true) => keys.reseal(folder, name, &sealed),
            Err(error) => Err(error),
        };
        let resealed = match resealed {
            Ok(resealed) => resealed,
            Err(error) => {
                tracing::error!(%error, "an encrypted object does not open");
                return Ok(false);
            }
        };
        if bucket.replace(key, &object.etag, resealed).await? {
            return Ok(true);
        }
    }
    Err(ImportError::Interrupted)
}

fn too_early(not_before: Timestamp) -> JobError {
    let time = not_before.strftime("%Y-%m-%d %H:%M:%S UTC");
    JobError {
        code: "keys_in_use".to_owned(),
        en: format!(
            "records and rejected rows are under the newest key now, but functions that have the key before cached \
             may still write under it, and replies that are kept for repeated requests are; start another rewrap \
             after {time} to retire it"
        ),
        fr: format!(
            "les enregistrements et les lignes rejetées sont chiffrés avec la nouvelle clé, mais des fonctions qui \
             gardent la précédente en mémoire peuvent encore s'en servir, ainsi que les réponses conservées pour les \
             requêtes répétées ; relancez un nouveau chiffrement après {time} pour la retirer"
        ),
    }
}

fn unreadable(count: u64) -> JobError {
    JobError {
        code: "values_do_not_open".to_owned(),
        en: format!(
            "{count} records or files could not be decrypted and stay as they are, so no key was retired; the log says more"
        ),
        fr: format!(
            "{count} enregistrements ou fichiers n'ont pas pu être déchiffrés et restent tels quels ; aucune clé n'a été \
             retirée ; le journal en dit plus"
        ),
    }
}
