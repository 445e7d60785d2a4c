//! Least privilege: each function is led through all that it does, and every call that it makes
//! to the table and the bucket has to be allowed by its role in the template; what the role
//! allows beyond that is named here with its reason.
//!
//! Keys are wrapped by a file here, so KMS is not among the calls; logs and queues are Lambda's.

mod guard;
mod role;

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use clientele::{Registry, store::layout::Item};
use clientele_verify::Request as Verification;
use lambda_http::request;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};

use crate::{
    api_payloads::{names, payload},
    event_bridge,
    stack::{Stack, context, customers, file},
};
use guard::Guard;

/// A function as it is deployed: a registry of its own, whose calls are watched.
struct Function {
    registry: Arc<Registry>,
    guard: Guard,
}

impl Function {
    fn new(stack: &Stack, role: &str) -> Self {
        let guard = Guard::new(role, &stack.registry.config);
        let clients = guard.between(&stack.local.clients);
        let registry = Registry::new(stack.registry.config.clone(), clients).unwrap();
        Self {
            registry: Arc::new(registry),
            guard,
        }
    }
}

struct Deployment {
    stack: Stack,
    api: Function,
    pages: Function,
    import: Function,
    verify: Function,
    events: Function,
}

impl Deployment {
    async fn start() -> Self {
        let stack = Stack::start().await;
        Self {
            api: Function::new(&stack, "ApiRole"),
            pages: Function::new(&stack, "PagesRole"),
            import: Function::new(&stack, "ImportRole"),
            verify: Function::new(&stack, "VerifyRole"),
            events: Function::new(&stack, "EventsRole"),
            stack,
        }
    }

    /// A request as API Gateway hands it to the function that its payload's name begins with.
    async fn send(&self, name: &str, change: impl FnOnce(&mut Value)) -> Value {
        let token = format!("Bearer {}", self.stack.token(1));
        let text = payload(name).replace("Bearer TOKEN", &token);
        let mut event = serde_json::from_str(&text).unwrap();
        change(&mut event);
        let request = request::from_str(&event.to_string()).unwrap();
        let response = match name.split('_').next() {
            Some("pages") => clientele_pages::handle(&self.pages.registry, request).await,
            _ => clientele_api::handle(&self.api.registry, request).await,
        };
        let status = response.status();
        assert!(!status.is_server_error(), "{name}: {status}");
        serde_json::from_slice(response.body()).unwrap_or_default()
    }

    async fn import(&self, event: &Value) {
        let event = serde_json::from_value(event.clone()).unwrap();
        let context = context("test", Duration::from_secs(900));
        let event = LambdaEvent::new(event, context);
        clientele_import::handle(&self.import.registry, event)
            .await
            .unwrap();
    }

    async fn drop_file(&self, key: &str, content: impl Into<Vec<u8>>, mode: &str) {
        let event = self.stack.put_with(key, content, &[("mode", mode)]).await;
        self.import(&event).await;
        self.finish().await;
    }

    /// Imports what the functions have put in the bucket for the import function.
    async fn finish(&self) {
        // A large file's parts are a few rounds.
        for _ in 0..100 {
            let mut events = self.stack.events_below("staged/").await;
            events.extend(self.stack.events_of_parts().await);
            if events.is_empty() {
                return;
            }
            for event in events {
                self.import(&event).await;
            }
        }
        panic!("objects are left over, however often their events come");
    }

    async fn verify(&self, request: Value) -> Value {
        let request: Verification = serde_json::from_value(request).unwrap();
        let event = LambdaEvent::new(request, context("test", Duration::from_secs(900)));
        let reply = clientele_verify::handle(&self.verify.registry, event).await;
        serde_json::to_value(reply.unwrap()).unwrap()
    }
}

fn with_body(body: Value) -> impl FnOnce(&mut Value) {
    move |event| {
        event["body"] = body.to_string().into();
        event["isBase64Encoded"] = false.into();
    }
}

fn on_path(path: String) -> impl FnOnce(&mut Value) {
    move |event| {
        event["rawPath"] = path.clone().into();
        event["requestContext"]["http"]["path"] = path.into();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_may_do_what_it_does_and_no_more() {
    let deployment = Deployment::start().await;
    files(&deployment).await;
    requests(&deployment).await;
    keys_and_rejected_rows(&deployment).await;
    events(&deployment).await;
    erasure_and_verification(&deployment).await;
    let functions = [
        ("api", &deployment.api),
        ("pages", &deployment.pages),
        ("import", &deployment.import),
        ("verify", &deployment.verify),
        ("events", &deployment.events),
    ];
    for (name, function) in functions {
        assert_eq!(function.guard.refused(), BTreeSet::new(), "{name} may not");
    }
    let unused = functions.map(|(name, function)| (name, function.guard.unused()));
    let unused: Vec<_> = unused
        .into_iter()
        .filter(|(_, actions)| !actions.is_empty())
        .collect();
    let expected = [
        // Rejected rows are deleted by whoever asks for them after seven days.
        ("api", "s3:DeleteObject bucket/rejected/*"),
        // Where another was quicker: a membership that is there, a record that is gone.
        ("import", "dynamodb:ConditionCheckItem table"),
        ("events", "dynamodb:ConditionCheckItem table"),
    ];
    let expected = expected.map(|(name, action)| (name, BTreeSet::from([action.to_owned()])));
    assert_eq!(unused, expected);
    deployment.stack.stop().await;
}

/// Good, bad, large, again, gone.
async fn files(deployment: &Deployment) {
    let key = "inbox/1/generic/customers/customers.csv";
    deployment
        .drop_file(key, file("customers.csv"), "write")
        .await;
    deployment
        .drop_file(key, file("customers.csv"), "write")
        .await;
    let rejected = "inbox/1/generic/customers/errors.csv";
    deployment
        .drop_file(rejected, file("customers_with_errors.csv"), "write")
        .await;
    let misspelt = "inbox/1/generic/customers/near_miss.csv";
    deployment
        .drop_file(misspelt, file("customers_near_miss.csv"), "write")
        .await;
    let large = "inbox/1/generic/customers/large.csv";
    deployment
        .drop_file(large, customers(0..10_500, "+2567"), "write")
        .await;
    let whole = "inbox/1/generic/customers/whole.csv";
    deployment
        .drop_file(whole, customers(0..20, "+2568"), "all_or_nothing")
        .await;
    let meters = "inbox/1/generic/meters/meters.csv";
    deployment
        .drop_file(meters, file("meters.csv"), "write")
        .await;
    // S3 tells again of a file that was imported, and deleted.
    let event = deployment.stack.put(key, file("customers.csv")).await;
    deployment.import(&event).await;
    deployment.import(&event).await;
}

/// Every payload twice, as a client does that did not get the reply.
async fn requests(deployment: &Deployment) {
    for name in names(&["api_", "pages_"]) {
        for _ in 0..2 {
            let key = format!("key-of-{name}");
            let keyed = |event: &mut Value| event["headers"]["idempotency-key"] = key.into();
            deployment.send(&name, keyed).await;
        }
        deployment.finish().await;
    }
    // Somebody whose first request it is.
    let token = deployment
        .stack
        .token_with(|token| token.user = "another".to_owned());
    let as_another = |event: &mut Value| {
        event["headers"]["authorization"] = format!("Bearer {token}").into();
    };
    deployment
        .send("pages_customer_pages.json", as_another)
        .await;
    // A long reply is kept in the bucket.
    let nonsense: Vec<Value> = (0..500).map(|n| json!({"number": n})).collect();
    for _ in 0..2 {
        let body = with_body(nonsense.clone().into());
        let keyed = |event: &mut Value| {
            body(event);
            event["headers"]["idempotency-key"] = "long".into();
        };
        let reply = deployment.send("api_events.json", keyed).await;
        assert!(reply.to_string().len() > 40_000);
    }
}

async fn keys_and_rejected_rows(deployment: &Deployment) {
    let key = "inbox/1/generic/customers/errors again.csv";
    deployment
        .drop_file(key, file("customers_with_errors.csv"), "write")
        .await;
    let job = deployment.stack.latest_job().await;
    deployment
        .send("api_job.json", on_path(format!("/v1/jobs/{}", job.id)))
        .await;
    for what in ["report", "rejected.csv"] {
        let path = format!("/v1/jobs/{}/{what}", job.id);
        deployment.send("api_job.json", on_path(path)).await;
    }
    // The rows expire between the listing and the download.
    deployment.api.guard.lose("rejected/");
    let path = format!("/v1/jobs/{}/rejected.csv", job.id);
    let gone = deployment.send("api_job.json", on_path(path)).await;
    assert_eq!(gone["status"], 410, "{gone}");
    deployment.send("api_keys_rotate.json", |_| ()).await;
    deployment.send("api_keys_rewrap.json", |_| ()).await;
    deployment.finish().await;
}

async fn events(deployment: &Deployment) {
    let sources = event_bridge::sources(1..=1);
    for hour in [8, 9, 9, 7] {
        let event = event_bridge::about(1, "event-1", hour, |body| {
            body["city"] = format!("City {hour}").into();
        });
        let registry = &deployment.events.registry;
        event_bridge::invoke(registry, &sources, &event.to_string())
            .await
            .unwrap();
    }
}

async fn erasure_and_verification(deployment: &Deployment) {
    deployment
        .drop_file(
            "inbox/1/generic/customers/g1/a.csv",
            customers(0..30, "+2569"),
            "write",
        )
        .await;
    let delete = on_path("/v1/groups/g1".to_owned());
    deployment.send("api_group_delete.json", delete).await;
    deployment.finish().await;

    let backup = deployment.stack.items().await;
    let ids: Vec<String> = (0..10).map(|n| format!("c{n}")).collect();
    let erased = json!({"customer_group_id": "customers.generic", "customer_ids": ids});
    let reply = deployment
        .send("api_customer_delete.json", with_body(erased))
        .await;
    assert_eq!(reply["deleted"], 10);

    let receipt = reply["receipt"].clone();
    assert_eq!(
        deployment.verify(json!({"receipt": receipt})).await["clean"],
        true
    );
    damage(&deployment.stack).await;
    assert_eq!(deployment.verify(json!({})).await["clean"], false);
    let mended = deployment.verify(json!({"repair": true})).await;
    assert_eq!(mended["clean"], true, "{mended}");
    bring_back(&deployment.stack, backup).await;
    let applied = deployment.verify(json!({"apply_fences": true})).await;
    assert_eq!(applied["clean"], true, "{applied}");
}

/// Takes away a membership, and a record with members left.
async fn damage(stack: &Stack) {
    let items = stack.items().await;
    let text = |item: &Item, name: &str| item[name].as_s().unwrap().clone();
    let of_group = |item: &&Item| text(item, "pk").starts_with("GROUP#1#customers.generic#");
    let of_customer = |item: &&Item| text(item, "sk") == "RECORD";
    let membership = items.iter().find(of_group).unwrap();
    let record = items.iter().rfind(of_customer).unwrap();
    for item in [membership, record] {
        let delete = stack.local.clients.dynamodb.delete_item();
        delete
            .table_name(&stack.registry.config.table)
            .key("pk", item["pk"].clone())
            .key("sk", item["sk"].clone())
            .send()
            .await
            .unwrap();
    }
}

/// Puts the items of a backup in place that are gone, as a restore does.
async fn bring_back(stack: &Stack, backup: Vec<Item>) {
    let key = |item: &Item| (item["pk"].clone(), item["sk"].clone());
    let items = stack.items().await;
    let there: Vec<_> = items.iter().map(key).collect();
    let there: HashSet<_> = there
        .iter()
        .map(|(pk, sk)| (pk.as_s().unwrap(), sk.as_s().unwrap()))
        .collect();
    for item in backup {
        let (pk, sk) = (item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap());
        // The counters go with the members that they count.
        if pk.starts_with("COUNT#") || !there.contains(&(pk, sk)) {
            let put = stack.local.clients.dynamodb.put_item();
            let put = put.table_name(&stack.registry.config.table);
            put.set_item(Some(item)).send().await.unwrap();
        }
    }
}
