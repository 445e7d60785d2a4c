//! The envelope of events that a dataset's records come in.

use serde::Deserialize;

/// What events about a dataset's customers look like around the record itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventFormat {
    /// The `eventType`.
    pub r#type: String,
    /// The values of `eventAction`, the first one for what is new. Of two events of one time, a
    /// later action's wins.
    pub actions: Vec<String>,
    /// The `version`.
    pub version: f64,
    /// The field whose time decides which of two events is newer.
    pub ordered_by: String,
}
