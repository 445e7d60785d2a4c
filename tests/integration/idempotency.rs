//! Requests that are sent again with the same `Idempotency-Key`.

use aws_sdk_dynamodb::types::AttributeValue;
use clientele::{Registry, store::jobs::Job};
use http::{Method, Response};
use lambda_http::Body;
use serde_json::{Value, json};

use crate::{
    network::{Fate, Network},
    stack::{Answer, Stack},
};

const PUSH: &str = "/api/v1/in/customers";

fn rows(external_id: &str) -> Value {
    json!({"data": [{"external_id": external_id, "name": "Ann"}]})
}

impl Stack {
    async fn post_with_key(&self, path: &str, body: &Value, key: &str) -> Answer {
        let (token, body) = (self.token(1), body.to_string());
        let headers = [("idempotency-key", key)];
        self.send(Method::POST, path, Some(&token), Some(body), &headers)
            .await
    }

    async fn jobs(&self) -> Vec<Job> {
        let store = &self.registry.store;
        store.jobs(Self::organization(), 100, None).await.unwrap()
    }

    /// Changes an attribute of what is kept for idempotency keys.
    pub(crate) async fn set_of_replies(&self, name: &str, value: i64) {
        for item in self.items().await {
            if !item["pk"].as_s().unwrap().starts_with("REPLY#") || !item.contains_key(name) {
                continue;
            }
            let update = self.local.clients.dynamodb.update_item();
            update
                .table_name(&self.registry.config.table)
                .key("pk", item["pk"].clone())
                .key("sk", item["sk"].clone())
                .update_expression("SET #name = :value")
                .expression_attribute_names("#name", name)
                .expression_attribute_values(":value", AttributeValue::N(value.to_string()))
                .send()
                .await
                .unwrap();
        }
    }

    /// Asks the function itself, as the gateway would.
    async fn push_through(&self, registry: &Registry, external_id: &str, key: &str) -> Answer {
        let request = http::Request::post(PUSH)
            .header("authorization", format!("Bearer {}", self.token(1)))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(Body::from(rows(external_id).to_string()));
        let response = clientele_api::handle(registry, request.unwrap()).await;
        answer(response)
    }

    fn over(&self, network: &Network) -> Registry {
        let clients = network.between(&self.local.clients);
        Registry::new(self.registry.config.clone(), clients).unwrap()
    }
}

fn answer(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

fn is_replay(answer: &Answer) -> bool {
    let header = answer.headers.get("idempotency-replayed");
    header.is_some_and(|value| value == "true")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_again_happens_once() {
    let stack = Stack::start().await;
    let first = stack.post_with_key(PUSH, &rows("1"), "k1").await;
    assert_eq!(first.status, 201);
    assert!(!is_replay(&first));
    for _ in 0..2 {
        let again = stack.post_with_key(PUSH, &rows("1"), "k1").await;
        assert!(is_replay(&again));
        assert_eq!(again.status, 201);
        assert_eq!(again.body, first.body);
        for header in ["content-type", "location"] {
            assert_eq!(again.headers[header], first.headers[header], "{header}");
        }
        assert_ne!(again.headers["x-request-id"], first.headers["x-request-id"]);
    }
    assert_eq!(stack.jobs().await.len(), 1);

    for (path, body) in [
        (PUSH, rows("2")),
        ("/api/v1/in/customers?source=generic", rows("1")),
        ("/v1/uploads", rows("1")),
    ] {
        let other = stack.post_with_key(path, &body, "k1").await;
        assert_eq!(other.status, 422, "{path}");
        assert!(
            other.body["type"]
                .as_str()
                .unwrap()
                .ends_with("/idempotency_key_reused")
        );
    }
    // Another key, another caller, and no key are other requests.
    assert_eq!(
        stack.post_with_key(PUSH, &rows("1"), "k2").await.status,
        201
    );
    let bob = stack.token_with(|token| token.user = "bob".to_owned());
    for token in [&bob, &stack.token(7)] {
        let headers = [("idempotency-key", "k1")];
        let body = Some(rows("3").to_string());
        let other = stack
            .send(Method::POST, PUSH, Some(token), body, &headers)
            .await;
        assert_eq!(other.status, 201);
        assert!(!is_replay(&other));
    }
    assert_eq!(stack.post(PUSH, &rows("1")).await.status, 201);
    assert_eq!(stack.jobs().await.len(), 4);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_kept_and_a_key_that_is_none_is_refused() {
    let stack = Stack::start().await;
    let none = json!({"data": []});
    let refused = stack.post_with_key(PUSH, &none, "k").await;
    let again = stack.post_with_key(PUSH, &none, "k").await;
    assert_eq!((refused.status.as_u16(), again.status.as_u16()), (400, 400));
    assert!(is_replay(&again));
    assert_eq!(again.headers["content-type"], "application/problem+json");
    assert_eq!(again.body, refused.body);

    let longest = "~".repeat(255);
    assert_eq!(
        stack.post_with_key(PUSH, &rows("1"), &longest).await.status,
        201
    );
    let too_long = "~".repeat(256);
    for key in ["", "a b", "é", too_long.as_str()] {
        let answer = stack.post_with_key(PUSH, &rows("1"), key).await;
        assert_eq!(answer.status, 400, "{key}");
        assert!(
            answer.body["type"]
                .as_str()
                .unwrap()
                .ends_with("/invalid_idempotency_key")
        );
    }
    // What reads may be repeated as it is, and is not kept.
    let group = json!({"customer_group_id": "customers.generic"});
    for _ in 0..2 {
        let read = stack.post_with_key("/v1/customer/pages", &group, "r").await;
        assert!(!is_replay(&read));
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_are_kept_sealed_and_large_ones_in_the_bucket() {
    let stack = Stack::start().await;
    let bad: Vec<Value> = (0..600)
        .map(|n| json!({"external_id": n, "birth_year": "MCMXC"}))
        .collect();
    let body = json!({"data": bad});
    let path = "/api/v1/in/customers/check";
    let first = stack.post_with_key(path, &body, "large").await;
    assert_eq!(first.body["rejected"], 600);
    let again = stack.post_with_key(path, &body, "large").await;
    assert!(is_replay(&again));
    assert_eq!(again.body, first.body);
    let small = stack.post_with_key(PUSH, &rows("1"), "small").await;
    assert_eq!(small.status, 201);

    let replies = stack.items().await.into_iter();
    let replies: Vec<_> = replies
        .filter(|item| item["pk"].as_s().unwrap().starts_with("REPLY#"))
        .collect();
    assert_eq!(replies.len(), 2);
    let text = format!("{replies:?}");
    for secret in ["Import started", "birth_year", "large", "small"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let list = stack.local.clients.s3.list_objects_v2();
    let bucket = &stack.local.registry.config.bucket;
    let kept = list
        .bucket(bucket)
        .prefix("replies/1/")
        .send()
        .await
        .unwrap();
    let [object] = kept.contents() else {
        panic!("{:?}", kept.contents());
    };
    let content = stack.local.registry.bucket.read(object.key().unwrap());
    let content = content.await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&content).contains("birth_year"));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_kept_for_a_day_even_if_it_is_not_deleted_then() {
    let stack = Stack::start().await;
    let first = stack.post_with_key(PUSH, &rows("1"), "k").await;
    stack.set_of_replies("expires_at", 1).await;
    let later = stack.post_with_key(PUSH, &rows("2"), "k").await;
    assert_eq!(later.status, 201);
    assert!(!is_replay(&later));
    assert_ne!(later.body["job"], first.body["job"]);
    assert!(is_replay(&stack.post_with_key(PUSH, &rows("2"), "k").await));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_first_request_runs_the_second_is_told_to_wait() {
    let stack = Stack::start().await;
    stack
        .registry
        .keys
        .for_writing(Stack::organization())
        .await
        .unwrap();
    let network = Network::new(|call| match call.operation {
        "S3 PUT" => Fate::CallerKilled,
        _ => Fate::Answered,
    });
    let dying = stack.over(&network);
    tokio::select! {
        _ = stack.push_through(&dying, "1", "k") => panic!("it was to be killed"),
        () = network.until_killed() => {}
    }
    let second = stack.push_through(&stack.registry, "1", "k").await;
    assert_eq!(second.status, 409);
    let wait: u64 = second.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=35).contains(&wait), "{wait}");
    let other = stack.push_through(&stack.registry, "2", "k").await;
    assert_eq!(other.status, 422);
    stack.set_of_replies("lease_until", 1).await;
    let redone = stack.push_through(&stack.registry, "1", "k").await;
    assert_eq!(redone.status, 201);
    assert!(!is_replay(&redone));
    let [job] = &stack.jobs().await[..] else {
        panic!("one job was to be registered");
    };
    assert_eq!(redone.body["id"], job.import_id);
    let replayed = stack.push_through(&stack.registry, "1", "k").await;
    assert!(is_replay(&replayed));
    assert_eq!(replayed.body, redone.body);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_ours_is_not_kept() {
    let stack = Stack::start().await;
    let network = Network::new(|call| match call.operation {
        "S3 PUT" => Fate::Refused,
        _ => Fate::Answered,
    });
    let failing = stack.over(&network);
    let failed = stack.push_through(&failing, "1", "k").await;
    assert_eq!(failed.status, 500);
    let again = stack.push_through(&stack.registry, "1", "k").await;
    assert_eq!(again.status, 201);
    assert!(!is_replay(&again));
    // The first job never got its rows, and says so.
    let jobs = stack.jobs().await;
    let codes: Vec<_> = jobs
        .iter()
        .map(|job| job.error.as_ref().map(|error| error.code.as_str()))
        .collect();
    assert_eq!(codes, [None, Some("not_received")]);
    stack.stop().await;
}

/// Pushes with each call disturbed in turn, and again until there is a reply: each push has
/// registered one job, and its reply stays the same.
async fn disturb_every_call(fate: Fate) {
    let stack = Stack::start().await;
    stack
        .registry
        .keys
        .for_writing(Stack::organization())
        .await
        .unwrap();
    let mut sites = Vec::new();
    for number in 1.. {
        let network = Network::new(move |call| match call.number == number {
            true => fate,
            false => Fate::Answered,
        });
        let registry = stack.over(&network);
        let (id, key) = (number.to_string(), format!("key-{number}"));
        let first = tokio::select! {
            answer = stack.push_through(&registry, &id, &key) => Some(answer),
            () = network.until_killed() => None,
        };
        if network.disturbed() == 0 {
            break;
        }
        sites.push(network.calls()[number - 1].clone());
        let what = format!("{fate:?} at call {number}, {}", sites[number - 1]);
        stack.set_of_replies("lease_until", 1).await;
        let second = stack.push_through(&stack.registry, &id, &key).await;
        assert_eq!(second.status, 201, "{what}");
        if let Some(first) = first {
            assert_eq!(first.status, 201, "{what}");
            assert_eq!(first.body, second.body, "{what}");
        }
        let third = stack.push_through(&stack.registry, &id, &key).await;
        assert!(is_replay(&third), "{what}");
        assert_eq!(second.body, third.body, "{what}");
        assert_eq!(stack.jobs().await.len(), number, "{what}");
    }
    assert!(sites.len() > 6, "{sites:?}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_lost_at_any_call_is_no_second_job() {
    disturb_every_call(Fate::ReplyLost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_killed_at_any_call_is_no_second_job() {
    disturb_every_call(Fate::CallerKilled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_does_the_work() {
    let stack = Stack::start().await;
    let pushes = (0..12).map(|_| stack.push_through(&stack.registry, "1", "k"));
    let answers = futures::future::join_all(pushes).await;
    let count = |status: u16| answers.iter().filter(|a| a.status == status).count();
    assert_eq!(count(201) + count(409), 12);
    let worked = answers.iter().filter(|a| a.status == 201 && !is_replay(a));
    assert_eq!(worked.count(), 1);
    assert_eq!(stack.jobs().await.len(), 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_announced_again_is_the_same_job() {
    let stack = Stack::start().await;
    let body = json!({"dataset": "customers", "filename": "a.csv"});
    let first = stack.post_with_key("/v1/uploads", &body, "u").await;
    let again = stack.post_with_key("/v1/uploads", &body, "u").await;
    assert_eq!(first.status, 201);
    assert_eq!(again.body, first.body);
    assert_eq!(stack.jobs().await.len(), 1);
    stack.stop().await;
}
