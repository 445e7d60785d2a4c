//! What groups are called.

use std::{fmt, str::FromStr};

use serde::Serialize;
use thiserror::Error;

use crate::{
    dataset::{Dataset, workspace::WORKSPACE},
    identity::DataOrigin,
};

/// The longest group id, in characters.
const MAX_GROUP_ID: usize = 64;

/// A group's id, unique in its organisation: `[a-z0-9_.-]{1,64}`, but not `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct GroupId(String);

/// A text that cannot be a group's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a group id is 1 to {MAX_GROUP_ID} characters of a-z, 0-9, _, . and -, other than . and .."
)]
pub struct GroupIdError;

impl GroupId {
    /// The group that every record of a dataset and source is in, such as `customers.generic`.
    pub fn of_source(dataset: &Dataset, origin: &DataOrigin) -> Self {
        Self(format!("{}.{origin}", dataset.name()))
    }

    /// The group that the records of a dataset's name and a source are in.
    pub fn of_source_named(dataset: &str, origin: &DataOrigin) -> Result<Self, GroupIdError> {
        format!("{dataset}.{origin}").parse()
    }

    /// The source whose records the group is of, if it is a source's own.
    pub fn source(&self) -> Option<DataOrigin> {
        let (_, origin) = self.0.split_once('.').filter(|_| self.is_of_source())?;
        origin.parse().ok()
    }

    /// The group that every customer of a workspace is in.
    pub fn of_workspace() -> Self {
        Self(format!("{WORKSPACE}.{WORKSPACE}"))
    }

    /// Whether it is the group of all of some source's records.
    pub fn is_of_source(&self) -> bool {
        let Some((dataset, origin)) = self.0.split_once('.') else {
            return false;
        };
        Dataset::is_name(dataset) && origin.parse::<DataOrigin>().is_ok()
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupId {
    type Err = GroupIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let in_alphabet =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.' | b'-');
        // In the path of an address they mean the folder itself, and the one above (RFC 3986, 5.2.4).
        let is_dots = matches!(text, "." | "..");
        let fits = (1..=MAX_GROUP_ID).contains(&text.len()) && !is_dots;
        if !fits || !text.bytes().all(in_alphabet) {
            return Err(GroupIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
