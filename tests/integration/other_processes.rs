//! Functions that run in other processes, or in containers, over a local stack.

use std::collections::BTreeMap;

use clientele::{
    Registry,
    config::{Config, EventSources},
};
use lambda_http::request;
use serde_json::Value;

use crate::{api_payloads::payload, docs::text, stack::Stack};

/// What `env.json` sets for functions in containers.
fn of_containers() -> BTreeMap<String, BTreeMap<String, String>> {
    serde_json::from_str(&text("env.json")).unwrap()
}

/// What the stack writes for functions in other processes.
fn of_processes(stack: &Stack) -> BTreeMap<String, String> {
    let lines = std::fs::read_to_string(stack.local.data.functions_env()).unwrap();
    let pairs = lines.lines().map(|line| line.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_in_another_process_believes_the_stacks_tokens() {
    let stack = Stack::start().await;
    let environment = of_processes(&stack);
    let lookup = |name: &str| environment.get(name).cloned();
    let config = Config::from_lookup(lookup).unwrap();
    let registry = Registry::new(config, stack.local.clients.clone()).unwrap();
    for (token, status) in [(stack.token(1), 200), ("TOKEN".to_owned(), 401)] {
        let bearer = format!("Bearer {token}");
        let event = payload("api_out_customers.json").replace("Bearer TOKEN", &bearer);
        let request = request::from_str(&event).unwrap();
        let response = clientele_api::handle(&registry, request).await;
        assert_eq!(response.status(), status, "{:?}", response.body());
    }
    let sources = EventSources::from_lookup(lookup).unwrap();
    let event: Value = serde_json::from_str(&payload("eventbridge_customer.json")).unwrap();
    let part = |name: &str| event[name].as_str().unwrap().to_owned();
    let sender = clientele::config::EventSender {
        source: part("source"),
        account: part("account"),
    };
    assert_eq!(
        sources.organization_of(&sender),
        Some(Stack::organization())
    );

    let (data, folder) = (stack.local.data.clone(), stack.watched());
    stack.local.stop().await;
    assert!(folder.exists());
    assert!(!data.functions_env().exists(), "its addresses are stale");
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_in_containers_get_the_same_settings() {
    let stack = Stack::start().await;
    let mut here = of_processes(&stack);
    // SAM passes these on from whoever calls it.
    for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert!(here.remove(name).is_some());
    }
    let there = &of_containers()["Parameters"];
    assert!(here.keys().eq(there.keys()), "{here:?} {there:?}");
    // What lies at another place, or answers at another address, for a container.
    let moved = [
        "MASTER_KEY_FILE",
        "JWKS",
        "DOCS_URL",
        "API_URL",
        "UPLOAD_ORIGIN",
        "AWS_ENDPOINT_URL_DYNAMODB",
        "AWS_ENDPOINT_URL_S3",
        // The harness asks more often than clients may.
        "RATE_LIMIT_PER_MINUTE",
    ];
    for (name, value) in &here {
        if !moved.contains(&name.as_str()) {
            assert_eq!(there[name], *value, "{name}");
        }
    }
    stack.stop().await;
}
