//! One attempt of an event at the import function.

use std::{
    any::Any,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lambda_events::event::s3::S3Event;
use clientele::Registry;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Invocation;

/// The import function's name, in its context and in records of failed events.
pub(super) const FUNCTION_ARN: &str =
    "arn:aws:lambda:us-east-1:000000000000:function:clientele-local-import";
/// The function's time limit, Lambda's longest.
const TIMEOUT: Duration = Duration::from_secs(900);

/// Runs the function once; its crash or delay is a failure like an error that it returns.
pub(super) async fn attempt(
    registry: &Arc<Registry>,
    invocation: &Invocation,
) -> Result<(), Diagnostic> {
    let payload: S3Event = serde_json::from_str(&invocation.event)
        .map_err(|error| failure("Runtime.UnmarshalError", error.to_string()))?;
    let event = LambdaEvent::new(payload, context(invocation.request_id));
    let registry = Arc::clone(registry);

    // A set of one: when it is dropped, at the time limit or at a stop, the function ends.
    let mut function = JoinSet::new();
    function.spawn(async move { clientele_import::handle(&registry, event).await });
    match tokio::time::timeout(TIMEOUT, function.join_next()).await {
        Ok(Some(Ok(handled))) => handled.map_err(Diagnostic::from),
        Ok(Some(Err(error))) => Err(match error.try_into_panic() {
            Ok(panic) => failure("Runtime.Panic", panic_message(&*panic)),
            Err(error) => failure("Runtime.Cancelled", error.to_string()),
        }),
        Ok(None) => Ok(()),
        Err(_) => Err(failure(
            "Sandbox.Timedout",
            format!("Task timed out after {} seconds", TIMEOUT.as_secs()),
        )),
    }
}

fn context(request_id: Uuid) -> Context {
    let deadline = (SystemTime::now() + TIMEOUT)
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut context = Context::default();
    context.request_id = request_id.to_string();
    context.deadline = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
    context.invoked_function_arn = FUNCTION_ARN.to_owned();
    context
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(message), _) => (*message).to_owned(),
        (None, Some(message)) => message.clone(),
        (None, None) => "the function panicked".to_owned(),
    }
}

fn failure(error_type: &str, error_message: String) -> Diagnostic {
    Diagnostic {
        error_type: error_type.to_owned(),
        error_message,
    }
}
