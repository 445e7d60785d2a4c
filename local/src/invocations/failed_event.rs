//! The on-failure queue's stand-in: one file an event, in the shape of a Lambda
//! destination record.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Invocation, RETRY_WAITS, attempt::FUNCTION_ARN};
use crate::data_dir::{private_folder, remove_if_present, write_private};

/// Writes down an event whose every attempt failed.
pub(super) fn record(folder: &Path, invocation: &Invocation, failure: &Diagnostic) {
    let event = serde_json::from_str(&invocation.event)
        .unwrap_or_else(|_| Value::String(invocation.event.clone()));
    let record = json!({
        "version": "1.0",
        "timestamp": format!("{:.3}", Timestamp::now()),
        "requestContext": {
            "requestId": invocation.request_id,
            "functionArn": format!("{FUNCTION_ARN}:$LATEST"),
            "condition": "RetriesExhausted",
            "approximateInvokeCount": RETRY_WAITS.len() + 1,
        },
        "requestPayload": event,
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        },
        "responsePayload": failure,
    });
    let path = path(folder, invocation.request_id);
    let written = private_folder(folder)
        .and_then(|()| write_private(&path, format!("{record:#}\n").as_bytes()));
    if let Err(error) = written {
        tracing::error!(%error, "a failed event could not be written down");
    }
}

/// Forgets an event that has succeeded after all, after a restart.
pub(super) fn discard(folder: &Path, id: Uuid) {
    if let Err(error) = remove_if_present(&path(folder, id)) {
        tracing::warn!(%error, "the record of a failed event stays behind");
    }
}

fn path(folder: &Path, id: Uuid) -> PathBuf {
    folder.join(format!("{id}.json"))
}
