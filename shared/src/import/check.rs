//! What an import of some rows would do, without writing anything.
//!
//! The same survey, the same validation, the same comparison as in the real run.

use std::{io::Cursor, sync::Arc};

use jiff::Timestamp;

use super::{
    FileError, ImportError,
    batches::{Batch, BatchError, batches},
    survey::survey,
};
use crate::{
    dataset::Dataset,
    decode::Hints,
    identity::{DataOrigin, OrganizationId},
    protection::{KeyRing, Protector, PseudonymMode},
    record::{RowError, Validator},
    store::{
        Provenance, Store,
        jobs::{Column, Counts},
    },
};

/// What an import would do.
#[derive(Debug, Default)]
pub struct Checked {
    /// What would become of the rows.
    pub counts: Counts,
    /// What would become of the columns.
    pub columns: Vec<Column>,
    /// What is wrong with rows.
    pub errors: Vec<RowError>,
}

/// Checks a file that is small enough to be held in memory.
pub async fn check(
    store: &Store,
    keys: &KeyRing,
    organization: OrganizationId,
    origin: &DataOrigin,
    dataset: Arc<Dataset>,
    content: Vec<u8>,
) -> Result<Result<Checked, FileError>, ImportError> {
    let settings = store.organization(organization).await?.unwrap_or_default();
    let keys = keys.for_dry_run(organization).await?;
    let pseudonyms = match settings.keyed_pseudonyms {
        true => keys.keyed_pseudonyms(),
        false => PseudonymMode::Sha256,
    };
    let protector = Protector::new(Arc::clone(&keys), pseudonyms);
    let this_year = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year();
    let unknown_columns = settings.unknown_columns;
    let origin = origin.clone();
    let validator = Validator::new(
        dataset,
        organization,
        origin,
        Arc::clone(&keys),
        unknown_columns,
        this_year,
    );
    let reading = tokio::task::spawn_blocking(move || read_all(content, validator, &protector));
    let (columns, read) = match reading.await.map_err(|_| ImportError::Reader)? {
        Ok(read) => read,
        Err(BatchError::File(error)) => return Ok(Err(error)),
        Err(BatchError::Cipher(error)) => return Err(error.into()),
    };
    let provenance = Provenance {
        organization,
        source_id: 0,
        // Later than every import there is.
        import_id: u64::MAX,
        at: Timestamp::now(),
        group: None,
    };
    let mut checked = Checked {
        columns,
        ..Checked::default()
    };
    for mut batch in read {
        let records = std::mem::take(&mut batch.records);
        let outcomes = store.predict(records, &provenance, &keys).await?;
        batch.refuse_unstored(&outcomes);
        checked.counts.rows_read = batch.last_row;
        checked.counts.duplicates += batch.duplicates;
        checked.counts.rejected += batch.rejected;
        checked.counts.add(&outcomes);
        checked.errors.extend(batch.errors);
    }
    Ok(Ok(checked))
}

fn read_all(
    content: Vec<u8>,
    mut validator: Validator,
    protector: &Protector,
) -> Result<(Vec<Column>, Vec<Batch>), BatchError> {
    let hints = Hints::default();
    let surveyed =
        survey(Cursor::new(content.clone()), &hints, &mut validator).map_err(BatchError::File)?;
    let mut read = Vec::new();
    let reader = Cursor::new(content);
    let hand_on = |mut batch: Batch| {
        batch.refused = Vec::new();
        read.push(batch);
        true
    };
    batches(
        reader,
        &hints,
        &mut validator,
        protector,
        &surveyed.repetitions,
        0,
        hand_on,
    )?;
    Ok((surveyed.columns, read))
}
