//! What a check of the table found.

use std::{collections::BTreeSet, fmt};

use crate::{
    identity::{OrganizationId, RecordId, UidHash},
    store::GroupId,
};

/// What a check found.
#[derive(Debug, Default)]
pub struct Report {
    /// Records read.
    pub records: u64,
    /// Memberships read.
    pub memberships: u64,
    /// Groups with members or counters.
    pub groups: u64,
    /// What does not agree.
    pub differences: Vec<Difference>,
    /// Differences that were mended.
    pub repaired: u64,
    /// Counters that moved with memberships that were mended: what was counted before or after
    /// that says nothing of them.
    pub(super) moved: BTreeSet<(OrganizationId, GroupId, u8)>,
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A record names a group without being a member.
    MissingMembership {
        /// The group.
        group: String,
        /// The record, by its uid's hash.
        record: UidHash,
    },
    /// A membership leads to no record, or to one that does not name the group.
    OrphanMembership {
        /// The group.
        group: String,
        /// The record, by its uid's hash.
        record: UidHash,
    },
    /// A counter is wrong.
    Count {
        /// The group.
        group: String,
        /// Which of the 256 counters.
        bucket: u8,
        /// What it says.
        counter: i64,
        /// What there is.
        members: i64,
    },
}

impl Report {
    pub(super) fn moved(&mut self, organization: OrganizationId, group: &GroupId, id: &RecordId) {
        let bucket = id.hash().bucket();
        self.moved.insert((organization, group.clone(), bucket));
    }

    pub(super) fn has_moved(
        &self,
        organization: OrganizationId,
        group: &GroupId,
        bucket: u8,
    ) -> bool {
        self.moved.contains(&(organization, group.clone(), bucket))
    }

    /// Whether everything agrees, or was made to.
    pub fn is_clean(&self) -> bool {
        self.differences.len() as u64 == self.repaired
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            records,
            memberships,
            groups,
            differences,
            repaired,
            moved: _,
        } = self;
        writeln!(
            f,
            "{records} records, {memberships} memberships in {groups} groups"
        )?;
        for difference in differences {
            writeln!(f, "{difference}")?;
        }
        match differences.len() {
            0 => write!(f, "everything agrees"),
            found => write!(f, "{found} differences, {repaired} repaired"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingMembership { group, record } => {
                write!(
                    f,
                    "group {group}: record {record} names it but is no member"
                )
            }
            Self::OrphanMembership { group, record } => {
                write!(
                    f,
                    "group {group}: member {record} has no record that names it"
                )
            }
            Self::Count {
                group,
                bucket,
                counter,
                members,
            } => write!(
                f,
                "group {group}: counter {bucket:02x} says {counter}, there are {members} members"
            ),
        }
    }
}
