//! Stands between a function and AWS, and notes what each call needs.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};
use clientele::aws::AwsClients;
use serde_json::Value;

use super::role::{Need, Role, reaches};

#[derive(Clone)]
pub(super) struct Guard {
    role: Arc<Role>,
    noted: Arc<Mutex<Noted>>,
    inner: SharedHttpClient,
}

#[derive(Default)]
struct Noted {
    needs: Vec<Need>,
    refused: BTreeSet<String>,
}

impl Guard {
    pub(super) fn new(role: &str) -> Self {
        Self {
            role: Arc::new(Role::of(role)),
            noted: Arc::default(),
            inner: aws_smithy_http_client::Builder::new().build_http(),
        }
    }

    pub(super) fn between(&self, clients: &AwsClients) -> AwsClients {
        let http = SharedHttpClient::new(self.clone());
        let dynamodb = clients.dynamodb.config().to_builder();
        let s3 = clients.s3.config().to_builder();
        AwsClients {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(
                dynamodb.http_client(http.clone()).build(),
            ),
            s3: aws_sdk_s3::Client::from_conf(s3.http_client(http).build()),
            kms: clients.kms.clone(),
        }
    }

    /// Calls that the role does not allow.
    pub(super) fn refused(&self) -> BTreeSet<String> {
        self.noted.lock().unwrap().refused.clone()
    }

    /// What the role allows and no call needed.
    pub(super) fn unused(&self) -> BTreeSet<String> {
        let noted = self.noted.lock().unwrap();
        let is_used = |(action, pattern): &(String, String)| {
            let mut needs = noted.needs.iter();
            needs.any(|need| &need.action == action && reaches(pattern, &need.resource))
        };
        let actions = self.role.actions().into_iter();
        let unused = actions.filter(|allowed| !is_used(allowed));
        unused
            .map(|(action, pattern)| format!("{action} {pattern}"))
            .collect()
    }

    fn note(&self, request: &HttpRequest) {
        let mut noted = self.noted.lock().unwrap();
        for need in needs(request) {
            if !self.role.allows(&need) {
                noted.refused.insert(format!("{need:?}"));
            }
            noted.needs.push(need);
        }
    }
}

/// What a call needs by the service's own documentation of its permissions.
fn needs(request: &HttpRequest) -> Vec<Need> {
    match request.headers().get("x-amz-target") {
        Some(target) => {
            let operation = target.rsplit('.').next().unwrap();
            let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            needs_of_the_table(operation, &body)
        }
        None => needs_of_the_bucket(request),
    }
}

/// A transaction needs the permissions of its actions and none of its own.
fn needs_of_the_table(operation: &str, body: &Value) -> Vec<Need> {
    let need = |operation: &str, leading_keys: Vec<String>| Need {
        action: format!("dynamodb:{operation}"),
        resource: "table".to_owned(),
        leading_keys,
        prefix: String::new(),
    };
    let partition = |item: &Value| item["pk"]["S"].as_str().map(str::to_owned);
    match operation {
        "TransactWriteItems" => {
            let actions = body["TransactItems"].as_array().unwrap().iter();
            let actions = actions.flat_map(|action| action.as_object().unwrap());
            let needs = actions.map(|(kind, action)| {
                let key = action.get("Key").unwrap_or(&action["Item"]);
                let operation = match kind.as_str() {
                    "ConditionCheck" => "ConditionCheckItem".to_owned(),
                    kind => format!("{kind}Item"),
                };
                need(&operation, partition(key).into_iter().collect())
            });
            needs.collect()
        }
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().unwrap().values();
            let keys = tables.flat_map(|table| table["Keys"].as_array().unwrap());
            vec![need(operation, keys.filter_map(partition).collect())]
        }
        "Query" => {
            let values = body["ExpressionAttributeValues"].as_object().unwrap();
            let key = values.get(":pk").and_then(|value| value["S"].as_str());
            vec![need(
                operation,
                key.map(str::to_owned).into_iter().collect(),
            )]
        }
        "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" => {
            let key = body.get("Key").unwrap_or(&body["Item"]);
            vec![need(operation, partition(key).into_iter().collect())]
        }
        "Scan" => vec![need(operation, vec![])],
        other => panic!("no permission is known for {other}"),
    }
}

fn needs_of_the_bucket(request: &HttpRequest) -> Vec<Need> {
    let url = url::Url::parse(request.uri()).unwrap();
    let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy();
    let (_, key) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    let query = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    };
    let need = |action: &str, key: &str| Need {
        action: format!("s3:{action}"),
        resource: match key {
            "" => "bucket".to_owned(),
            key => format!("bucket/{key}"),
        },
        leading_keys: vec![],
        prefix: query("prefix").unwrap_or_default(),
    };
    let headers = request.headers();
    let mut needs = match (request.method(), key) {
        ("GET", "") => vec![need("ListBucket", "")],
        ("GET" | "HEAD", key) => vec![need("GetObject", key)],
        ("DELETE", key) => match query("uploadId") {
            Some(_) => vec![need("AbortMultipartUpload", key)],
            None => vec![need("DeleteObject", key)],
        },
        ("PUT" | "POST", key) => vec![need("PutObject", key)],
        (method, _) => panic!("no permission is known for {method} {path}"),
    };
    // A condition on what is there now needs to see it.
    if headers.contains_key("if-match") && request.method() != "GET" {
        needs.push(need("GetObject", key));
    }
    if let Some(source) = headers.get("x-amz-copy-source") {
        let source = percent_encoding::percent_decode_str(source).decode_utf8_lossy();
        let (_, key) = source.trim_start_matches('/').split_once('/').unwrap();
        needs.push(need("GetObject", key));
    }
    needs
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl HttpClient for Guard {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Door {
            inner: self.inner.http_connector(settings, components),
            guard: self.clone(),
        })
    }
}

#[derive(Debug)]
struct Door {
    inner: SharedHttpConnector,
    guard: Guard,
}

impl HttpConnector for Door {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.guard.note(&request);
        self.inner.call(request)
    }
}
