//! Why an event was not taken in.

use clientele::{
    import::{FileError, ImportError},
    record::RefusedRow,
};
use lambda_runtime::Diagnostic;
use thiserror::Error;

/// What is wrong with one event that is told.
const MAX_ERRORS: usize = 20;
/// The most characters of a path that are told: names of members are the sender's.
const MAX_PATH_CHARACTERS: usize = 200;

/// An event that was not taken in. Lambda tries it twice more, then puts it into the queue of
/// failed events. No message has a value of the event's.
#[derive(Debug, Error)]
pub enum EventsError {
    /// It is an event of another kind, which the rule should not have let through.
    #[error("the detail-type is not CUSTOMER")]
    DetailType,
    /// Nobody's events come from there.
    #[error("EVENT_SOURCES has no entry for the event's source and account")]
    UnknownSource,
    /// It is not as the schema says: paths and codes.
    #[error("the event was refused: {0}")]
    Invalid(String),
    /// The table or the keys. A retry may help.
    #[error(transparent)]
    Interrupted(#[from] ImportError),
    /// The dataset of events is not built in.
    #[error("this version has no dataset of events")]
    NoDataset,
}

impl EventsError {
    /// An event with errors in it.
    pub(crate) fn invalid(refused: &RefusedRow) -> Self {
        let told = refused.errors.iter().take(MAX_ERRORS).map(|error| {
            let path = error.column.as_deref().unwrap_or_default();
            let path: String = path.chars().take(MAX_PATH_CHARACTERS).collect();
            format!("{path} {}", error.code.as_str()).trim().to_owned()
        });
        Self::Invalid(told.collect::<Vec<_>>().join(", "))
    }

    /// An event that cannot be read at all.
    pub(crate) fn unreadable(error: &FileError) -> Self {
        Self::Invalid(error.code().to_owned())
    }
}

impl From<EventsError> for Diagnostic {
    fn from(error: EventsError) -> Self {
        let error_type = match &error {
            EventsError::DetailType => "UnexpectedDetailType",
            EventsError::UnknownSource => "UnknownSource",
            EventsError::Invalid(_) => "InvalidEvent",
            EventsError::Interrupted(_) => "EventInterrupted",
            EventsError::NoDataset => "NoDataset",
        };
        Self {
            error_type: error_type.to_owned(),
            error_message: error.to_string(),
        }
    }
}
