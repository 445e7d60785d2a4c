//! Stands between a function and AWS, and notes what each call needs.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex},
};

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use clientele::{aws::AwsClients, config::Config};
use serde_json::{Value, json};

use super::role::{Need, Role, reaches};

#[derive(Clone)]
pub(super) struct Guard {
    role: Arc<Role>,
    own: Arc<Own>,
    noted: Arc<Mutex<Noted>>,
    inner: SharedHttpClient,
}

/// What the statements name by references.
struct Own {
    table: String,
    bucket: String,
}

#[derive(Default)]
struct Noted {
    needs: Vec<Need>,
    refused: BTreeSet<String>,
    /// Objects whose keys begin so are gone when they are asked for.
    lost: Option<&'static str>,
}

impl Guard {
    pub(super) fn new(role: &str, config: &Config) -> Self {
        let own = Own {
            table: config.table.clone(),
            bucket: config.bucket.clone(),
        };
        Self {
            role: Arc::new(Role::of(role)),
            own: Arc::new(own),
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

    /// From now on, objects whose keys begin so are gone when they are asked for.
    pub(super) fn lose(&self, prefix: &'static str) {
        self.noted.lock().unwrap().lost = Some(prefix);
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

    /// Returns the object that is read, if one is.
    fn note(&self, request: &HttpRequest) -> Option<Read> {
        let needs = needs(&self.own, request);
        let mut noted = self.noted.lock().unwrap();
        let mut object = None;
        for need in needs {
            if !self.role.allows(&need) {
                noted.refused.insert(format!("{need:?}"));
            }
            if need.action == "s3:GetObject" && ["GET", "HEAD"].contains(&request.method()) {
                let key = need.resource.strip_prefix("bucket/");
                let is_lost = key
                    .zip(noted.lost)
                    .is_some_and(|(k, lost)| k.starts_with(lost));
                object = Some(Read { is_lost });
            }
            noted.needs.push(need);
        }
        object
    }
}

/// An object is read.
struct Read {
    is_lost: bool,
}

/// What a call needs by the service's own documentation of its permissions.
fn needs(own: &Own, request: &HttpRequest) -> Vec<Need> {
    match request.headers().get("x-amz-target") {
        Some(target) => {
            let operation = target.rsplit('.').next().unwrap();
            let body = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            needs_of_the_table(own, operation, &body)
        }
        None => needs_of_the_bucket(own, request),
    }
}

/// A transaction needs the permissions of its actions and none of its own.
fn needs_of_the_table(own: &Own, operation: &str, body: &Value) -> Vec<Need> {
    let need = |operation: &str, table: &str, leading_keys: Vec<String>| Need {
        action: format!("dynamodb:{operation}"),
        resource: match table == own.table {
            true => "table".to_owned(),
            false => format!("another table {table}"),
        },
        leading_keys,
        prefix: String::new(),
    };
    let table = |call: &Value| call["TableName"].as_str().unwrap().to_owned();
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
                need(
                    &operation,
                    &table(action),
                    partition(key).into_iter().collect(),
                )
            });
            needs.collect()
        }
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().unwrap().iter();
            let needs = tables.map(|(table, asked)| {
                let keys = asked["Keys"].as_array().unwrap().iter();
                need(operation, table, keys.filter_map(partition).collect())
            });
            needs.collect()
        }
        "Query" => {
            let values = body["ExpressionAttributeValues"].as_object().unwrap();
            let key = values.get(":pk").and_then(|value| value["S"].as_str());
            vec![need(
                operation,
                &table(body),
                key.map(str::to_owned).into_iter().collect(),
            )]
        }
        "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" => {
            let key = body.get("Key").unwrap_or(&body["Item"]);
            vec![need(
                operation,
                &table(body),
                partition(key).into_iter().collect(),
            )]
        }
        "Scan" => vec![need(operation, &table(body), vec![])],
        other => panic!("no permission is known for {other}"),
    }
}

fn needs_of_the_bucket(own: &Own, request: &HttpRequest) -> Vec<Need> {
    let url = url::Url::parse(request.uri()).unwrap();
    let path = percent_encoding::percent_decode_str(url.path()).decode_utf8_lossy();
    let (bucket, key) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    let query = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    };
    let need_in = |bucket: &str, action: &str, key: &str| {
        let bucket = match bucket == own.bucket {
            true => "bucket".to_owned(),
            false => format!("another bucket {bucket}"),
        };
        Need {
            action: format!("s3:{action}"),
            resource: match key {
                "" => bucket,
                key => format!("{bucket}/{key}"),
            },
            leading_keys: vec![],
            prefix: query("prefix").unwrap_or_default(),
        }
    };
    let need = |action: &str, key: &str| need_in(bucket, action, key);
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
        let (bucket, key) = source.trim_start_matches('/').split_once('/').unwrap();
        needs.push(need_in(bucket, "GetObject", key));
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
        let Some(read) = self.guard.note(&request) else {
            return self.inner.call(request);
        };
        let answered = match read.is_lost {
            true => HttpConnectorFuture::ready(Ok(failure(404, "NoSuchKey"))),
            false => self.inner.call(request),
        };
        if self.guard.role.sees_absence() {
            return answered;
        }
        HttpConnectorFuture::new(async move {
            let response = answered.await?;
            Ok(match response.status().as_u16() {
                404 => failure(403, "AccessDenied"),
                _ => response,
            })
        })
    }
}

fn failure(status: u16, code: &str) -> HttpResponse {
    let body = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
    HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
}

#[test]
fn calls_to_another_table_or_bucket_are_refused() {
    let own = Own {
        table: "records".to_owned(),
        bucket: "files".to_owned(),
    };
    let role = Role::of("ImportRole");
    let may = |request: &HttpRequest| needs(&own, request).iter().all(|need| role.allows(need));
    let of_s3 = |method: &str, path: &str, source: Option<&'static str>| {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_method(method).unwrap();
        request.set_uri(format!("http://s3{path}")).unwrap();
        if let Some(source) = source {
            request.headers_mut().insert("x-amz-copy-source", source);
        }
        request
    };
    let of_dynamodb = |operation: &str, body: Value| {
        let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
        let target = format!("DynamoDB_20120810.{operation}");
        request.headers_mut().insert("x-amz-target", target);
        request
    };
    for (table, allowed) in [("records", true), ("others", false)] {
        let key = json!({"pk": {"S": "ORG#1"}, "sk": {"S": "KEYS"}});
        let get = json!({"TableName": table, "Key": key});
        let batch = json!({"RequestItems": {table: {"Keys": [key]}}});
        let transaction = json!({"TransactItems": [{"ConditionCheck": get}]});
        let calls = [
            of_dynamodb("GetItem", get.clone()),
            of_dynamodb("BatchGetItem", batch),
            of_dynamodb("TransactWriteItems", transaction),
        ];
        for call in calls {
            assert_eq!(may(&call), allowed, "{call:?}");
        }
    }
    let table = [
        ("GET", "/files/inbox/1/a.csv", None, true),
        ("GET", "/others/inbox/1/a.csv", None, false),
        ("GET", "/files/?prefix=inbox/", None, true),
        ("GET", "/others/?prefix=inbox/", None, false),
        ("PUT", "/files/failed/a", Some("files/inbox/a"), true),
        ("PUT", "/files/failed/a", Some("others/inbox/a"), false),
    ];
    for (method, path, source, allowed) in table {
        let may = may(&of_s3(method, path, source));
        assert_eq!(may, allowed, "{method} {path} {source:?}");
    }
}
