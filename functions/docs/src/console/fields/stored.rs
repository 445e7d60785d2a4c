//! Fields as the API has them.

use serde::{Deserialize, Serialize};

/// The workspace's fields, and their version.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Stored {
    pub(super) fields: Vec<StoredField>,
    pub(super) version: u64,
}

/// One field.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct StoredField {
    pub(super) name: String,
    pub(super) field_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) field_format: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) values: Vec<EnumValue>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) is_pii: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<String>,
    #[serde(default)]
    pub(super) unique_identifier: bool,
}

/// One of an enum's values, with the name that people know it by if it has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum EnumValue {
    Plain(String),
    Named {
        value: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
}
