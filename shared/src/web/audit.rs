//! The audit: one structured line per call, without personal values.

use http::StatusCode;
use serde_json::{Map, Value};

use super::Principal;
use crate::store::GroupId;

/// What a call did, gathered while it is answered.
///
/// A line says who (organisation and principal), what (action, group, digests of uids, counts),
/// how it ended (status) and which request it was. Its time is the log line's own.
#[derive(Debug, Default)]
pub struct AuditLine {
    action: Option<&'static str>,
    organization: Option<u64>,
    principal: Option<String>,
    group: Option<String>,
    uid_digests: Vec<String>,
    counts: Map<String, Value>,
    job: Option<String>,
    reveal: bool,
    is_deletion: bool,
    is_replayed: bool,
}

impl AuditLine {
    /// Says what the call is about to do.
    pub(super) fn action(&mut self, action: &'static str) {
        self.action = Some(action);
    }

    /// Says who calls.
    pub(super) fn caller(&mut self, caller: &Principal) {
        self.organization = Some(caller.organization.get());
        self.principal = Some(caller.subject.clone());
    }

    /// Says which group's records the call is about.
    pub fn group(&mut self, group: &GroupId) {
        self.group = Some(group.to_string());
    }

    /// Says which records the call is about, by keyed digests of their uids.
    pub fn uid_digests(&mut self, digests: impl IntoIterator<Item = String>) {
        self.uid_digests.extend(digests);
    }

    /// Counts something.
    pub fn count(&mut self, what: &'static str, number: u64) {
        self.counts.insert(what.to_owned(), number.into());
    }

    /// Says which job the call started or asked for.
    pub fn job(&mut self, id: impl ToString) {
        self.job = Some(id.to_string());
    }

    /// Says that personal data was given out in clear.
    pub fn reveal(&mut self) {
        self.reveal = true;
    }

    /// Says that something was deleted for good: the line is logged as a warning.
    pub fn deletion(&mut self) {
        self.is_deletion = true;
    }

    /// Says that the reply is one that was kept for the call's idempotency key.
    pub(super) fn replayed(&mut self) {
        self.is_replayed = true;
    }

    /// Writes the line. A call that reached no route leaves none.
    pub(super) fn write(&self, status: StatusCode, request_id: &str) {
        let Some(action) = self.action else {
            return;
        };
        let counts =
            (!self.counts.is_empty()).then(|| Value::Object(self.counts.clone()).to_string());
        let uids = (!self.uid_digests.is_empty()).then(|| self.uid_digests.join(" "));
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "clientele::audit",
                    action,
                    organization = self.organization,
                    principal = self.principal,
                    group = self.group,
                    uid_digests = uids,
                    counts,
                    job = self.job,
                    reveal = self.reveal.then_some(true),
                    replayed = self.is_replayed.then_some(true),
                    status = status.as_u16(),
                    refused = status.is_client_error().then_some(true),
                    request_id,
                    "audit"
                )
            };
        }
        match self.is_deletion {
            true => line!(warn),
            false => line!(info),
        }
    }
}
