//! `POST /v1/events`: one event, an array of them, or one a line.

use std::time::Duration;

use bytes::Bytes;
use clientele::{
    Registry,
    decode::Limits,
    import::{Delivery, EVENT_STATUSES, FileError, Received, event_status, receive},
    language::Language,
    record::{RefusedRow, RowError},
    store::{GroupId, Outcome},
    web::{Call, Principal, Problem, Reply, enveloped_len, json},
};
use http::StatusCode;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::{dataset_in::check_group, dataset_named, source_of_files};

/// The dataset whose records come in events.
const PROFILES: &str = "profiles";
/// What a request may hold. Lambda takes 6 MB, so the MiB are those of compressed content.
const LIMITS: Limits = Limits {
    rows: 10_000,
    mebibytes: 32,
};
/// The time for storing events: API Gateway waits 30 s, and the function has a little less.
const WITHIN: Duration = Duration::from_secs(26);
/// What is wrong with one event that is told, where there are several.
const MAX_ERRORS: usize = 20;
/// Bytes of errors in a reply as Lambda carries it, after which events are only named.
const MAX_ERROR_BYTES: usize = 4_500_000;

/// Takes events in, and answers when they are stored.
pub(crate) async fn push(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let dataset = dataset_named(PROFILES)?;
    let origin = source_of_files(caller, &dataset, None)?;
    check_group(caller, &dataset, &origin)?;
    let is_lines = check_media_type(call)?;
    let group = GroupId::of_source(&dataset, &origin);
    call.audit(|line| line.group(&group));
    let delivery = Delivery {
        organization: caller.organization,
        origin,
        dataset,
        content: Bytes::copy_from_slice(call.body),
        limits: LIMITS,
    };
    let received = receive(&registry.store, &registry.keys, delivery);
    let received = timeout(WITHIN, received)
        .await
        .map_err(|_| took_too_long())?;
    let received = received.map_err(Problem::internal)?;
    let language = call.language();
    let received = received.map_err(|error| refused(&error, language))?;
    call.audit(|line| {
        line.count("accepted", received.accepted.len() as u64);
        line.count("rejected", received.refused.len() as u64);
    });
    match (received.is_lone && !is_lines, received.refused.first()) {
        (true, Some(event)) => Err(unprocessable(event, language)),
        _ => Ok(json(StatusCode::ACCEPTED, &body(&received, language))),
    }
}

/// Whether the events come one a line, as far as the client says.
fn check_media_type(call: &Call<'_>) -> Result<bool, Problem> {
    if call.is_compressed_but_by_gzip() {
        return Err(Problem::compressed_body());
    }
    match call.media_type().as_deref() {
        Some("application/x-ndjson" | "application/ndjson" | "application/jsonl") => Ok(true),
        _ if call.is_json() => Ok(false),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Unsupported media type",
            "send the events as application/json or application/x-ndjson",
        )),
    }
}

fn refused(error: &FileError, language: Language) -> Problem {
    match error {
        FileError::RowsOfRequest { limit } => Problem::bad_request(
            "row_count",
            format!("a request may hold {limit} events; send the others in another"),
        ),
        FileError::Empty | FileError::JsonShape => Problem::bad_request(
            "invalid_body",
            "send one event, an array of events, or one event a line",
        ),
        error => Problem::bad_request(error.code(), error.message(language)),
    }
}

/// Every write stands for itself, so that what was stored stays, and is no news the next time.
fn took_too_long() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "took_too_long",
        "Took too long",
        "some of the events are not stored yet; send the same again, or fewer at once",
    )
    .retry_after(1)
}

fn unprocessable(event: &RefusedRow, language: Language) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_event",
        "Invalid event",
        "the event was not taken in; errors says what is wrong with it",
    )
    .with_errors(told(&event.errors, MAX_ERRORS, language))
}

fn body(received: &Received, language: Language) -> Value {
    let count = |of: &&str| {
        let accepted = received.accepted.iter();
        let count = accepted.filter(|(_, outcome)| event_status(*outcome) == *of);
        ((*of).to_owned(), json!(count.count()))
    };
    let counts: Map<String, Value> = EVENT_STATUSES.iter().map(count).collect();
    let result = |(row, outcome): &(u64, Outcome)| json!({"index": row.saturating_sub(1), "status": event_status(*outcome)});
    let mut room = MAX_ERROR_BYTES;
    let mut rejected = Vec::with_capacity(received.refused.len());
    for event in &received.refused {
        let mut errors = Value::from(told(&event.errors, MAX_ERRORS, language));
        let size = enveloped_len(&errors.to_string());
        match room.checked_sub(size) {
            Some(left) => room = left,
            None => errors = json!([]),
        }
        rejected.push(json!({"index": event.raw.row.saturating_sub(1), "errors": errors}));
    }
    json!({
        "accepted": received.accepted.len(),
        "rejected": rejected,
        "counts": counts,
        "results": received.accepted.iter().map(result).collect::<Vec<_>>(),
    })
}

fn told(errors: &[RowError], most: usize, language: Language) -> Vec<Value> {
    let told = |error: &RowError| {
        json!({
            "path": error.column.as_deref().unwrap_or_default(),
            "code": error.code.as_str(),
            "message": error.message(language),
        })
    };
    errors.iter().take(most).map(told).collect()
}
