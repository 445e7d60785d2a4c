//! What a job is.

use std::ops::AddAssign;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{dataset::Dataset, identity::OrganizationId, language::Language, store::GroupId};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Registered; nobody works on it yet.
    Queued,
    /// Being worked on.
    Running,
    /// Every row landed.
    Completed,
    /// Some rows were refused.
    CompletedWithRejections,
    /// The file was refused.
    Failed,
    /// Stopped on request.
    Cancelled,
}

impl JobState {
    /// Whether every row of the file was dealt with.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithRejections)
    }

    /// Whether nothing more will happen.
    pub fn is_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// What a job is for. Jobs that were stored before there were several are imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Rows of a dropped file or a request become records.
    #[default]
    Import,
    /// The same, of a file that was announced.
    Upload,
    /// Rows change records that exist.
    Update,
    /// Values are encrypted again, under the newest key.
    Rewrap,
    /// A group's memberships are removed, then the group.
    DeleteGroup,
}

impl Operation {
    /// The operation's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Upload => "upload",
            Self::Update => "update",
            Self::Rewrap => "rewrap",
            Self::DeleteGroup => "delete_group",
        }
    }

    /// Whether it may be stopped halfway. A group that is half deleted would be neither there
    /// nor gone.
    pub fn can_be_cancelled(self) -> bool {
        self != Self::DeleteGroup
    }

    /// What the audit calls its end.
    pub fn action(self) -> &'static str {
        match self {
            Self::Import | Self::Upload => "records.import",
            Self::Update => "records.update",
            Self::Rewrap => "records.rewrap",
            Self::DeleteGroup => "groups.empty",
        }
    }

    /// Whether it works on a file's rows, and not on what is stored.
    pub fn has_file(self) -> bool {
        matches!(self, Self::Import | Self::Upload | Self::Update)
    }
}

/// How the rows of a file land.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Valid rows land, whatever becomes of others.
    #[default]
    Write,
    /// No row lands if one is refused.
    AllOrNothing,
    /// Rows only change records of their group; no row lands if one is not right.
    Update,
    /// Nothing is written; the counts say what would be.
    DryRun,
    /// A mode was asked for that there is not: the job fails.
    Unknown,
}

impl Mode {
    /// Whether no row lands if one is found wrong before any has landed.
    pub fn lands_whole(self) -> bool {
        matches!(self, Self::AllOrNothing | Self::Update)
    }

    /// Reads a mode by its name; none is [`Mode::Write`].
    pub fn named(name: Option<&str>) -> Option<Self> {
        match name {
            None | Some("" | "write") => Some(Self::Write),
            Some("all_or_nothing") => Some(Self::AllOrNothing),
            Some("dry_run") => Some(Self::DryRun),
            Some(_) => None,
        }
    }
}

/// What became of a job's rows so far. The parts add up to `rows_read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Rows of the file that were dealt with.
    pub rows_read: u64,
    /// Records inserted.
    pub created: u64,
    /// Records changed.
    pub updated: u64,
    /// Rows that changed nothing.
    pub unchanged: u64,
    /// Rows whose record a later import had written already.
    pub superseded: u64,
    /// Rows that a later row of the file is about as well.
    pub duplicates: u64,
    /// Rows that were refused.
    pub rejected: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.rows_read += more.rows_read;
        self.created += more.created;
        self.updated += more.updated;
        self.unchanged += more.unchanged;
        self.superseded += more.superseded;
        self.duplicates += more.duplicates;
        self.rejected += more.rejected;
    }
}

/// Why a job failed, or how it ended, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobError {
    /// The stable code.
    pub code: String,
    /// The message in English.
    pub en: String,
    /// The message in French.
    pub fr: String,
}

/// What a column of the file became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The header in the file.
    pub header: String,
    /// The field that it fills, `custom`, or nothing.
    pub field: Option<String>,
    /// Why it was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<Ignored>,
}

/// Why a column of a file was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// Only the registry fills this field.
    Autogenerated,
    /// It has no name.
    Unnamed,
    /// The dataset does not know it, and the organisation drops such columns.
    Unknown,
}

impl Column {
    /// What its sender should know, if it was left out.
    pub fn warning(&self, language: Language) -> Option<String> {
        let header = &self.header;
        Some(match (self.ignored?, language) {
            (Ignored::Autogenerated, Language::English) => {
                format!("the column {header} was left out: only the registry fills it")
            }
            (Ignored::Autogenerated, Language::French) => {
                format!("la colonne {header} a été ignorée : seul le registre la remplit")
            }
            (Ignored::Unnamed, Language::English) => "a column without a name was left out".into(),
            (Ignored::Unnamed, Language::French) => "une colonne sans nom a été ignorée".into(),
            (Ignored::Unknown, Language::English) => {
                format!("the column {header} was left out: your organization drops unknown columns")
            }
            (Ignored::Unknown, Language::French) => format!(
                "la colonne {header} a été ignorée : votre organisation écarte les colonnes inconnues"
            ),
        })
    }
}

/// How far a large file has been split into parts, each of which is imported by itself.
///
/// The job ends when the file has been split to its end and every part that was put is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Split {
    /// Whether the file is imported in parts.
    pub is_split: bool,
    /// Rows of the file that are in parts.
    pub rows_split: u64,
    /// Parts that were put.
    pub parts_put: u64,
    /// Whether there will be no more parts.
    pub split_done: bool,
    /// Parts that were imported.
    pub parts_done: u64,
}

impl Split {
    /// Whether nothing is left to be imported.
    pub fn is_complete(&self) -> bool {
        self.is_split && self.split_done && self.parts_done == self.parts_put
    }
}

/// A piece of work that goes on in the background: an import, or another [`Operation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is for.
    #[serde(default)]
    pub operation: Operation,
    /// The import's number: later registered, higher.
    pub import_id: u64,
    /// Where it stands.
    pub state: JobState,
    /// The dataset of the records.
    pub dataset: String,
    /// The source's name.
    pub data_origin: String,
    /// The source's id.
    pub source_id: u64,
    /// The group that the records join.
    pub group: Option<String>,
    /// How its rows land.
    pub mode: Mode,
    /// The object's key.
    pub key: String,
    /// The file's name.
    pub filename: String,
    /// When the object was put, in seconds since the epoch: a file that is put again with the
    /// same content under the same key is another job's.
    pub object_modified: Option<i64>,
    /// The object's entity tag, once it is known.
    pub etag: Option<String>,
    /// Until when the object may be put, for an upload that was announced.
    pub upload_until: Option<Timestamp>,
    /// The object's size in bytes, once it is known.
    pub size: Option<u64>,
    /// The file's SHA-256 in hex, once it was read through.
    pub sha256: Option<String>,
    /// The format, once it is known.
    pub format: Option<String>,
    /// The character encoding of a text, once it is known.
    pub encoding: Option<String>,
    /// What separates the cells of a csv, once it is known.
    pub delimiter: Option<char>,
    /// Whether the file is compressed with gzip.
    #[serde(default)]
    pub gzip: bool,
    /// What the columns became.
    pub columns: Vec<Column>,
    /// Rows in the file, once it was read through.
    pub rows_total: Option<u64>,
    /// What became of the rows so far.
    #[serde(flatten)]
    pub counts: Counts,
    /// How far it was split.
    #[serde(flatten)]
    pub split: Split,
    /// Where a job without a file goes on, as its operation writes it.
    #[serde(default)]
    pub cursor: Option<String>,
    /// What its owner should know of how it ended.
    #[serde(default)]
    pub remark: Option<JobError>,
    /// When it was asked to stop.
    pub cancel_requested_at: Option<Timestamp>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When work began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<JobError>,
    /// Row errors that are kept.
    pub errors_kept: u64,
    /// The invocation that works on it.
    pub lease_owner: Option<String>,
    /// Until when, in milliseconds since the epoch.
    pub lease_until: Option<i64>,
}

impl Job {
    /// The group of all records of the job's dataset and source, if there are such.
    pub fn own_group(&self) -> Option<GroupId> {
        let names_a_dataset = Dataset::is_name(&self.dataset);
        let id = format!("{}.{}", self.dataset, self.data_origin);
        id.parse().ok().filter(|_| names_a_dataset)
    }
}

/// A job that is not registered yet.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its id, derived from the object so that a repeated event registers nothing.
    pub id: Uuid,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it is for.
    pub operation: Operation,
    /// The dataset of the records.
    pub dataset: String,
    /// The source's name.
    pub data_origin: String,
    /// The source's id.
    pub source_id: u64,
    /// The group that the records join.
    pub group: Option<String>,
    /// How its rows land.
    pub mode: Mode,
    /// The object's key.
    pub key: String,
    /// The file's name.
    pub filename: String,
    /// When the object was put, in seconds since the epoch, if it was.
    pub object_modified: Option<i64>,
    /// The object's entity tag, if it was put.
    pub etag: Option<String>,
    /// Until when the object may be put, for an upload that is announced.
    pub upload_until: Option<Timestamp>,
}

/// Whether an invocation may work on a job.
#[derive(Debug)]
pub enum Claim {
    /// It may: the job as it stands.
    Taken(Box<Job>),
    /// Somebody else works on it.
    Held,
    /// It has ended.
    Ended(Box<Job>),
}

impl NewJob {
    pub(super) fn numbered(&self, import_id: u64, now: Timestamp) -> Job {
        Job {
            id: self.id,
            organization: self.organization,
            operation: self.operation,
            import_id,
            state: JobState::Queued,
            dataset: self.dataset.clone(),
            data_origin: self.data_origin.clone(),
            source_id: self.source_id,
            group: self.group.clone(),
            mode: self.mode,
            key: self.key.clone(),
            filename: self.filename.clone(),
            object_modified: self.object_modified,
            etag: self.etag.clone(),
            upload_until: self.upload_until,
            size: None,
            sha256: None,
            format: None,
            encoding: None,
            delimiter: None,
            gzip: false,
            columns: Vec::new(),
            rows_total: None,
            counts: Counts::default(),
            split: Split::default(),
            cursor: None,
            remark: None,
            cancel_requested_at: None,
            created_at: now,
            started_at: None,
            finished_at: None,
            error: None,
            errors_kept: 0,
            lease_owner: None,
            lease_until: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_of_before_there_were_operations_is_an_import() {
        let new = NewJob {
            id: Uuid::from_u128(1),
            organization: OrganizationId::new(1).unwrap(),
            operation: Operation::Import,
            dataset: "customers".to_owned(),
            data_origin: "generic".to_owned(),
            source_id: 1,
            group: None,
            mode: Mode::Write,
            key: "inbox/1/generic/customers/a.csv".to_owned(),
            filename: "a.csv".to_owned(),
            object_modified: None,
            etag: None,
            upload_until: None,
        };
        let job = new.numbered(1, Timestamp::UNIX_EPOCH);
        let mut stored = serde_json::to_value(&job).unwrap();
        for added in ["operation", "cursor", "remark"] {
            assert!(stored.as_object_mut().unwrap().remove(added).is_some());
        }
        assert_eq!(serde_json::from_value::<Job>(stored).unwrap(), job);
    }
}
