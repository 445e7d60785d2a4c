//! The Lambda Runtime API (version 2018-06-01), as much of it as one invocation needs.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::State,
    routing::{get, post},
};
use http::{Response, StatusCode};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

/// How long an invocation may take, as API Gateway has it.
const TIMEOUT: Duration = Duration::from_secs(29);

/// What a function does, as its runtime API sees it.
#[derive(Debug)]
pub(crate) enum Sign {
    /// It asks for an event.
    Poll(Instant),
    /// It answers the event.
    Response(Instant, String),
    /// It says that it failed.
    Failure(Instant, String),
}

/// The API of one process, with one event for it.
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    pub(crate) signs: mpsc::UnboundedReceiver<Sign>,
    server: JoinHandle<()>,
}

struct Invocation {
    event: String,
    is_taken: AtomicBool,
    signs: mpsc::UnboundedSender<Sign>,
}

impl RuntimeApi {
    /// Serves one event on a free port of this machine.
    pub(crate) async fn with_event(event: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (sender, signs) = mpsc::unbounded_channel();
        let invocation = Arc::new(Invocation {
            event,
            is_taken: AtomicBool::new(false),
            signs: sender,
        });
        let base = "/2018-06-01/runtime";
        let router = Router::new()
            .route(&format!("{base}/invocation/next"), get(next))
            .route(
                &format!("{base}/invocation/{{id}}/response"),
                post(response),
            )
            .route(&format!("{base}/invocation/{{id}}/error"), post(failure))
            .route(&format!("{base}/init/error"), post(failure))
            .with_state(invocation);
        let server = tokio::spawn(async move {
            // It ends with this value.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            signs,
            server,
        })
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(invocation): State<Arc<Invocation>>) -> Response<String> {
    let now = Instant::now();
    if invocation.is_taken.swap(true, Ordering::Relaxed) {
        return std::future::pending().await;
    }
    invocation.tell(Sign::Poll(now));
    let deadline = SystemTime::now() + TIMEOUT;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut response = Response::new(invocation.event.clone());
    let headers = [
        (
            "lambda-runtime-aws-request-id",
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
        ),
        (
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:123456789012:function:start".to_owned(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned(),
        ),
        ("content-type", "application/json".to_owned()),
    ];
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn response(State(invocation): State<Arc<Invocation>>, body: String) -> StatusCode {
    let now = Instant::now();
    invocation.tell(Sign::Response(now, body));
    StatusCode::ACCEPTED
}

async fn failure(State(invocation): State<Arc<Invocation>>, body: String) -> StatusCode {
    let now = Instant::now();
    invocation.tell(Sign::Failure(now, body));
    StatusCode::ACCEPTED
}

impl Invocation {
    fn tell(&self, sign: Sign) {
        // Nobody listens any more once the process is measured.
        let _ = self.signs.send(sign);
    }
}
