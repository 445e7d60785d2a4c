//! Whose events come through Amazon EventBridge.

use std::{collections::BTreeMap, fmt};

use thiserror::Error;

use super::ConfigError;
use crate::identity::{IdentityError, OrganizationId};

const NAME: &str = "EVENT_SOURCES";
/// The digits of an AWS account's id.
const ACCOUNT_DIGITS: usize = 12;
/// The longest source that EventBridge takes, in characters.
const MAX_SOURCE: usize = 256;

/// Who put an event on a bus.
///
/// An application says what its `source` is, and another one may say the same. The `account` that
/// it runs in is EventBridge's own word, so only both together say who it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventSender {
    /// The event's `source`.
    pub source: String,
    /// The event's `account`: 12 digits.
    pub account: String,
}

impl fmt::Display for EventSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.source, self.account)
    }
}

/// `EVENT_SOURCES`: which organisation a sender's events belong to, as
/// `com.example.loyalty@210987654321=1,com.example.shop@123456789012=7`.
///
/// An organisation may have several senders, a sender has one organisation. Events of others are
/// refused.
#[derive(Debug, Clone)]
pub struct EventSources(BTreeMap<EventSender, OrganizationId>);

/// What is wrong with an entry of `EVENT_SOURCES`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EventSourcesError {
    /// Its parts are not there.
    #[error("\"{0}\" is not of the form SOURCE@ACCOUNT=ORGANIZATION")]
    Form(String),
    /// No event has such a source.
    #[error("the source of \"{0}\" is not 1 to {MAX_SOURCE} visible ASCII characters")]
    Source(String),
    /// No AWS account has such an id.
    #[error("the account of \"{0}\" is not {ACCOUNT_DIGITS} digits")]
    Account(String),
    /// No organisation has such an id.
    #[error("the organization of \"{0}\" is none: {1}")]
    Organization(String, IdentityError),
    /// Its sender has an entry already.
    #[error("{0} has two entries")]
    Twice(EventSender),
}

impl EventSources {
    /// Reads the process environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads the setting from any source of named values. Without an entry it counts as missing.
    pub fn from_lookup(
        lookup: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let text = lookup(NAME).filter(|text| !text.trim().is_empty());
        let text = text.ok_or(ConfigError::Missing(NAME))?;
        Ok(Self::parse(&text)?)
    }

    fn parse(text: &str) -> Result<Self, EventSourcesError> {
        let mut sources = BTreeMap::new();
        for entry in text.split(',').map(str::trim) {
            let (sender, organization) = read(entry)?;
            if sources.contains_key(&sender) {
                return Err(EventSourcesError::Twice(sender));
            }
            sources.insert(sender, organization);
        }
        Ok(Self(sources))
    }

    /// The organisation that a sender's events belong to.
    pub fn organization_of(&self, sender: &EventSender) -> Option<OrganizationId> {
        self.0.get(sender).copied()
    }
}

fn read(entry: &str) -> Result<(EventSender, OrganizationId), EventSourcesError> {
    let form = || EventSourcesError::Form(entry.to_owned());
    let (sender, organization) = entry.split_once('=').ok_or_else(form)?;
    let (source, account) = sender.split_once('@').ok_or_else(form)?;
    let is_visible = source.bytes().all(|byte| byte.is_ascii_graphic());
    if !(1..=MAX_SOURCE).contains(&source.len()) || !is_visible {
        return Err(EventSourcesError::Source(entry.to_owned()));
    }
    let is_number = account.bytes().all(|byte| byte.is_ascii_digit());
    if account.len() != ACCOUNT_DIGITS || !is_number {
        return Err(EventSourcesError::Account(entry.to_owned()));
    }
    let organization = organization
        .parse()
        .map_err(|error| EventSourcesError::Organization(entry.to_owned(), error))?;
    let sender = EventSender {
        source: source.to_owned(),
        account: account.to_owned(),
    };
    Ok((sender, organization))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Result<EventSources, String> {
        EventSources::from_lookup(|name| (name == NAME).then(|| text.to_owned()))
            .map_err(|error| error.to_string())
    }

    fn organization(sources: &EventSources, source: &str, account: &str) -> Option<u64> {
        let sender = EventSender {
            source: source.to_owned(),
            account: account.to_owned(),
        };
        sources.organization_of(&sender).map(OrganizationId::get)
    }

    #[test]
    fn a_sender_is_a_source_in_an_account() {
        let text = "com.example.loyalty@111111111111=1, com.example.loyalty@222222222222=7,\n\
                    aws.partner/crm.example/eu-1@111111111111=1";
        let sources = sources(text).unwrap();
        let table = [
            ("com.example.loyalty", "111111111111", Some(1)),
            ("com.example.loyalty", "222222222222", Some(7)),
            ("aws.partner/crm.example/eu-1", "111111111111", Some(1)),
            ("aws.partner/crm.example/eu-1", "222222222222", None),
            ("com.example.loyalty", "333333333333", None),
            ("com.example", "111111111111", None),
            ("COM.EXAMPLE.LOYALTY", "111111111111", None),
            ("com.example.loyalty ", "111111111111", None),
            ("", "", None),
        ];
        for (source, account, expected) in table {
            let found = organization(&sources, source, account);
            assert_eq!(found, expected, "{source} {account}");
        }
    }

    #[test]
    fn nonsense_fails_by_name() {
        let table = [
            ("", "the environment variable EVENT_SOURCES is not set"),
            (" ", "the environment variable EVENT_SOURCES is not set"),
            (
                "a=1",
                "EVENT_SOURCES: \"a=1\" is not of the form SOURCE@ACCOUNT=ORGANIZATION",
            ),
            (
                "a@111111111111",
                "EVENT_SOURCES: \"a@111111111111\" is not of the form SOURCE@ACCOUNT=ORGANIZATION",
            ),
            (
                "a@111111111111=1,",
                "EVENT_SOURCES: \"\" is not of the form SOURCE@ACCOUNT=ORGANIZATION",
            ),
            (
                "@111111111111=1",
                "EVENT_SOURCES: the source of \"@111111111111=1\" is not 1 to 256 visible ASCII characters",
            ),
            (
                "a b@111111111111=1",
                "EVENT_SOURCES: the source of \"a b@111111111111=1\" is not 1 to 256 visible ASCII characters",
            ),
            (
                "a@11111111111=1",
                "EVENT_SOURCES: the account of \"a@11111111111=1\" is not 12 digits",
            ),
            (
                "a@b@111111111111=1",
                "EVENT_SOURCES: the account of \"a@b@111111111111=1\" is not 12 digits",
            ),
            (
                "a@111111111111=0",
                "EVENT_SOURCES: the organization of \"a@111111111111=0\" is none: \
                 an organization id is an integer from 1 to 9007199254740991",
            ),
            (
                "a@111111111111=1=2",
                "EVENT_SOURCES: the organization of \"a@111111111111=1=2\" is none: \
                 an organization id is an integer from 1 to 9007199254740991",
            ),
            (
                "a@111111111111=1,a@111111111111=2",
                "EVENT_SOURCES: a@111111111111 has two entries",
            ),
            (
                "a@111111111111=1,a@111111111111=1",
                "EVENT_SOURCES: a@111111111111 has two entries",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(sources(text).unwrap_err(), expected, "{text:?}");
        }
        assert!(EventSources::from_lookup(|_| None).is_err());
    }
}
