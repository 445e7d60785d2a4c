//! What goes wrong at the table.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use thiserror::Error;

use crate::protection::CipherError;

/// A failure of the store. A retry of the whole step may help, except for [`Corrupt`](Self::Corrupt).
#[derive(Debug, Error)]
pub enum StoreError {
    /// A call to DynamoDB failed for good, after the SDK's retries.
    #[error("DynamoDB {operation} failed: {code}")]
    Call {
        /// The API's name for the call.
        operation: &'static str,
        /// AWS's error code, or what became of the request.
        code: String,
    },
    /// Others kept writing the same items for longer than is reasonable.
    #[error("{0} gave up after too many conflicting writes")]
    Contention(&'static str),
    /// An item does not have the attributes that it was written with.
    #[error("the item {kind} has no readable attribute {attribute}")]
    Corrupt {
        /// What kind of item.
        kind: &'static str,
        /// The attribute.
        attribute: &'static str,
    },
    /// A stored value could not be decrypted or encrypted.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

impl StoreError {
    /// Describes a failed call by AWS's error code. AWS's message is left out: it may repeat keys.
    pub(super) fn call<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        move |error| {
            let code = match &error {
                SdkError::ServiceError(service) => service.err().code().unwrap_or("unknown"),
                SdkError::TimeoutError(_) => "the request timed out",
                SdkError::DispatchFailure(_) => "no connection",
                SdkError::ResponseError(_) => "the response could not be read",
                SdkError::ConstructionFailure(_) => "the request could not be built",
                _ => "unknown",
            };
            Self::Call {
                operation,
                code: code.to_owned(),
            }
        }
    }

    pub(crate) fn corrupt(kind: &'static str, attribute: &'static str) -> Self {
        Self::Corrupt { kind, attribute }
    }
}
