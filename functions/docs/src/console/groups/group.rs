//! A group as the API lists it.

use clientele::store::{GroupId, PAGE_SIZE};
use serde::Deserialize;

use crate::console::{Stop, User, stop::Refusal};

/// A group.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) dataset: String,
    /// How many members it has.
    pub(crate) customers: u64,
}

/// Some groups, and where the others are.
#[derive(Debug, Deserialize)]
pub(crate) struct Groups {
    pub(crate) groups: Vec<Group>,
    pub(crate) next_after: Option<String>,
}

impl Group {
    /// The group of an id in a path.
    pub(super) async fn named(user: &User<'_>, id: &str) -> Result<Self, Stop> {
        let unknown = || Refusal::missing(user.page().say("group-unknown")).into();
        let Ok(id) = id.parse::<GroupId>() else {
            return Err(unknown());
        };
        let found: Groups = user.get(&format!("/v1/groups?id={id}")).await?;
        found.groups.into_iter().next().ok_or_else(unknown)
    }

    /// The path of its page.
    pub(super) fn path(&self) -> String {
        format!("/console/groups/{}", self.id)
    }

    /// The path of something about it.
    pub(super) fn path_of(&self, what: &str) -> String {
        format!("/console/groups/{}/{what}", self.id)
    }

    /// How many pages it has.
    pub(super) fn pages(&self) -> u64 {
        self.customers.div_ceil(PAGE_SIZE)
    }

    /// Whether all of a source's records are in it, so that it cannot be deleted.
    pub(super) fn is_of_source(&self) -> bool {
        let id = self.id.parse::<GroupId>();
        id.is_ok_and(|id| id.is_of_source())
    }
}
