//! What an object's key says: whose file it is and what it holds.

use std::str::FromStr;

use thiserror::Error;
use uuid::Uuid;

use crate::{
    identity::{DataOrigin, OrganizationId},
    store::GroupId,
};

/// The folder that files are dropped in.
pub const INBOX: &str = "inbox";
/// The folder of files whose job is registered before they are put.
pub const STAGED: &str = "staged";
/// The folder of files that could not be imported.
pub const FAILED: &str = "failed";

/// A key of an object to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectKey {
    /// `inbox/{organization_id}/{data_origin}/{dataset}/[{group}/]{filename}`
    Inbox {
        /// The organisation.
        organization: OrganizationId,
        /// The source.
        origin: DataOrigin,
        /// The dataset's name.
        dataset: String,
        /// The group that the records join.
        group: Option<GroupId>,
        /// The file's name.
        filename: String,
    },
    /// `staged/{organization_id}/{job}/{filename}`
    Staged {
        /// The organisation.
        organization: OrganizationId,
        /// The job, which knows the rest.
        job: Uuid,
        /// The file's name.
        filename: String,
    },
}

/// Why a key is not one of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ObjectKeyError {
    /// Too few or too many folders.
    #[error("it has another number of folders")]
    Shape,
    /// Not an organisation's id.
    #[error("the organization must be an integer")]
    Organization,
    /// Not a source's name.
    #[error("the source must be 1 to 32 characters of a-z, 0-9 and _")]
    Origin,
    /// Not a group's id.
    #[error("the group must be 1 to 64 characters of a-z, 0-9, _, . and -, other than . and ..")]
    Group,
    /// Not a job's id.
    #[error("the job must be a UUID")]
    Job,
}

impl FromStr for ObjectKey {
    type Err = ObjectKeyError;

    /// Reads a key, already URL-decoded.
    fn from_str(key: &str) -> Result<Self, Self::Err> {
        let organization = |text: &str| text.parse().map_err(|_| ObjectKeyError::Organization);
        let parts: Vec<&str> = key.split('/').collect();
        if parts.last().is_none_or(|filename| filename.is_empty()) {
            return Err(ObjectKeyError::Shape);
        }
        match parts.as_slice() {
            [INBOX, id, origin, dataset, group @ .., filename] if group.len() <= 1 => {
                Ok(Self::Inbox {
                    organization: organization(id)?,
                    origin: origin.parse().map_err(|_| ObjectKeyError::Origin)?,
                    dataset: (*dataset).to_owned(),
                    group: match group.first() {
                        Some(group) => Some(group.parse().map_err(|_| ObjectKeyError::Group)?),
                        None => None,
                    },
                    filename: (*filename).to_owned(),
                })
            }
            [STAGED, id, job, filename] => Ok(Self::Staged {
                organization: organization(id)?,
                job: job.parse().map_err(|_| ObjectKeyError::Job)?,
                filename: (*filename).to_owned(),
            }),
            _ => Err(ObjectKeyError::Shape),
        }
    }
}

impl ObjectKey {
    /// The organisation that the file belongs to.
    pub fn organization(&self) -> OrganizationId {
        match self {
            Self::Inbox { organization, .. } | Self::Staged { organization, .. } => *organization,
        }
    }

    /// Whose file it probably is, of a key that cannot be read otherwise, and the parts that
    /// were meant as source and dataset.
    pub fn misplaced(key: &str) -> Option<(OrganizationId, &str, &str)> {
        let mut parts = key.strip_prefix(INBOX)?.strip_prefix('/')?.split('/');
        let organization = parts.next()?.parse().ok()?;
        let parts: Vec<&str> = parts.collect();
        let (_, folders) = parts.split_last()?;
        let folder = |at: usize| folders.get(at).copied().unwrap_or_default();
        Some((organization, folder(0), folder(1)))
    }

    /// The key of a file whose job is registered before it is put.
    pub fn staged(organization: OrganizationId, job: Uuid, filename: &str) -> String {
        format!("{STAGED}/{organization}/{job}/{filename}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_say_whose_file_it_is() {
        let table: [(&str, Result<&str, ObjectKeyError>); 12] = [
            (
                "inbox/1/generic/customers/a.csv",
                Ok("1 generic customers - a.csv"),
            ),
            (
                "inbox/1/generic/customers/g.1/a b+c.csv",
                Ok("1 generic customers g.1 a b+c.csv"),
            ),
            (
                "staged/7/67e55044-10b1-426f-9247-bb680e5fe0c8/x.json",
                Ok("7 x.json"),
            ),
            ("inbox/1/generic/customers/", Err(ObjectKeyError::Shape)),
            ("inbox/1/generic/a.csv", Err(ObjectKeyError::Shape)),
            (
                "inbox/1/generic/customers/g/h/a.csv",
                Err(ObjectKeyError::Shape),
            ),
            (
                "outbox/1/generic/customers/a.csv",
                Err(ObjectKeyError::Shape),
            ),
            (
                "inbox/one/generic/customers/a.csv",
                Err(ObjectKeyError::Organization),
            ),
            (
                "inbox/01/generic/customers/a.csv",
                Err(ObjectKeyError::Organization),
            ),
            (
                "inbox/1/Generic/customers/a.csv",
                Err(ObjectKeyError::Origin),
            ),
            (
                "inbox/1/generic/customers/G/a.csv",
                Err(ObjectKeyError::Group),
            ),
            ("staged/1/job/a.csv", Err(ObjectKeyError::Job)),
        ];
        for (key, expected) in table {
            let read = key.parse().map(|key| match key {
                ObjectKey::Inbox {
                    organization,
                    origin,
                    dataset,
                    group,
                    filename,
                } => {
                    let group = group.map_or("-".to_owned(), |group| group.to_string());
                    format!("{organization} {origin} {dataset} {group} {filename}")
                }
                ObjectKey::Staged {
                    organization,
                    filename,
                    ..
                } => format!("{organization} {filename}"),
            });
            assert_eq!(
                read.as_deref(),
                expected.as_ref().map(|text| *text),
                "{key}"
            );
        }
    }
}
