//! The `events` function: CUSTOMER events come through Amazon EventBridge, one an invocation.
//!
//! Nobody waits for an answer, and the same event may come twice, late, or after a newer one. So:
//!
//! | event | what becomes of it |
//! | --- | --- |
//! | created, updated, unchanged, stale | done; one line in the audit |
//! | about somebody who was erased | dropped, with a warning: no retry would help, and nothing of a person who was erased may wait in a queue |
//! | invalid, of another kind, from nobody known | an error: after Lambda's retries the event is in the queue of failed events, where an operator finds it with its paths and codes |
//! | the table or the keys do not answer | an error: Lambda's retry does it again, from the start |
//!
//! An invocation that dies anywhere is done again as a whole: events are merged by their own
//! versions, so that it makes no difference how often one comes and in which order.

mod envelope;
mod error;

use bytes::Bytes;
use clientele::{
    Registry,
    config::{EventSender, EventSources},
    dataset::Dataset,
    decode::Limits,
    identity::OrganizationId,
    import::{Delivery, receive},
    record::{RefusedRow, RowErrorCode},
    store::{GroupId, Outcome},
};
use lambda_runtime::LambdaEvent;

pub use envelope::EventBridgeEvent;
pub use error::EventsError;

/// The only kind of event that is taken in.
const DETAIL_TYPE: &str = "CUSTOMER";
/// The dataset whose records come in events.
const PROFILES: &str = "profiles";
/// EventBridge takes no entry of more than 1 MiB.
const LIMITS: Limits = Limits {
    rows: 1,
    mebibytes: 1,
};

/// Takes one event in, or drops it where its customer was erased.
pub async fn handle(
    registry: &Registry,
    sources: &EventSources,
    event: LambdaEvent<EventBridgeEvent>,
) -> Result<(), EventsError> {
    let LambdaEvent { payload, context } = event;
    if payload.detail_type != DETAIL_TYPE {
        return Err(EventsError::DetailType);
    }
    let sender = EventSender {
        source: payload.source,
        account: payload.account,
    };
    let organization = sources.organization_of(&sender);
    let organization = organization.ok_or(EventsError::UnknownSource)?;
    let delivery = delivery(organization, payload.detail.get())?;
    let audit = Audit {
        organization,
        sender: &sender,
        group: GroupId::of_source(&delivery.dataset, &delivery.origin),
        event_id: &payload.id,
        request_id: &context.request_id,
    };
    let received = receive(&registry.store, &registry.keys, delivery).await?;
    let received = match received {
        Ok(received) => received,
        Err(error) => {
            audit.line("invalid");
            return Err(EventsError::unreadable(&error));
        }
    };
    match (received.accepted.first(), received.refused.first()) {
        (Some((_, outcome)), _) => {
            audit.line(status(*outcome));
            Ok(())
        }
        (None, Some(refused)) if is_erased(refused) => {
            audit.line("erased_subject");
            tracing::warn!(
                organization = organization.get(),
                event_id = audit.event_id,
                "dropped an event about a customer who was erased"
            );
            Ok(())
        }
        (None, Some(refused)) => {
            audit.line("invalid");
            Err(EventsError::invalid(refused))
        }
        (None, None) => Err(EventsError::Invalid("no event".to_owned())),
    }
}

fn delivery(organization: OrganizationId, detail: &str) -> Result<Delivery, EventsError> {
    let dataset = Dataset::builtin(PROFILES).ok_or(EventsError::NoDataset)?;
    let origin = dataset.source().cloned().ok_or(EventsError::NoDataset)?;
    Ok(Delivery {
        organization,
        origin,
        dataset,
        // As the one element of an array, it is an event whatever its members are: by itself, an
        // object with an array under `data` would be as many events as are in there.
        content: Bytes::from(format!("[{detail}]")),
        limits: LIMITS,
    })
}

/// What became of an event that was taken in.
fn status(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Superseded => "stale",
        // The last three are refused.
        Outcome::Unchanged | Outcome::TooLarge | Outcome::Erased | Outcome::NotFound => "unchanged",
    }
}

fn is_erased(refused: &RefusedRow) -> bool {
    let mut codes = refused.errors.iter().map(|error| error.code);
    codes.any(|code| code == RowErrorCode::ErasedSubject)
}

/// Who sent which event to whom.
struct Audit<'a> {
    organization: OrganizationId,
    sender: &'a EventSender,
    group: GroupId,
    event_id: &'a str,
    request_id: &'a str,
}

impl Audit<'_> {
    /// The event's line in the audit.
    fn line(&self, outcome: &'static str) {
        tracing::info!(
            target: "clientele::audit",
            action = "events.receive",
            organization = self.organization.get(),
            principal = %self.sender,
            group = %self.group,
            event_id = self.event_id,
            outcome,
            request_id = self.request_id,
            "audit"
        );
    }
}
