//! Finds the job of an object, or registers it: once per object, in the order that decides
//! whose rows win.

use jiff::Timestamp;
use uuid::Uuid;

use super::{FileError, ImportError, Importer, Object, ObjectKey};
use crate::{
    bucket::OpenObject,
    identity::OrganizationId,
    store::{
        GroupId,
        jobs::{Job, Mode, NewJob, Operation},
    },
};

/// The object metadata that asks for another mode: `mode: dry_run`, `mode: all_or_nothing`.
const MODE: &str = "mode";
/// What job ids are derived under.
const JOB_NAMESPACE: Uuid = Uuid::from_u128(0x6a0c_51d7_33f9_4b5e_9d1c_7a1a_2b64_93e0);

impl Importer<'_> {
    /// The job of an object. None when there is nothing to work on, which has been dealt with.
    pub(super) async fn find_or_register(
        &self,
        object: &Object,
    ) -> Result<Option<Job>, ImportError> {
        let (organization, id) = match object.key.parse() {
            Ok(ObjectKey::Staged {
                organization, job, ..
            }) => (organization, job),
            Ok(ObjectKey::Inbox { organization, .. }) => (organization, self.job_id(object)),
            Err(error) => match ObjectKey::misplaced(&object.key) {
                Some((organization, _, _)) => (organization, self.job_id(object)),
                None => {
                    let reason = error.to_string();
                    self.refuse(object, FileError::Key { reason }.code())
                        .await?;
                    return Ok(None);
                }
            },
        };
        if let Some(job) = self.store.job(organization, id).await? {
            return Ok(Some(job));
        }
        if self.store.organization(organization).await?.is_none() {
            self.refuse(object, FileError::UnknownOrganization.code())
                .await?;
            return Ok(None);
        }
        let Some(open) = self
            .bucket
            .open(&object.key, object.etag.as_deref())
            .await?
        else {
            tracing::warn!("an event speaks of an object that is gone, and it has no job");
            return Ok(None);
        };
        let Some(new) = self.new_job(object, organization, id, &open).await? else {
            self.refuse(object, "bad_key").await?;
            return Ok(None);
        };
        Ok(Some(self.store.register_job(&new, Timestamp::now()).await?))
    }

    /// What an object's key says of its job. None for staged files, whose jobs are registered
    /// before they are put.
    async fn new_job(
        &self,
        object: &Object,
        organization: OrganizationId,
        id: Uuid,
        open: &OpenObject,
    ) -> Result<Option<NewJob>, ImportError> {
        let filename = object.key.rsplit('/').next().unwrap_or_default();
        let mode = open.metadata.get(MODE).map(String::as_str);
        let mut new = NewJob {
            id,
            organization,
            operation: Operation::Import,
            dataset: String::new(),
            data_origin: String::new(),
            source_id: 0,
            group: None,
            // A mode of no such name must not write: the job fails for it.
            mode: Mode::named(mode).unwrap_or(Mode::Unknown),
            key: object.key.clone(),
            filename: filename.to_owned(),
            object_modified: open.last_modified,
            etag: Some(open.etag.clone()),
            upload_until: None,
        };
        match object.key.parse() {
            Ok(ObjectKey::Inbox {
                origin,
                dataset,
                group,
                ..
            }) => {
                let source = self.store.ensure_source(organization, &origin).await?;
                new.source_id = source.id;
                new.data_origin = origin.to_string();
                new.dataset = dataset;
                new.group = group.as_ref().map(GroupId::to_string);
            }
            Ok(ObjectKey::Staged { .. }) => return Ok(None),
            // The job fails, so that its owner learns why.
            Err(_) => {
                let (_, origin, dataset) =
                    ObjectKey::misplaced(&object.key).unwrap_or((organization, "", ""));
                new.data_origin = origin.to_owned();
                new.dataset = dataset.to_owned();
            }
        }
        Ok(Some(new))
    }

    /// Derived from the object alone, so that a repeated event finds the job that exists.
    fn job_id(&self, object: &Object) -> Uuid {
        let bucket = self.bucket.name();
        let name = format!("{bucket}\n{}\n{}", object.key, object.version);
        Uuid::new_v5(&JOB_NAMESPACE, name.as_bytes())
    }

    /// Puts an object that cannot be imported, and has no job, aside.
    async fn refuse(&self, object: &Object, reason: &str) -> Result<(), ImportError> {
        tracing::warn!(reason, "a file was refused");
        let open = self
            .bucket
            .open(&object.key, object.etag.as_deref())
            .await?;
        match open {
            Some(open) => {
                let id = self.job_id(object);
                self.put_aside(&object.key, &open.etag, id, reason).await
            }
            None => Ok(()),
        }
    }
}
