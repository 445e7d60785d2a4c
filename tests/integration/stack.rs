//! A local stack of a test's own, and the handlers over it.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lambda_events::event::s3::S3Event;
use aws_sdk_dynamodb::types::AttributeValue;
use clientele::{
    Registry,
    config::{Config, InboxRetention, KeyWrapping},
    identity::OrganizationId,
    store::jobs::Job,
};
use clientele_docs::ProviderSettings;
use clientele_local::{LocalStack, Options, identity::TokenRequest};
use data_encoding::HEXLOWER;
use http::{Method, StatusCode};
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::logs;

/// The bucket of handlers that a test invokes itself; nothing watches it.
const BUCKET: &str = "handlers";
/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running stack, and a second registry whose bucket nobody watches.
pub(crate) struct Stack {
    pub(crate) local: LocalStack,
    /// Over the same table as the stack.
    pub(crate) registry: Arc<Registry>,
    folder: TempDir,
}

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Stack {
    /// A stack that answers as often as a test asks.
    pub(crate) async fn start() -> Self {
        Self::with_rate_limit(1_000_000).await
    }

    pub(crate) async fn with_rate_limit(limit: u32) -> Self {
        Self::with(|options| options.rate_limit_per_minute = limit).await
    }

    /// A stack whose console leads to an identity provider.
    pub(crate) async fn with_provider(settings: ProviderSettings) -> Self {
        Self::with(|options| {
            options.rate_limit_per_minute = 1_000_000;
            options.provider = Some(settings);
        })
        .await
    }

    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        logs::capture();
        let folder = TempDir::new().unwrap();
        let mut options = Options::on_free_ports(folder.path());
        change(&mut options);
        let local = LocalStack::start(options).await.unwrap();
        local
            .clients
            .s3
            .create_bucket()
            .bucket(BUCKET)
            .send()
            .await
            .unwrap();
        let config = Config {
            bucket: BUCKET.to_owned(),
            inbox_retention: InboxRetention::Delete,
            ..local.registry.config.clone()
        };
        let registry = Registry::new(config, local.clients.clone()).unwrap();
        Self {
            local,
            registry: Arc::new(registry),
            folder,
        }
    }

    /// The folder that the stack watches for dropped files.
    pub(crate) fn watched(&self) -> PathBuf {
        let bucket = &self.local.registry.config.bucket;
        self.folder.path().join("s3").join(bucket)
    }

    pub(crate) async fn stop(self) {
        self.local.stop().await;
    }

    pub(crate) fn organization() -> OrganizationId {
        OrganizationId::new(1).unwrap()
    }

    /// Puts an object and returns the event that S3 sends for it.
    pub(crate) async fn put(&self, key: &str, content: impl Into<Vec<u8>>) -> Value {
        self.put_with(key, content, &[]).await
    }

    pub(crate) async fn put_with(
        &self,
        key: &str,
        content: impl Into<Vec<u8>>,
        metadata: &[(&str, &str)],
    ) -> Value {
        let content = content.into();
        let mut put = self.local.clients.s3.put_object().bucket(BUCKET).key(key);
        for (name, value) in metadata {
            put = put.metadata(*name, *value);
        }
        let size = content.len();
        let output = put.body(content.into()).send().await.unwrap();
        let etag = output.e_tag.unwrap_or_default().replace('"', "");
        let sequencer = format!("{:016X}", jiff::Timestamp::now().as_nanosecond());
        s3_event(key, size, &etag, &sequencer)
    }

    /// Invokes the import function, also with what it puts into the bucket for itself.
    pub(crate) async fn invoke(
        &self,
        event: &Value,
        request_id: &str,
    ) -> Result<(), clientele_import::ImportError> {
        let limit = Duration::from_secs(900);
        self.invoke_for(event, request_id, limit).await?;
        loop {
            let parts = self.events_of_parts().await;
            if parts.is_empty() {
                return Ok(());
            }
            for (n, event) in parts.iter().enumerate() {
                let request_id = format!("{request_id} {n}");
                self.invoke_for(event, &request_id, limit).await?;
            }
        }
    }

    /// Invokes the import function once, with a time limit.
    pub(crate) async fn invoke_for(
        &self,
        event: &Value,
        request_id: &str,
        limit: Duration,
    ) -> Result<(), clientele_import::ImportError> {
        let event: S3Event = serde_json::from_value(event.clone()).unwrap();
        let event = LambdaEvent::new(event, context(request_id, limit));
        clientele_import::handle(&self.registry, event).await
    }

    /// The events that S3 sends for what is below `parts/` now.
    pub(crate) async fn events_of_parts(&self) -> Vec<Value> {
        self.events_below("parts/").await
    }

    /// The events that S3 sends for the objects below a prefix, if they are put now.
    pub(crate) async fn events_below(&self, prefix: &str) -> Vec<Value> {
        let list = self.local.clients.s3.list_objects_v2().bucket(BUCKET);
        let found = list.prefix(prefix).send().await.unwrap();
        let event = |object: &aws_sdk_s3::types::Object| {
            let etag = object.e_tag().unwrap_or_default().replace('"', "");
            let size = object.size().unwrap().try_into().unwrap();
            let modified = object.last_modified().unwrap().as_nanos();
            s3_event(
                object.key().unwrap(),
                size,
                &etag,
                &format!("{modified:016X}"),
            )
        };
        found.contents().iter().map(event).collect()
    }

    /// Imports a file and returns its job.
    pub(crate) async fn import(&self, dataset: &str, content: impl Into<Vec<u8>>) -> Job {
        self.import_key(&format!("inbox/1/generic/{dataset}/file"), content)
            .await
    }

    pub(crate) async fn import_key(&self, key: &str, content: impl Into<Vec<u8>>) -> Job {
        let event = self.put(key, content).await;
        self.invoke(&event, "test").await.unwrap();
        self.latest_job().await
    }

    /// Registers an object's job as an invocation does that fails before it works on it: the job is
    /// free for the next one.
    pub(crate) async fn register(&self, event: &Value) -> Uuid {
        let known = self
            .registry
            .store
            .jobs(Self::organization(), 10, None)
            .await
            .unwrap()
            .len();
        // Without the master key the organisation's keys cannot be unwrapped: the work ends there.
        let mut config = self.registry.config.clone();
        let wrong = self.folder.path().join("wrong-key");
        std::fs::write(&wrong, [7; 32]).unwrap();
        config.key_wrapping = KeyWrapping::File(wrong);
        self.registry
            .keys
            .for_writing(Self::organization())
            .await
            .unwrap();
        let dying = Registry::new(config, self.local.clients.clone()).unwrap();
        let event: S3Event = serde_json::from_value(event.clone()).unwrap();
        let context = context("a", Duration::from_secs(900));
        let died = clientele_import::handle(&dying, LambdaEvent::new(event, context)).await;
        assert!(died.is_err());
        let jobs = self
            .registry
            .store
            .jobs(Self::organization(), 10, None)
            .await
            .unwrap();
        assert_eq!(jobs.len(), known + 1);
        jobs[0].id
    }

    pub(crate) async fn latest_job(&self) -> Job {
        let jobs = self
            .registry
            .store
            .jobs(Self::organization(), 1, None)
            .await
            .unwrap();
        jobs.into_iter().next().expect("a job")
    }

    /// Whether an object exists in the handlers' bucket.
    pub(crate) async fn has_object(&self, key: &str) -> bool {
        let head = self.local.clients.s3.head_object().bucket(BUCKET).key(key);
        head.send().await.is_ok()
    }

    /// Whether an object of this key was put aside.
    pub(crate) async fn has_failed(&self, key: &str) -> bool {
        let (folders, filename) = key.rsplit_once('/').unwrap();
        let list = self.local.clients.s3.list_objects_v2().bucket(BUCKET);
        let found = list
            .prefix(format!("failed/{folders}/"))
            .send()
            .await
            .unwrap();
        let ending = format!("-{filename}");
        found
            .contents()
            .iter()
            .any(|object| object.key().unwrap().ends_with(&ending))
    }

    /// A token for everything in an organisation.
    pub(crate) fn token(&self, organization: u64) -> String {
        let organization = OrganizationId::new(organization).unwrap();
        self.local
            .token(&TokenRequest::for_everything_in(organization))
            .unwrap()
    }

    /// A token of organisation 1 with other claims than usual.
    pub(crate) fn token_with(&self, change: impl FnOnce(&mut TokenRequest)) -> String {
        let mut request = TokenRequest::for_everything_in(Self::organization());
        change(&mut request);
        self.local.token(&request).unwrap()
    }

    /// Asks over HTTP as organisation 1.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Some(&self.token(1)), None, &[])
            .await
    }

    /// Posts JSON over HTTP as organisation 1.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(
            Method::POST,
            path,
            Some(&self.token(1)),
            Some(body.to_string()),
            &[],
        )
        .await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = format!("{}{path}", self.local.endpoints.http);
        let mut request = reqwest::Client::new().request(method, url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer {
            status,
            headers,
            body,
        }
    }

    /// Waits for the job at a path to end.
    pub(crate) async fn job_at(&self, path: &str) -> Value {
        self.until(|| async {
            let job = self.get(path).await.body;
            let ended = !matches!(job["state"].as_str(), None | Some("queued" | "running"));
            ended.then_some(job)
        })
        .await
    }

    /// Asks again until there is an answer.
    pub(crate) async fn until<T, F: Future<Output = Option<T>>>(&self, ask: impl Fn() -> F) -> T {
        let answered = async {
            loop {
                if let Some(answer) = ask().await {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answered)
            .await
            .expect("an answer in time")
    }

    /// Changes a setting of organisation 1.
    pub(crate) async fn set(&self, name: &str, value: &str) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let update = self.local.clients.dynamodb.update_item();
        update
            .table_name(&self.registry.config.table)
            .key("pk", text("ORG#1"))
            .key("sk", text("ORGANIZATION"))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", text(value))
            .send()
            .await
            .unwrap();
    }

    /// Every item of the table.
    pub(crate) async fn items(&self) -> Vec<clientele::store::layout::Item> {
        let scan = self
            .local
            .clients
            .dynamodb
            .scan()
            .table_name(&self.registry.config.table);
        let items = scan
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>();
        items.await.unwrap()
    }

    /// Every item but those that only count requests.
    pub(crate) async fn items_but_requests(&self) -> Vec<clientele::store::layout::Item> {
        let mut items = self.items().await;
        items.retain(|item| !item["pk"].as_s().unwrap().starts_with("RATE#"));
        items
    }

    /// The record that `GET /api/v1/out/{dataset}` shows for an external id.
    pub(crate) async fn record(&self, dataset: &str, external_id: &str) -> Value {
        let path = format!("/api/v1/out/{dataset}?source=generic&q[external_id_eq]={external_id}");
        self.get(&path).await.body["data"][0].clone()
    }

    pub(crate) async fn assert_verified(&self) {
        let report = clientele::store::verify::verify(&self.registry.store, false)
            .await
            .unwrap();
        assert!(report.is_clean(), "{report}");
    }
}

/// A Lambda context with a time limit.
pub(crate) fn context(request_id: &str, limit: Duration) -> Context {
    let deadline = (SystemTime::now() + limit).duration_since(UNIX_EPOCH);
    let mut context = Context::default();
    context.request_id = request_id.to_owned();
    context.deadline = deadline.unwrap().as_millis().try_into().unwrap();
    context
}

/// The event that S3 sends for an object, its key encoded as S3 does.
pub(crate) fn s3_event(key: &str, size: usize, etag: &str, sequencer: &str) -> Value {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'*' => {
            char::from(byte).to_string()
        }
        b' ' => "+".to_owned(),
        other => format!("%{other:02X}"),
    };
    let mut event: Value =
        serde_json::from_str(include_str!("../../events/s3_put_csv.json")).unwrap();
    let encoded: String = key.bytes().map(encode).collect();
    event["Records"][0]["s3"]["bucket"]["name"] = json!(BUCKET);
    event["Records"][0]["s3"]["object"] =
        json!({"key": encoded, "size": size, "eTag": etag, "sequencer": sequencer});
    event
}

/// A file of the repository's test files.
pub(crate) fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("files")
        .join(name);
    std::fs::read(path).unwrap()
}

/// A customers file with made-up people.
pub(crate) fn customers(rows: std::ops::Range<usize>, phone_prefix: &str) -> String {
    let header = "external_id,name,phone,email,birth_year,country,household_size,profession";
    let row = |n: usize| {
        format!(
            "c{n},Person {n},{phone_prefix}{n:07},p{n}@example.com,{},UG,{},farmer",
            1950 + n % 60,
            n % 9
        )
    };
    let rows: Vec<_> = rows.map(row).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

/// Lower-case hex of a SHA-256.
pub(crate) fn sha256(text: &str) -> String {
    use sha2::Digest;
    HEXLOWER.encode(&sha2::Sha256::digest(text))
}
