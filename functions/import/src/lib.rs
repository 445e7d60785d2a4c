//! The `import` function: S3 tells of new objects, their rows become records.

use aws_lambda_events::event::s3::{S3Event, S3EventRecord};
use clientele::{
    Registry,
    import::{ImportError as DomainError, Invocation, Object, TimeLeft},
};
use lambda_runtime::{Diagnostic, LambdaEvent};
use thiserror::Error;

/// A failure after which Lambda should invoke the function again with the same event.
#[derive(Debug, Error)]
pub enum ImportError {
    /// An import.
    #[error(transparent)]
    Import(#[from] DomainError),
    /// An event that S3 does not send.
    #[error("an S3 event lacks {0}")]
    Event(&'static str),
}

impl From<ImportError> for Diagnostic {
    fn from(error: ImportError) -> Self {
        let error_type = match &error {
            ImportError::Import(_) => "ImportInterrupted",
            ImportError::Event(_) => "MalformedEvent",
        };
        Self {
            error_type: error_type.to_owned(),
            error_message: error.to_string(),
        }
    }
}

/// Imports the objects of an event, one after the other. Lambda keeps the request id over
/// retries, so a retry takes up the jobs that its predecessor left.
pub async fn handle(registry: &Registry, event: LambdaEvent<S3Event>) -> Result<(), ImportError> {
    let invocation = Invocation {
        id: &event.context.request_id,
        time: TimeLeft::until(event.context.deadline()),
    };
    for record in &event.payload.records {
        let object = object(record)?;
        registry.importer().import(&object, invocation).await?;
    }
    Ok(())
}

fn object(record: &S3EventRecord) -> Result<Object, ImportError> {
    let object = &record.s3.object;
    let encoded = object.key.as_deref().ok_or(ImportError::Event("a key"))?;
    let version = object
        .version_id
        .as_deref()
        .filter(|version| !version.is_empty());
    let version = version.or(object.sequencer.as_deref());
    Ok(Object {
        key: decode_key(encoded),
        etag: object.e_tag.clone().filter(|etag| !etag.is_empty()),
        version: version
            .ok_or(ImportError::Event("a version and a sequencer"))?
            .to_owned(),
    })
}

/// S3 encodes keys in events as HTML forms do: a space is `+`, a plus sign `%2B`.
fn decode_key(encoded: &str) -> String {
    let spaced = encoded.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8_lossy()
        .into_owned()
}
