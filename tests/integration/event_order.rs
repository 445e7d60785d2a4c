//! However often CUSTOMER events arrive and in which order, the customers end up the same, and what
//! is no news costs nothing.

use clientele::identity::OrganizationId;
use http::Method;
use serde_json::{Value, json};

use crate::{
    chance::Chance,
    customer_events::{EVENTS, event},
    stack::Stack,
};

/// Events on a few customers, at times of which some are equal, with some fields left out.
fn feed(chance: &mut Chance, count: usize) -> Vec<Value> {
    let one = |_| {
        let customer = format!("C-{}", chance.below(3));
        let second = chance.below(20);
        event(
            &customer,
            &format!("2026-02-01T10:00:{second:02}Z"),
            |event| {
                let body = &mut event["body"];
                body["status"] = chance.of(&["ACTIVE", "DELETED"]).into();
                body["marketingOptIn"] = (chance.below(2) == 0).into();
                body["dateOfBirth"] = format!("199{}-01-01", chance.below(10)).into();
                body["addresses"][0]["line1"] = format!("{} High Street", chance.below(5)).into();
                body["tier"] = chance.of(&["gold", "silver"]).into();
                for absent in [
                    "dateOfBirth",
                    "status",
                    "marketingOptIn",
                    "dependents",
                    "tier",
                ] {
                    if chance.below(3) == 0 {
                        body.as_object_mut().unwrap().remove(absent);
                    }
                }
            },
        )
    };
    (0..count).map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn however_events_arrive_the_customers_end_up_the_same() {
    const RUNS: u64 = 6;
    let stack = Stack::start().await;
    let mut chance = Chance::from_env("EVENTS_SEED");
    let events = feed(&mut chance, 60);
    let in_order = Value::from(events.clone());
    for organization in 1..=RUNS {
        let token = stack.token(organization);
        // A file does not bring an organization into being.
        let id = OrganizationId::new(organization).unwrap();
        stack.registry.store.ensure_organization(id).await.unwrap();
        let push = |body: String| async {
            let pushed = stack.send(Method::POST, EVENTS, Some(&token), Some(body), &[]);
            let answer = pushed.await;
            assert_eq!(
                answer.body["accepted"].as_u64(),
                Some(answer.body["results"].as_array().unwrap().len() as u64)
            );
            assert_eq!(answer.body["rejected"], json!([]), "{}", answer.body);
        };
        if organization == 1 {
            push(in_order.to_string()).await;
            continue;
        }
        let mut shuffled = events.clone();
        chance.shuffle(&mut shuffled);
        // Some twice, in pieces, of which some come at the same time and some as files.
        let again = shuffled.iter().take(10).cloned().collect::<Vec<_>>();
        shuffled.extend(again);
        let size = 1 + usize::try_from(chance.below(9)).unwrap();
        let pieces: Vec<_> = shuffled.chunks(size).collect();
        let pushes = pieces.iter().enumerate().map(|(number, piece)| {
            let body = Value::from(piece.to_vec()).to_string();
            let (stack, push) = (&stack, &push);
            async move {
                match number % 3 {
                    0 => {
                        let key = format!("inbox/{organization}/events/profiles/{number}.json");
                        let put = stack.put(&key, body).await;
                        stack.invoke(&put, &key).await.unwrap();
                        assert!(!stack.has_failed(&key).await, "{key}");
                    }
                    _ => push(body).await,
                }
            }
        });
        futures::future::join_all(pushes).await;
    }
    let expected = stack.profiles(1).await;
    assert_eq!(expected.len(), 3);
    for organization in 2..=RUNS {
        assert_eq!(
            stack.profiles(organization).await,
            expected,
            "organization {organization}"
        );
    }
    stack.assert_verified().await;
    stack.stop().await;
}

/// A customer of less than the 1 KB that a write unit is for.
fn lean(event: &mut Value) {
    event["body"].as_object_mut().unwrap().remove("dependents");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_no_news_write_nothing() {
    let stack = Stack::start().await;
    let events = |second: usize| -> Value {
        let at = format!("2026-02-01T10:00:{second:02}Z");
        (0..100)
            .map(|n| event(&format!("C-{n}"), &at, lean))
            .collect()
    };
    let (store, token) = (&stack.registry.store, stack.token(1));
    // Besides the records, the caller's rate and, once, a hundred import ids.
    let table = [
        (2, "created", 600.0),
        (2, "unchanged", 1.0),
        // They agreed to marketing earlier than was known.
        (1, "stale", 101.0),
        (1, "stale", 1.0),
        (3, "updated", 101.0),
    ];
    for (second, outcome, most) in table {
        let before = store.consumed();
        let events = events(second);
        let api = stack.ask_api(&stack.registry, (Method::POST, EVENTS), &token, &events);
        let (_, answer) = api.await;
        assert_eq!(answer["counts"][outcome], 100, "{answer}");
        let written = (store.consumed() - before).write;
        assert!(written <= most, "{outcome}: {written} write units");
    }
    stack.stop().await;
}
