//! S3's notifications: whatever appears in the bucket's inbox is delivered to the
//! import function, whether an S3 client put it there or a hand copied it.
//!
//! Every file that is still there is delivered again at the next start, as S3 may
//! deliver an event more than once; that is how a killed stack loses nothing.

use std::{path::PathBuf, sync::Arc, time::Duration};

use aws_sdk_s3::Client;
use tokio::{task::JoinSet, time::MissedTickBehavior};

use self::{
    event::ObjectCreated,
    folder::Version,
    sightings::{Changes, Sightings},
};
use crate::{
    aws::explain,
    invocations::{Invocation, Invocations},
    s3::{BUCKET, attributes},
};

mod event;
mod folder;
mod sightings;

/// How often the folder is looked through. A file is delivered after two looks that agree.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Watches the bucket's folder until it is stopped or dropped.
pub(crate) struct Inbox {
    /// A set of one, because a set aborts its tasks when it is dropped.
    watcher: JoinSet<()>,
}

impl Inbox {
    /// Begins to deliver the objects under `buckets`.
    pub(crate) fn watch(buckets: PathBuf, s3: Client, invocations: Arc<Invocations>) -> Self {
        let mut watcher = JoinSet::new();
        watcher.spawn(
            Watcher {
                buckets,
                s3,
                invocations,
            }
            .run(),
        );
        Self { watcher }
    }

    /// Delivers nothing more.
    pub(crate) async fn stop(mut self) {
        self.watcher.shutdown().await;
    }
}

struct Watcher {
    buckets: PathBuf,
    s3: Client,
    invocations: Arc<Invocations>,
}

impl Watcher {
    async fn run(self) {
        let mut sightings = Sightings::default();
        let mut due = tokio::time::interval(LOOK_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            let bucket = self.buckets.join(BUCKET);
            let looked = tokio::task::spawn_blocking(move || folder::look(&bucket)).await;
            let look = match looked {
                Ok(Ok(look)) => look,
                Ok(Err(error)) => {
                    tracing::error!(%error, "the inbox cannot be read");
                    continue;
                }
                // The runtime is shutting down.
                Err(_) => return,
            };
            let Changes { arrived, gone } = sightings.compare(look);
            for (key, last_seen) in gone {
                attributes::discard(&self.buckets, &key, last_seen);
            }
            for (key, version) in arrived {
                if let Err(reason) = self.deliver(&key, version).await {
                    tracing::warn!(key, reason, "a file could not be delivered; trying again");
                    sightings.forget_delivery(&key);
                }
            }
        }
    }

    async fn deliver(&self, key: &str, version: Version) -> Result<(), String> {
        let head = self.s3.head_object().bucket(BUCKET).key(key).send().await;
        let head = match head {
            Ok(head) => head,
            // Deleted since the look: nothing is left to import.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_not_found()) => {
                return Ok(());
            }
            Err(error) => return Err(explain(error)),
        };
        let created = ObjectCreated {
            bucket: BUCKET,
            key,
            version,
            size: head.content_length().unwrap_or_default(),
            etag: head.e_tag().unwrap_or_default(),
        };
        tracing::info!(key, size = created.size, "a file arrived");
        self.invocations.submit(Invocation {
            request_id: created.request_id(),
            event: created.to_event(),
        });
        Ok(())
    }
}
