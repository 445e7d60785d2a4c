//! The event that S3 sends when an object is created.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use std::time::UNIX_EPOCH;

use jiff::Timestamp;
use serde_json::json;
use url::form_urlencoded;
use uuid::Uuid;

use super::folder::Version;
use crate::aws::REGION;

/// An object as S3 notifies of it.
pub(super) struct ObjectCreated<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) version: Version,
    /// In bytes.
    pub(super) size: i64,
    /// As HeadObject quotes it.
    pub(super) etag: &'a str,
}

impl ObjectCreated<'_> {
    /// The invocation's id: the same for the same object after a restart, as Lambda
    /// keeps the id of an event over its retries.
    pub(super) fn request_id(&self) -> Uuid {
        let name = format!("s3://{}/{}#{}", self.bucket, self.key, self.sequencer());
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }

    /// Orders the versions of a key, and differs between them.
    fn sequencer(&self) -> String {
        let age = self.version.changed.duration_since(UNIX_EPOCH);
        format!("{:016X}", age.unwrap_or_default().as_nanos())
    }

    /// The event as JSON. It says nothing that differs after a restart.
    pub(super) fn to_event(&self) -> String {
        let created_at = Timestamp::try_from(self.version.changed).unwrap_or_default();
        let event = json!({
            "Records": [{
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": REGION,
                "eventTime": format!("{created_at:.3}"),
                "eventName": "ObjectCreated:Put",
                "userIdentity": { "principalId": "AWS:CLIENTELELOCAL" },
                "requestParameters": { "sourceIPAddress": "127.0.0.1" },
                "responseElements": {
                    "x-amz-request-id": self.sequencer(),
                    "x-amz-id-2": self.request_id(),
                },
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "clientele-local",
                    "bucket": {
                        "name": self.bucket,
                        "ownerIdentity": { "principalId": "CLIENTELELOCAL" },
                        "arn": format!("arn:aws:s3:::{}", self.bucket),
                    },
                    "object": {
                        "key": encode_key(self.key),
                        "size": self.size,
                        "eTag": self.etag.trim_matches('"'),
                        "sequencer": self.sequencer(),
                    },
                },
            }],
        });
        event.to_string()
    }
}

/// As S3 does it: form encoding, a space as `+`, but `/` as it is.
fn encode_key(key: &str) -> String {
    let segments = key
        .split('/')
        .map(|segment| form_urlencoded::byte_serialize(segment.as_bytes()).collect::<String>());
    segments.collect::<Vec<_>>().join("/")
}
