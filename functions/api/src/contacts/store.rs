//! Stores contacts, all of them or none, and reads them back for the reply.
//!
//! As many as one transaction holds are written by one. More of them are first left in the bucket
//! under a job, so that the import function stores them whatever becomes of this call; then the
//! call stores them itself, as the same import with the same identifiers. Whoever comes second
//! finds them stored, and the job counts each once.

use bytes::Bytes;
use clientele::{
    Registry,
    identity::RecordId,
    protection::{CipherError, OrganizationKeys, ProtectedRecord},
    record::IdSeed,
    store::{
        INSERTED_WHOLE, Provenance, StoredRecord,
        jobs::{Job, JobState, Mode, Operation},
    },
    web::{Call, Problem, json, revealed_body},
};
use http::{Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{body::Contacts, checked::Checks, deleted_since, detail::Detail};
use crate::staging::{Rows, stage};

/// What became of contacts that were right.
pub(super) enum Made {
    /// They are stored.
    Contacts(Vec<Value>),
    /// A job will store those with these identifiers.
    Later(Box<Job>, Vec<RecordId>),
}

/// Makes contacts, or says what is wrong with them.
pub(super) async fn make(
    registry: &Registry,
    call: &Call<'_>,
    checks: &Checks,
    contacts: &Contacts<'_>,
) -> Result<Result<Made, Vec<Detail>>, Problem> {
    // A repeated call finds what the first one has made.
    let records = match checks.records(contacts, IdSeed::of(call.new_id()))? {
        Ok(records) => records,
        Err(details) => return Ok(Err(details)),
    };
    if records.len() <= INSERTED_WHOLE {
        let customers = store_whole(registry, checks, records).await?;
        return Ok(Ok(Made::Contacts(customers)));
    }
    let job = write_ahead(registry, call, checks, contacts).await?;
    let ids = IdSeed::new(job.created_at, job.id);
    let records = match checks.records(contacts, ids)? {
        Ok(records) => records,
        Err(details) => return Ok(Err(details)),
    };
    let ids = ids_of(&records);
    match store_of_job(registry, checks, &job, records).await {
        Ok(customers) => Ok(Ok(Made::Contacts(customers))),
        Err(problem) if problem.status().is_server_error() => {
            let cause = problem.cause();
            tracing::error!(cause, job = %job.id, "contacts are left to the import function");
            Ok(Ok(Made::Later(Box::new(job), ids)))
        }
        Err(problem) => Err(problem),
    }
}

/// The reply when the contacts are safe, and not stored yet.
pub(super) fn accepted(job: &Job, ids: &[RecordId]) -> Response<String> {
    let path = format!("/v1/jobs/{}", job.id);
    let ids = ids.iter().map(|id| id.customer().external_id().to_string());
    let body = json!({"job": path, "customer_ids": ids.collect::<Vec<_>>()});
    let mut response = json(StatusCode::ACCEPTED, &body);
    if let Ok(location) = path.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Stores records by one transaction.
async fn store_whole(
    registry: &Registry,
    checks: &Checks,
    records: Vec<ProtectedRecord>,
) -> Result<Vec<Value>, Problem> {
    let ids = ids_of(&records);
    // What a call before this one has stored may have been changed since.
    let found = registry.store.records(&ids).await?;
    if found.iter().all(Option::is_none) {
        let (store, organization) = (&registry.store, checks.rules.organization);
        store.ensure_organization(organization).await?;
        let source = store.ensure_source(organization, &checks.rules.origin);
        let source_id = source.await?.id;
        let import_id = store.next_import_id(organization).await?;
        insert(registry, checks, records, source_id, import_id).await?;
    }
    read_back(registry, checks, &ids).await
}

/// Leaves the contacts to the import function.
async fn write_ahead(
    registry: &Registry,
    call: &Call<'_>,
    checks: &Checks,
    contacts: &Contacts<'_>,
) -> Result<Job, Problem> {
    let dataset = &checks.rules.dataset;
    let rows = Rows {
        dataset,
        origin: &checks.rules.origin,
        group: None,
        operation: Operation::Import,
        mode: Mode::AllOrNothing,
        filename: &format!("{}.json", dataset.name()),
        content: Bytes::copy_from_slice(contacts.text.as_bytes()),
    };
    stage(registry, call, checks.rules.organization, rows).await
}

/// Stores a job's records, unless that was done.
async fn store_of_job(
    registry: &Registry,
    checks: &Checks,
    job: &Job,
    records: Vec<ProtectedRecord>,
) -> Result<Vec<Value>, Problem> {
    let ids = ids_of(&records);
    match job.state {
        JobState::Queued | JobState::Running => {
            insert(registry, checks, records, job.source_id, job.import_id).await?;
        }
        JobState::Completed | JobState::CompletedWithRejections => {}
        JobState::Failed | JobState::Cancelled => {
            let detail = "the job of this request was stopped; send the contacts again";
            return Err(Problem::conflict("job_stopped", detail));
        }
    }
    read_back(registry, checks, &ids).await
}

async fn insert(
    registry: &Registry,
    checks: &Checks,
    records: Vec<ProtectedRecord>,
    source_id: u64,
    import_id: u64,
) -> Result<(), Problem> {
    let organization = checks.rules.organization;
    registry
        .store
        .ensure_group(organization, &checks.group, &checks.rules.dataset)
        .await?;
    let provenance = Provenance {
        organization,
        source_id,
        import_id,
        at: Timestamp::now(),
        group: None,
        updates_only: false,
    };
    registry
        .store
        .upsert(records, &provenance, &checks.rules.keys)
        .await?;
    Ok(())
}

/// The contacts as they are stored, in clear: to whoever has just sent them.
async fn read_back(
    registry: &Registry,
    checks: &Checks,
    ids: &[RecordId],
) -> Result<Vec<Value>, Problem> {
    let found = registry.store.records(ids).await?;
    let records: Option<Vec<StoredRecord>> = found.into_iter().collect();
    let records = records.ok_or_else(deleted_since)?;
    let show = |keys: &OrganizationKeys| {
        let bodies = ids.iter().zip(&records).map(|(id, record)| {
            revealed_body(&checks.rules.dataset, keys, id, record).map(Value::Object)
        });
        bodies.collect::<Result<Vec<_>, CipherError>>()
    };
    Ok(registry
        .keys
        .reading(checks.rules.organization, show)
        .await?)
}

fn ids_of(records: &[ProtectedRecord]) -> Vec<RecordId> {
    records.iter().map(|record| record.id().clone()).collect()
}
