//! One synchronous invocation of a function that answers HTTP.

use std::{
    convert::Infallible,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::http::Method;
use clientele_api::AsMade;
use lambda_http::{Adapter, BoxFuture, Request, request::LambdaRequest, service_fn};
use lambda_runtime::{Context, LambdaEvent};
use thiserror::Error;
use tokio::{task::JoinError, time::error::Elapsed};
use tower::ServiceExt;
use uuid::Uuid;

use super::{Functions, MAX_PAYLOAD};

/// The functions' time limit, as in `template.yaml`: just below the 30 s that an HTTP API waits.
const TIMEOUT: Duration = Duration::from_secs(29);

/// The functions that answer HTTP.
#[derive(Debug, Clone, Copy)]
pub(super) enum Function {
    Api,
    Pages,
    Docs,
}

impl Function {
    /// Which function answers, and the route's key, as in `template.yaml`.
    pub(super) fn route(method: &Method, path: &str) -> (Self, &'static str) {
        match (method, path) {
            (&Method::POST, "/v1/customer") => (Self::Pages, "POST /v1/customer"),
            (&Method::POST, "/v1/customer/pages") => (Self::Pages, "POST /v1/customer/pages"),
            (_, path) => match clientele_docs::PATHS
                .iter()
                .find(|template| fits(template, path))
            {
                Some(template) => (Self::Docs, template),
                None => (Self::Api, "$default"),
            },
        }
    }
}

/// Whether a path is one of a template's, whose `{…}` is any one segment and `{…+}` any number of
/// them.
fn fits(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for part in template.split('/') {
        let Some(segment) = segments.next() else {
            return false;
        };
        match part.starts_with('{') {
            true if segment.is_empty() => return false,
            true if part.ends_with("+}") => return true,
            true => {}
            false if part == segment => {}
            false => return false,
        }
    }
    segments.next().is_none()
}

/// Why a function gave no reply.
#[derive(Debug, Error)]
pub(super) enum InvokeError {
    #[error("it crashed: {0}")]
    Crash(#[from] JoinError),
    #[error("it took longer than {} s", TIMEOUT.as_secs())]
    Timeout(#[from] Elapsed),
    #[error("its event or its reply is not what it should be: {0}")]
    Format(#[from] serde_json::Error),
    #[error("its reply of {0} bytes is larger than Lambda allows")]
    ReplyTooLarge(usize),
}

/// Runs a function to its end, whether or not the client waits for it, as Lambda does.
/// The reply is JSON.
pub(super) async fn invoke(
    function: Function,
    functions: Functions,
    event: String,
) -> Result<String, InvokeError> {
    let handled = tokio::spawn(tokio::time::timeout(
        TIMEOUT,
        handle(function, functions, event),
    ));
    let reply = handled.await???;
    if reply.len() > MAX_PAYLOAD {
        return Err(InvokeError::ReplyTooLarge(reply.len()));
    }
    Ok(reply)
}

/// From JSON to JSON, as in the function's own process.
async fn handle(
    function: Function,
    functions: Functions,
    event: String,
) -> Result<String, serde_json::Error> {
    let Ok(reply) = call(function, functions, serde_json::from_str(&event)?).await;
    reply
}

/// Boxed outside of any async function: inside one, the compiler cannot show that the
/// adapter may change threads.
fn call(
    function: Function,
    functions: Functions,
    request: LambdaRequest,
) -> BoxFuture<'static, Result<Result<String, serde_json::Error>, Infallible>> {
    let handler = service_fn(move |request: Request| {
        let Functions { registry, docs } = functions.clone();
        async move {
            Ok::<_, Infallible>(AsMade(match function {
                Function::Api => clientele_api::handle(&registry, request).await,
                Function::Pages => clientele_pages::handle(&registry, request).await,
                Function::Docs => clientele_docs::handle(&docs, request).await,
            }))
        }
    });
    let adapter = Adapter::from(handler).map_response(|reply| serde_json::to_string(&reply));
    Box::pin(adapter.oneshot(LambdaEvent::new(request, context())))
}

fn context() -> Context {
    let deadline = (SystemTime::now() + TIMEOUT)
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut context = Context::default();
    context.request_id = Uuid::new_v4().to_string();
    context.deadline = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
    context
}
