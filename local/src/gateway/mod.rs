//! API Gateway: each HTTP request becomes the event that an HTTP API (payload format
//! 2.0) sends to Lambda, is handed over as JSON, and the reply turned back into HTTP.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, State, rejection::BytesRejection},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use clientele::Registry;
use clientele_docs::Docs;
use serde_json::json;
use tokio::net::TcpListener;

use self::{function::Function, request::ProxyRequest};
use crate::server::Server;

mod function;
mod request;
mod response;

/// API Gateway's limit on a request's body.
const MAX_BODY: usize = 10 * 1024 * 1024;
/// Lambda's limit on an event, and on a function's reply, as JSON.
const MAX_PAYLOAD: usize = 6_291_556;

/// What the functions are given.
#[derive(Clone)]
pub(crate) struct Functions {
    /// The domain.
    pub(crate) registry: Arc<Registry>,
    /// The documentation and the console.
    pub(crate) docs: Arc<Docs>,
}

/// Serves the HTTP API.
pub(crate) fn serve(listener: TcpListener, functions: Functions) -> Server {
    let app = Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(functions)
        .into_make_service_with_connect_info::<SocketAddr>();
    Server::spawn(|stop| async move {
        let served = axum::serve(listener, app).with_graceful_shutdown(stop.received());
        if let Err(error) = served.await {
            tracing::error!(%error, "the HTTP API failed");
        }
    })
}

async fn answer(
    State(functions): State<Functions>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    parts: Parts,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return refuse(rejection.status()),
    };
    let (function, route_key) = Function::route(&parts.method, parts.uri.path());
    let request = ProxyRequest {
        parts: &parts,
        body: &body,
        peer: peer.ip(),
        route_key,
    };
    let request_id = uuid::Uuid::new_v4().to_string();
    let event = request.to_event(&request_id);
    if event.len() > MAX_PAYLOAD {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let reply = match function::invoke(function, functions, event).await {
        Ok(reply) => reply,
        Err(error) => {
            tracing::error!(%error, request_id, "a function failed");
            return refuse(StatusCode::INTERNAL_SERVER_ERROR);
        }
    };
    response::from_reply(&reply, &request_id).unwrap_or_else(|error| {
        tracing::error!(%error, request_id, "a function's reply is not an HTTP response");
        refuse(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

/// API Gateway's own errors, which no function has a part in.
fn refuse(status: StatusCode) -> Response {
    let message = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        _ => status.canonical_reason().unwrap_or_default(),
    };
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    let body = json!({ "message": message }).to_string();
    (status, content_type, body).into_response()
}
