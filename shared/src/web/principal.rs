//! Who calls, and what they may.

use std::collections::BTreeSet;

use crate::{
    caller::CallerId,
    dataset::Dataset,
    identity::{DataOrigin, OrganizationId},
    store::{GroupId, SourceGrant},
};

/// What a principal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read records.
    RecordsRead,
    /// Write records.
    RecordsWrite,
    /// Delete records.
    RecordsDelete,
    /// See personal data in clear.
    PiiReveal,
    /// Change the organisation's settings.
    WorkspaceAdmin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [
        Self::RecordsRead,
        Self::RecordsWrite,
        Self::RecordsDelete,
        Self::PiiReveal,
        Self::WorkspaceAdmin,
    ];

    /// The scope as tokens name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RecordsRead => "records:read",
            Self::RecordsWrite => "records:write",
            Self::RecordsDelete => "records:delete",
            Self::PiiReveal => "pii:reveal",
            Self::WorkspaceAdmin => "workspace:admin",
        }
    }

    /// The scopes in a `scope` claim: names separated by spaces (RFC 8693, section 4.2), each
    /// behind a prefix. Names of other services' scopes are left out.
    pub fn named_in(claim: &str, prefix: &str) -> BTreeSet<Self> {
        let names = claim
            .split(' ')
            .filter_map(|name| name.strip_prefix(prefix));
        let names: BTreeSet<&str> = names.collect();
        let scopes = Self::ALL.into_iter();
        scopes.filter(|s| names.contains(s.as_str())).collect()
    }
}

/// Who calls.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Whose data it may reach.
    pub organization: OrganizationId,
    /// The user.
    pub subject: String,
    pub(super) scopes: BTreeSet<Scope>,
    pub(super) groups: Option<BTreeSet<String>>,
    /// Of a source's token: the source.
    pub(super) source: Option<DataOrigin>,
}

impl Principal {
    /// A source that calls with a token of its own: it reads and writes its records of the
    /// token's datasets, and nothing else.
    pub fn of_source(grant: SourceGrant) -> Self {
        let datasets = grant.datasets.iter();
        let datasets = datasets.filter_map(|name| Dataset::builtin(name));
        let groups = datasets.map(|dataset| GroupId::of_source(&dataset, &grant.origin));
        Self {
            organization: grant.organization,
            subject: format!("source:{}", grant.origin),
            scopes: BTreeSet::from([Scope::RecordsRead, Scope::RecordsWrite]),
            groups: Some(groups.map(|group| group.to_string()).collect()),
            source: Some(grant.origin),
        }
    }

    /// What stands for it where its name must not be.
    pub fn id(&self) -> CallerId {
        match &self.source {
            Some(origin) => CallerId::of_source(self.organization, origin),
            None => CallerId::of_user(self.organization, &self.subject),
        }
    }

    /// The source that it speaks for, if it is one and not a user.
    pub fn source(&self) -> Option<&DataOrigin> {
        self.source.as_ref()
    }

    /// Whether it may do something.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether it may reach a group. A principal that is bound to groups may reach only those.
    pub fn may_reach(&self, group: &GroupId) -> bool {
        let bound = self.groups.as_ref();
        bound.is_none_or(|groups| groups.contains(group.as_str()))
    }

    /// The groups that it is bound to, if it is.
    pub fn groups(&self) -> Option<&BTreeSet<String>> {
        self.groups.as_ref()
    }

    /// Whether it is bound to groups, so that routes across them are closed to it.
    pub fn is_bound_to_groups(&self) -> bool {
        self.groups.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_prefix_only_names_with_it_are_scopes() {
        let table: [(&str, &[Scope]); 6] = [
            ("clientele/records:read", &[Scope::RecordsRead]),
            ("records:read", &[]),
            ("other/records:read", &[]),
            ("clientele/clientele/records:read", &[]),
            ("clientelerecords:read clientele/", &[]),
            (
                "openid other/records:delete clientele/pii:reveal clientele/records:write",
                &[Scope::RecordsWrite, Scope::PiiReveal],
            ),
        ];
        for (claim, expected) in table {
            let scopes = Scope::named_in(claim, "clientele/");
            assert_eq!(Vec::from_iter(scopes), expected, "{claim}");
        }
    }
}
