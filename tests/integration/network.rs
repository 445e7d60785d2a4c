//! A network between the functions and AWS that fails when a test says so.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_sdk_dynamodb::config::{SharedHttpClient, retry::RetryConfig};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use clientele::aws::AwsClients;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// How often a call is tried.
pub(crate) const ATTEMPTS: u32 = 3;

/// A call on its way.
pub(crate) struct Call<'a> {
    /// From 1, in the order in which calls leave.
    pub(crate) number: usize,
    /// `PutItem`; of S3 `S3 PUT`.
    pub(crate) operation: &'a str,
}

impl Call<'_> {
    /// Whether it changes something.
    pub(crate) fn writes(&self) -> bool {
        let reads = [
            "GetItem",
            "BatchGetItem",
            "Query",
            "Scan",
            "S3 GET",
            "S3 HEAD",
        ];
        !reads.contains(&self.operation)
    }

    fn is_to_s3(&self) -> bool {
        self.operation.starts_with("S3")
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is answered.
    Answered,
    /// It never arrives.
    Refused,
    /// It is done, but its reply is lost.
    ReplyLost,
    /// It is done, and then the process that sent it ends.
    CallerKilled,
    /// It is answered, and not done, as a service does that is asked for too much: throttled,
    /// a transaction in conflict, keys left unprocessed.
    TooMuch,
}

type Plan = Box<dyn FnMut(&Call<'_>) -> Fate + Send>;

/// The network of one run, and what a test wants to know of it.
#[derive(Clone)]
pub(crate) struct Network {
    state: Arc<Mutex<State>>,
    inner: SharedHttpClient,
    killed: Arc<Notify>,
}

struct State {
    plan: Plan,
    calls: Vec<String>,
    disturbed: usize,
}

impl Network {
    /// A network that does to each call what the plan says.
    pub(crate) fn new(plan: impl FnMut(&Call<'_>) -> Fate + Send + 'static) -> Self {
        let state = State {
            plan: Box::new(plan),
            calls: Vec::new(),
            disturbed: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            inner: aws_smithy_http_client::Builder::new().build_http(),
            killed: Arc::new(Notify::new()),
        }
    }

    /// Clients that call through this network, with the SDK's retries without their waits.
    pub(crate) fn between(&self, clients: &AwsClients) -> AwsClients {
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS)
            .with_initial_backoff(Duration::from_millis(1))
            .with_max_backoff(Duration::from_millis(5));
        let http = SharedHttpClient::new(self.clone());
        let dynamodb = clients.dynamodb.config().to_builder();
        let s3 = clients.s3.config().to_builder();
        AwsClients {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(
                dynamodb
                    .http_client(http.clone())
                    .retry_config(retries.clone())
                    .build(),
            ),
            s3: aws_sdk_s3::Client::from_conf(s3.http_client(http).retry_config(retries).build()),
            kms: clients.kms.clone(),
        }
    }

    /// Ends when a call's caller is to be killed.
    pub(crate) async fn until_killed(&self) {
        self.killed.notified().await;
    }

    /// How many calls were not answered as they should be.
    pub(crate) fn disturbed(&self) -> usize {
        self.state.lock().unwrap().disturbed
    }

    /// The operations so far, in their order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state.lock().unwrap().calls.clone()
    }

    fn decide(&self, request: &HttpRequest) -> (Fate, String) {
        let operation = match request.headers().get("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
            None => format!("S3 {}", request.method()),
        };
        let mut state = self.state.lock().unwrap();
        state.calls.push(operation.clone());
        let call = Call {
            number: state.calls.len(),
            operation: &operation,
        };
        let fate = (state.plan)(&call);
        state.disturbed += usize::from(fate != Fate::Answered);
        drop(state);
        (fate, operation)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

impl HttpClient for Network {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Wire {
            inner: self.inner.http_connector(settings, components),
            network: self.clone(),
        })
    }
}

#[derive(Debug)]
struct Wire {
    inner: SharedHttpConnector,
    network: Network,
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (fate, operation) = self.network.decide(&request);
        let lost = || ConnectorError::io("the network failed".into());
        match fate {
            Fate::Answered => self.inner.call(request),
            Fate::Refused => HttpConnectorFuture::ready(Err(lost())),
            Fate::TooMuch => HttpConnectorFuture::ready(Ok(too_much(&operation, &request))),
            Fate::ReplyLost => {
                let done = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    done.await?;
                    Err(lost())
                })
            }
            Fate::CallerKilled => {
                let done = self.inner.call(request);
                let killed = Arc::clone(&self.network.killed);
                HttpConnectorFuture::new(async move {
                    done.await?;
                    killed.notify_one();
                    std::future::pending().await
                })
            }
        }
    }
}

/// What DynamoDB and S3 answer when there is too much to do.
fn too_much(operation: &str, request: &HttpRequest) -> HttpResponse {
    let call = Call {
        number: 0,
        operation,
    };
    if call.is_to_s3() {
        let body =
            "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";
        return answer(503, body.to_owned());
    }
    let request: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
    let error = |name: &str| format!("com.amazonaws.dynamodb.v20120810#{name}");
    match operation {
        "BatchGetItem" => {
            let tables = request["RequestItems"].as_object().unwrap();
            let none: serde_json::Map<_, _> = tables
                .keys()
                .map(|table| (table.clone(), json!([])))
                .collect();
            let body = json!({"Responses": none, "UnprocessedKeys": tables});
            answer(200, body.to_string())
        }
        "TransactWriteItems" => {
            let actions = request["TransactItems"].as_array().unwrap().len();
            let mut reasons = vec![json!({"Code": "None"}); actions];
            reasons[actions - 1] = json!({"Code": "TransactionConflict"});
            let body = json!({
                "__type": error("TransactionCanceledException"),
                "Message": "Transaction cancelled",
                "CancellationReasons": reasons,
            });
            answer(400, body.to_string())
        }
        _ => {
            let kind = error("ProvisionedThroughputExceededException");
            answer(
                400,
                json!({"__type": kind, "message": "too fast"}).to_string(),
            )
        }
    }
}

fn answer(status: u16, body: String) -> HttpResponse {
    let mut response =
        HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
    response
        .headers_mut()
        .insert("content-type", "application/x-amz-json-1.0");
    response
}
