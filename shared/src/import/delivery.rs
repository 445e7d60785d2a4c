//! Records that are stored while their sender waits, without a job: events.

use std::{io::Cursor, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    FileError, ImportError,
    batches::{Batch, BatchError},
    reading::refused,
    rules::Rules,
    run::Stopped,
};
use crate::{
    dataset::Dataset,
    decode::{self, Encoding, Format, Hints, Limits},
    identity::{DataOrigin, OrganizationId},
    protection::KeyRing,
    record::{RefusedRow, Validator},
    store::{GroupId, Outcome, Provenance, Store, StoreError, jobs::Mode},
};

/// Records as a request has them.
pub struct Delivery {
    /// Whose they are.
    pub organization: OrganizationId,
    /// Their source.
    pub origin: DataOrigin,
    /// What they are checked against.
    pub dataset: Arc<Dataset>,
    /// A document that files of the dataset may have.
    pub content: Bytes,
    /// How much it may hold.
    pub limits: Limits,
}

/// What became of records.
#[derive(Debug, Default)]
pub struct Received {
    /// How many there were.
    pub rows: u64,
    /// The 1-based rows that were taken in, and what became of each, in their order.
    pub accepted: Vec<(u64, Outcome)>,
    /// The rows that were refused, in their order, without their values.
    pub refused: Vec<RefusedRow>,
    /// Whether the document was one object, and no list.
    pub is_lone: bool,
}

/// What becomes of events that are taken in, in the words of replies and of the audit.
pub const EVENT_STATUSES: [&str; 4] = ["created", "updated", "unchanged", "stale"];

/// What became of an event that was taken in: one of [`EVENT_STATUSES`].
pub fn event_status(outcome: Outcome) -> &'static str {
    let [created, updated, unchanged, stale] = EVENT_STATUSES;
    match outcome {
        Outcome::Created => created,
        Outcome::Updated => updated,
        Outcome::Superseded => stale,
        // The others were not taken in.
        Outcome::Unchanged | Outcome::TooLarge | Outcome::Erased | Outcome::NotFound => unchanged,
    }
}

/// Stores records, or says why the document is refused as a whole. The rows that are right are
/// stored although others are wrong.
pub async fn receive(
    store: &Store,
    keys: &KeyRing,
    delivery: Delivery,
) -> Result<Result<Received, FileError>, ImportError> {
    let mut taken_in = take_in(store, keys, &delivery).await;
    if matches!(&taken_in, Err(Stopped::Failed(error)) if error.lacks_key()) {
        // The keys were rotated since they were read.
        keys.reload(delivery.organization).await?;
        taken_in = take_in(store, keys, &delivery).await;
    }
    match taken_in {
        Ok(received) => Ok(Ok(received)),
        Err(Stopped::File(error)) => Ok(Err(error)),
        Err(Stopped::Failed(error)) => Err(error),
        // Jobs are stopped in these ways, and there is none.
        Err(Stopped::Cancelled(_) | Stopped::Lost) => Err(ImportError::Reader),
    }
}

async fn take_in(store: &Store, keys: &KeyRing, delivery: &Delivery) -> Result<Received, Stopped> {
    let organization = delivery.organization;
    let settings = store.organization(organization).await?;
    if settings.is_none() {
        store.ensure_organization(organization).await?;
    }
    let rules = Rules {
        organization,
        dataset: Arc::clone(&delivery.dataset),
        origin: delivery.origin.clone(),
        settings: settings.unwrap_or_default(),
        keys: keys.for_writing(organization).await?,
    };
    let (content, is_lone) = listed(&delivery.content);
    let mut batch = read(&rules, delivery, content).await?;
    let records = std::mem::take(&mut batch.records);
    let outcomes = match records.is_empty() {
        true => Vec::new(),
        false => {
            let provenance = provenance(store, &rules).await?;
            store.upsert(records, &provenance, &rules.keys).await?
        }
    };
    let places = batch.places.iter().map(|(row, _)| *row);
    let accepted = places.zip(outcomes.iter().copied());
    let accepted = accepted
        .filter(|(_, outcome)| outcome.is_taken_in())
        .collect();
    batch.refuse_unstored(&outcomes);
    Ok(Received {
        rows: batch.rows,
        accepted,
        refused: batch.refused,
        is_lone,
    })
}

/// A document of one JSON object as a list of it, whatever its members are: by itself, one with an
/// array under `data` would be as many rows as are in there. Other documents are as they are.
fn listed(content: &Bytes) -> (Bytes, bool) {
    let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let is_object = text.trim_ascii_start().starts_with(b"{");
    match is_object && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() {
        true => ([b"[", text, b"]"].concat().into(), true),
        false => (content.clone(), false),
    }
}

/// Checks and protects the rows, on a thread of its own.
async fn read(rules: &Rules, delivery: &Delivery, content: Bytes) -> Result<Batch, Stopped> {
    let content = Cursor::new(content);
    let hints = Hints {
        limits: Some(delivery.limits),
        // RFC 8259, section 8.1.
        encoding: Some(Encoding::Utf8),
        // One that is compressed.
        lone_object: delivery.dataset.event().is_some(),
        ..Hints::default()
    };
    let mut validator: Validator = rules.validator(Mode::Write);
    let protector = rules.protector();
    let read = move || {
        let mut batch = Batch::default();
        let records = decode::records(content, &hints).map_err(BatchError::File)?;
        // A table in a request is nothing that anybody meant.
        if !matches!(records.found.format, Format::Json | Format::Ndjson) {
            return Err(BatchError::File(FileError::JsonShape));
        }
        for raw in records.rows {
            let raw = raw.map_err(BatchError::File)?;
            let added = batch.add(raw, &mut validator, &protector, |_, _| None);
            added.map_err(BatchError::Cipher)?;
            // Whoever sent them has them, and values take many times the memory of their text.
            if let Some(refused) = batch.refused.last_mut() {
                refused.raw.values = Vec::new();
            }
        }
        Ok(batch)
    };
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|_| ImportError::Reader)?
        .map_err(|error| match error {
            BatchError::File(error) => refused(error),
            BatchError::Cipher(error) => error.into(),
        })
}

/// Where the records come from: an import of their own.
async fn provenance(store: &Store, rules: &Rules) -> Result<Provenance, Stopped> {
    let (organization, origin) = (rules.organization, &rules.origin);
    let source = store.ensure_source(organization, origin).await?;
    let group = GroupId::of_source(&rules.dataset, origin);
    let group = store
        .ensure_group(organization, &group, &rules.dataset)
        .await?;
    // Groups of sources are not deleted.
    group.ok_or(StoreError::corrupt("group", "deleted_by"))?;
    Ok(Provenance {
        organization,
        source_id: source.id,
        import_id: store.next_import_id(organization).await?,
        at: Timestamp::now(),
        group: None,
        updates_only: false,
    })
}
