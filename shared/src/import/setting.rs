//! What a job's rows are checked against, and where they go.

use std::sync::Arc;

use super::{
    FileError, ImportError, Importer, ObjectKey, ObjectKeyError, rules::Rules, run::Stopped,
};
use crate::{
    dataset::{Dataset, workspace::WORKSPACE},
    identity::{DataOrigin, OrganizationId},
    protection::{OrganizationKeys, Protector},
    record::{IdSeed, Validator},
    store::{
        FoundGroup, Group, GroupId, StoreError,
        jobs::{Job, Mode},
    },
};

pub(super) struct Setting {
    rules: Rules,
    pub(super) group: Option<GroupId>,
    /// Whether a group that there is not is made: a dropped file makes it, a request does not.
    makes_groups: bool,
}

impl Importer<'_> {
    /// Checks what the job names before its file is read.
    pub(super) async fn setting(&self, job: &Job) -> Result<Setting, Stopped> {
        let key: ObjectKey = job.key.parse().map_err(|error: ObjectKeyError| {
            let reason = error.to_string();
            Stopped::File(FileError::Key { reason })
        })?;
        if job.mode == Mode::Unknown {
            return Err(Stopped::File(FileError::UnknownMode));
        }
        let organization = self.store.organization(job.organization).await?;
        let dataset = self.dataset(job).await?;
        let origin: DataOrigin = job
            .data_origin
            .parse()
            .map_err(|_| StoreError::corrupt("job", "data_origin"))?;
        match dataset.source() {
            Some(own) if *own == origin => {}
            Some(own) => {
                return Err(Stopped::File(FileError::SourceOfDataset {
                    dataset: dataset.name().to_owned(),
                    source: own.to_string(),
                }));
            }
            None if origin.is_reserved() => {
                return Err(Stopped::File(FileError::ReservedSource));
            }
            None => {}
        }
        let group = job.group.as_deref().map(str::parse).transpose();
        let group: Option<GroupId> = group.map_err(|_| StoreError::corrupt("job", "group"))?;
        let own = GroupId::of_source(&dataset, &origin);
        if group
            .as_ref()
            .is_some_and(|group| *group != own && group.is_of_source())
        {
            return Err(Stopped::File(FileError::GroupOfOtherSource));
        }
        Ok(Setting {
            rules: Rules {
                organization: job.organization,
                dataset,
                origin,
                settings: organization.unwrap_or_default(),
                keys: self.keys_for(job).await?,
            },
            group,
            makes_groups: matches!(key, ObjectKey::Inbox { .. }),
        })
    }

    async fn dataset(&self, job: &Job) -> Result<Arc<Dataset>, Stopped> {
        let found = self.store.dataset(job.organization, &job.dataset).await?;
        found.ok_or_else(|| {
            let mut names: Vec<_> = Dataset::all_builtin().iter().map(|d| d.name()).collect();
            names.push(WORKSPACE);
            Stopped::File(match job.dataset == WORKSPACE {
                true => FileError::NoWorkspaceFields,
                false => FileError::UnknownDataset {
                    datasets: names.join(", "),
                },
            })
        })
    }

    /// Whether the records may join their groups, as far as those exist.
    pub(super) async fn check_groups(
        &self,
        organization: OrganizationId,
        setting: &Setting,
    ) -> Result<(), Stopped> {
        for (id, dataset) in setting.groups() {
            match self.store.find_group(organization, &id).await? {
                Some(FoundGroup::Kept(group)) => check_group(group, &dataset)?,
                Some(FoundGroup::Deleted { .. }) => return Err(group_deleted(&id)),
                None if setting.makes_groups || id.is_of_source() => {}
                None => return Err(group_deleted(&id)),
            }
        }
        Ok(())
    }

    /// The groups that the records join, made on first use.
    pub(super) async fn ensure_groups(
        &self,
        organization: OrganizationId,
        setting: &Setting,
    ) -> Result<(), Stopped> {
        for (id, dataset) in setting.groups() {
            let group = self.store.ensure_group(organization, &id, &dataset).await?;
            check_group(group.ok_or_else(|| group_deleted(&id))?, &dataset)?;
        }
        Ok(())
    }

    /// The group that the records are uploaded to. None once it has been deleted: the records
    /// of an import that has begun are stored all the same.
    pub(super) async fn uploaded_to(
        &self,
        organization: OrganizationId,
        setting: &Setting,
    ) -> Result<Option<Group>, StoreError> {
        let Some(id) = &setting.group else {
            return Ok(None);
        };
        let group = self.store.group(organization, id).await?;
        Ok(group.filter(|group| group.dataset == setting.dataset().name()))
    }

    async fn keys_for(&self, job: &Job) -> Result<Arc<OrganizationKeys>, ImportError> {
        Ok(match job.mode {
            Mode::Write | Mode::AllOrNothing | Mode::Update => {
                self.keys.for_writing(job.organization).await?
            }
            Mode::DryRun | Mode::Unknown => self.keys.for_dry_run(job.organization).await?,
        })
    }
}

fn group_deleted(id: &GroupId) -> Stopped {
    let group = id.to_string();
    Stopped::File(FileError::GroupDeleted { group })
}

fn check_group(group: Group, dataset: &Dataset) -> Result<(), Stopped> {
    match group.dataset == dataset.name() {
        true => Ok(()),
        false => Err(Stopped::File(FileError::GroupOfOtherDataset {
            dataset: group.dataset,
        })),
    }
}

impl Setting {
    /// The groups that the records join, and the dataset of each.
    fn groups(&self) -> Vec<(GroupId, Arc<Dataset>)> {
        let own =
            |dataset: Arc<Dataset>| (GroupId::of_source(&dataset, &self.rules.origin), dataset);
        let mut groups = vec![own(Arc::clone(&self.rules.dataset))];
        if self.rules.dataset.is_of_devices() {
            groups.push(own(Dataset::customers()));
        }
        let named = self.group.clone();
        groups.extend(named.map(|group| (group, Arc::clone(&self.rules.dataset))));
        groups
    }

    pub(super) fn dataset(&self) -> &Arc<Dataset> {
        &self.rules.dataset
    }

    pub(super) fn keys(&self) -> &Arc<OrganizationKeys> {
        &self.rules.keys
    }

    pub(super) fn validator(&self, job: &Job) -> Validator {
        // A repeated job makes the same records.
        let seed = IdSeed::new(job.created_at, job.id);
        self.rules.validator(job.mode).with_ids_from(seed)
    }

    pub(super) fn protector(&self) -> Protector {
        self.rules.protector()
    }
}
