//! What EventBridge wraps around an event.

use serde::Deserialize;
use serde_json::value::RawValue;

/// An event as Amazon EventBridge delivers it. It has more members, which nothing depends on.
///
/// `detail` stays the text that it is: read as JSON here, a member that comes twice would be gone
/// before anybody could refuse it, and a long number would be another one.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct EventBridgeEvent {
    /// Which event: a UUID that EventBridge gives.
    pub id: String,
    /// What kind of event, as its sender says.
    pub detail_type: String,
    /// Which application sent it, as it says itself.
    pub source: String,
    /// The AWS account that it was sent from. EventBridge fills it in, not the sender.
    pub account: String,
    /// The event itself.
    pub detail: Box<RawValue>,
}
