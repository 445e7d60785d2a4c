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
    decode::{self, Format, Hints, Limits},
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
    /// The rows that were refused, in their order.
    pub refused: Vec<RefusedRow>,
}

/// Stores records, or says why the document is refused as a whole. The rows that are right are
/// stored although others are wrong.
pub async fn receive(
    store: &Store,
    keys: &KeyRing,
    delivery: Delivery,
) -> Result<Result<Received, FileError>, ImportError> {
    match take_in(store, keys, &delivery).await {
        Ok(received) => Ok(Ok(received)),
        Err(Stopped::File(error)) => Ok(Err(error)),
        Err(Stopped::Failed(error)) => {
            if error.lacks_key() {
                keys.forget_all().await;
            }
            Err(error)
        }
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
    let mut batch = read(&rules, delivery).await?;
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
    })
}

/// Checks and protects the rows, on a thread of its own.
async fn read(rules: &Rules, delivery: &Delivery) -> Result<Batch, Stopped> {
    let content = Cursor::new(delivery.content.clone());
    let hints = Hints {
        limits: Some(delivery.limits),
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
