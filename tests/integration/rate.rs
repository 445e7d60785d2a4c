//! How often a caller may call.

use std::sync::Arc;

use clientele::{
    Registry,
    caller::CallerId,
    rate::{Quota, RateLimiter, Verdict},
    store::Store,
};
use futures::{StreamExt, stream};
use http::Method;
use jiff::{SignedDuration, Timestamp};

use crate::{
    network::{Fate, Network},
    stack::Stack,
};

fn caller(subject: &str) -> CallerId {
    CallerId::of_user(Stack::organization(), subject)
}

/// Instances that know nothing of each other but the table.
fn instances(stack: &Stack, count: usize) -> Vec<(RateLimiter, Store)> {
    let dynamodb = &stack.local.clients.dynamodb;
    let store = || Store::new(dynamodb.clone(), &stack.registry.config.table);
    (0..count)
        .map(|_| (RateLimiter::new(300), store()))
        .collect()
}

/// Requests spread over instances, many at once. Returns how many were let in.
async fn ask(instances: &[(RateLimiter, Store)], requests: usize, at: Timestamp) -> usize {
    let verdicts: Vec<_> = stream::iter(0..requests)
        .map(|n| async move {
            let (limiter, store) = &instances[n % instances.len()];
            limiter.admit(store, &caller("ann"), || at).await
        })
        .buffer_unordered(16)
        .collect()
        .await;
    // A request whose count failed is not let in.
    let admitted = verdicts
        .iter()
        .filter(|verdict| matches!(verdict, Ok(Verdict::Admitted(_))));
    admitted.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_400_requests_to_4_instances_exactly_300_are_let_in_each_minute() {
    let stack = Stack::start().await;
    let instances = instances(&stack, 4);
    let start = Timestamp::now();
    assert_eq!(ask(&instances, 400, start).await, 300);
    let later = |seconds| start + SignedDuration::from_secs(seconds);
    assert_eq!(ask(&instances, 40, later(30)).await, 0);
    assert_eq!(ask(&instances, 40, later(59)).await, 0);
    // Nobody else waits for it.
    let (limiter, store) = &instances[0];
    let other = limiter.admit(store, &caller("bob"), || start).await;
    let left = Quota {
        limit: 300,
        remaining: 299,
        reset: 61,
    };
    assert_eq!(other.unwrap(), Verdict::Admitted(left));
    assert_eq!(ask(&instances, 400, later(61)).await, 300);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_costs_one_write_and_a_refused_one_none() {
    let stack = Stack::start().await;
    let instances = instances(&stack, 1);
    let (limiter, store) = &instances[0];
    let start = Timestamp::now();
    // At the most seconds that a history holds, for longer than it holds them.
    for n in 0..200 {
        let at = start + SignedDuration::from_secs(n);
        let before = store.consumed();
        let verdict = limiter.admit(store, &caller("ann"), || at).await.unwrap();
        assert!(matches!(verdict, Verdict::Admitted(_)), "{n}");
        assert_eq!((store.consumed() - before).write, 1.0, "{n}");
    }
    let at = start + SignedDuration::from_secs(200);
    while let Verdict::Admitted(_) = limiter.admit(store, &caller("ann"), || at).await.unwrap() {}
    let before = store.consumed();
    for _ in 0..10 {
        let verdict = limiter.admit(store, &caller("ann"), || at).await.unwrap();
        assert!(matches!(verdict, Verdict::Refused(_)));
    }
    assert_eq!(store.consumed(), before);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_replies_never_let_in_more_than_the_limit() {
    let stack = Stack::start().await;
    let mut calls = 0;
    let network = Network::new(move |_| {
        calls += 1;
        match calls % 7 {
            0 => Fate::ReplyLost,
            3 => Fate::Refused,
            _ => Fate::Answered,
        }
    });
    let clients = network.between(&stack.local.clients);
    let table = &stack.registry.config.table;
    let instances = [(
        RateLimiter::new(300),
        Store::new(clients.dynamodb.clone(), table),
    )];
    let admitted = ask(&instances, 400, Timestamp::now()).await;
    assert!((200..=300).contains(&admitted), "{admitted}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_that_time_to_live_deletes_begins_anew() {
    let stack = Stack::start().await;
    let instances = instances(&stack, 1);
    let start = Timestamp::now();
    assert_eq!(ask(&instances, 10, start).await, 10);
    let rate = |item: &clientele::store::layout::Item| {
        item["pk"].as_s().is_ok_and(|pk| pk.starts_with("RATE#"))
    };
    let item = stack.items().await.into_iter().find(rate).unwrap();
    let delete = stack.local.clients.dynamodb.delete_item();
    delete
        .table_name(&stack.registry.config.table)
        .key("pk", item["pk"].clone())
        .key("sk", item["sk"].clone())
        .send()
        .await
        .unwrap();
    let later = start + SignedDuration::from_secs(30);
    assert_eq!(ask(&instances, 10, later).await, 10);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reply_says_what_is_left_and_one_too_many_when_to_come_again() {
    let stack = Stack::with_rate_limit(5).await;
    let token = stack.token_with(|token| token.user = "ann".to_owned());
    let ask = async |path: &str, token: Option<&str>| {
        stack.send(Method::GET, path, token, None, &[]).await
    };
    let field = |answer: &crate::stack::Answer, name: &str| {
        let value = answer
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    };
    let policy = "\"default\";q=5;w=60";
    for left in (0..5).rev() {
        // A caller without the scope, or who asks for nothing, counts as well.
        let path = if left == 2 {
            "/v1/jobs/unknown"
        } else {
            "/v1/jobs"
        };
        let answer = ask(path, Some(&token)).await;
        assert_ne!(answer.status, 429);
        assert_eq!(field(&answer, "ratelimit-policy"), policy);
        let start = format!("\"default\";r={left};t=");
        assert!(field(&answer, "ratelimit").starts_with(&start), "{left}");
    }
    let refused = ask("/v1/jobs", Some(&token)).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    let wait: u64 = field(&refused, "retry-after").parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert_eq!(
        field(&refused, "ratelimit"),
        format!("\"default\";r=0;t={wait}")
    );
    // Another function, the same caller.
    let body = Some("{}".to_owned());
    let pages = stack.send(Method::POST, "/v1/customer/pages", Some(&token), body, &[]);
    assert_eq!(pages.await.status, 429);
    let other = stack.token_with(|token| token.user = "bob".to_owned());
    assert_eq!(ask("/v1/jobs", Some(&other)).await.status, 200);
    for (path, token, status) in [
        ("/v1/jobs", None, 401),
        ("/v1/jobs", Some("nonsense"), 401),
        ("/v1/nothing", Some(token.as_str()), 404),
    ] {
        let answer = ask(path, token).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(field(&answer, "ratelimit-policy"), policy, "{path}");
        assert_eq!(
            field(&answer, "ratelimit"),
            "\"default\";r=5;t=60",
            "{path}"
        );
    }
    // Another instance of the functions knows it from the table.
    let fresh: Arc<Registry> = Arc::new(
        Registry::new(
            stack.local.registry.config.clone(),
            stack.local.clients.clone(),
        )
        .unwrap(),
    );
    let verdict = fresh
        .rates
        .admit(&fresh.store, &caller("ann"), Timestamp::now)
        .await;
    assert!(matches!(verdict.unwrap(), Verdict::Refused(_)));
    stack.stop().await;
}
