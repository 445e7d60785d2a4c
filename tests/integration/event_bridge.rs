//! CUSTOMER events that come through Amazon EventBridge: whose they are, once or again, in any
//! order.

use std::time::Duration;

use clientele::{Registry, config::EventSources};
use clientele_events::EventsError;
use futures::future::join_all;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};

use crate::{
    chance::Chance,
    logs,
    stack::{Stack, context},
};

const PAYLOAD: &str = include_str!("../../events/eventbridge_customer.json");
const GROUP: &str = "profiles.events";

/// Organization 12's platform runs in account 000000000012.
fn account_of(organization: u64) -> String {
    format!("{organization:012}")
}

/// The same application for each of some organizations.
pub(crate) fn sources(organizations: std::ops::RangeInclusive<u64>) -> EventSources {
    let entry = |organization| {
        format!(
            "com.example.loyalty@{}={organization}",
            account_of(organization)
        )
    };
    let entries: Vec<_> = organizations.map(entry).collect();
    EventSources::from_lookup(|_| Some(entries.join(","))).unwrap()
}

/// The payload as an organization's platform would have sent it, and with a change.
fn from(organization: u64, change: impl FnOnce(&mut Value)) -> Value {
    let mut payload: Value = serde_json::from_str(PAYLOAD).unwrap();
    payload["account"] = account_of(organization).into();
    payload["id"] = uuid::Uuid::new_v4().to_string().into();
    change(&mut payload);
    payload
}

/// An event about somebody at a time of day.
pub(crate) fn about(
    organization: u64,
    customer: &str,
    hour: u32,
    change: impl FnOnce(&mut Value),
) -> Value {
    from(organization, |payload| {
        let body = &mut payload["detail"]["body"];
        body["customerId"] = customer.into();
        body["updatedAt"] = format!("2026-02-01T{hour:02}:00:00Z").into();
        change(body);
    })
}

/// Invokes the function with a payload, which is read as Lambda's runtime reads it.
pub(crate) async fn invoke(
    registry: &Registry,
    sources: &EventSources,
    text: &str,
) -> Result<(), EventsError> {
    let reader = &mut serde_json::Deserializer::from_slice(text.as_bytes());
    let event = serde_path_to_error::deserialize(reader).unwrap();
    let request_id = uuid::Uuid::new_v4().to_string();
    let event = LambdaEvent::new(event, context(&request_id, Duration::from_secs(60)));
    clientele_events::handle(registry, sources, event).await
}

/// The outcomes in the audit's lines about an event.
fn audited(event: &Value) -> Vec<String> {
    let lines = logs::audit_of(event["id"].as_str().unwrap());
    let outcome = |line: &Value| line["outcome"].as_str().unwrap().to_owned();
    lines.iter().map(outcome).collect()
}

impl Stack {
    async fn bridge(&self, event: &Value) -> Result<(), Diagnostic> {
        let text = event.to_string();
        invoke(&self.registry, &sources(1..=9), &text)
            .await
            .map_err(Diagnostic::from)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payload_of_eventbridge_becomes_a_customer() {
    let stack = Stack::start().await;
    // As `sam local invoke` has it.
    let env: Value = serde_json::from_str(include_str!("../../env.json")).unwrap();
    let sources = env["Parameters"]["EVENT_SOURCES"]
        .as_str()
        .map(str::to_owned);
    let sources = EventSources::from_lookup(|_| sources.clone()).unwrap();
    invoke(&stack.registry, &sources, PAYLOAD).await.unwrap();
    let payload: Value = serde_json::from_str(PAYLOAD).unwrap();
    let lines = logs::audit_of(payload["id"].as_str().unwrap());
    let [line] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    assert_eq!(line["action"], "events.receive");
    assert_eq!(line["organization"], 1);
    assert_eq!(line["principal"], "com.example.loyalty@123456789012");
    assert_eq!(line["group"], GROUP);
    assert_eq!(line["outcome"], "created");
    assert!(line["request_id"].is_string());
    let profiles = stack.profiles(1).await;
    let profile = &profiles["C-1001"];
    for name in ["dateOfBirth", "status", "marketingOptIn", "updatedAt"] {
        assert_eq!(profile[name], payload["detail"]["body"][name], "{name}");
    }
    assert_eq!(profile["addresses"][0]["zipCode"], "LS1 4AP");
    // One that is missing takes the customer's.
    assert_eq!(profile["addresses"][0]["updatedAt"], "2026-02-01T10:00:00Z");
    assert_eq!(profile["dependents"][0]["type"], "child");
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_decides_whose_events_they_are() {
    let stack = Stack::start().await;
    for (organization, city) in [(1, "Leeds"), (2, "York")] {
        let event = about(organization, "C-1", 10, |body| {
            body["addresses"][0]["city"] = city.into();
        });
        stack.bridge(&event).await.unwrap();
    }
    for (organization, city) in [(1, "Leeds"), (2, "York")] {
        let profiles = stack.profiles(organization).await;
        assert_eq!(profiles["C-1"]["addresses"][0]["city"], city);
    }
    let before = stack.items_but_requests().await.len();
    let strangers: [(&str, &str, Value); 5] = [
        ("another account", "account", json!("999999999999")),
        ("another source", "source", json!("com.example.other")),
        ("a longer source", "source", json!("com.example.loyalty.x")),
        ("no source", "source", json!("")),
        // The entry, and an organization of its own choosing.
        (
            "an entry",
            "source",
            json!("com.example.loyalty@000000000002"),
        ),
    ];
    for (what, member, value) in strangers {
        let event = from(1, |payload| payload[member] = value);
        let error = stack.bridge(&event).await.unwrap_err();
        assert_eq!(error.error_type, "UnknownSource", "{what}");
        assert!(audited(&event).is_empty(), "{what}");
    }
    // Nothing inside an event has a say in whose it is.
    let event = from(1, |payload| {
        payload["organization"] = 2.into();
        payload["detail"]["organization_id"] = 2.into();
    });
    stack.bridge(&event).await.unwrap();
    assert!(!stack.profiles(2).await.contains_key("C-1001"));
    assert!(stack.items_but_requests().await.len() > before);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_fails_with_paths_and_codes_and_changes_nothing() {
    let stack = Stack::start().await;
    stack.bridge(&about(1, "C-1", 10, |_| {})).await.unwrap();
    let before = stack.profiles(1).await;
    let body = |change: fn(&mut Value)| from(1, |payload| change(&mut payload["detail"]["body"]));
    let table = [
        (
            from(1, |p| p["detail-type"] = "ORDER".into()),
            "UnexpectedDetailType",
            "the detail-type is not CUSTOMER",
        ),
        (
            from(1, |p| p["detail-type"] = "customer".into()),
            "UnexpectedDetailType",
            "the detail-type is not CUSTOMER",
        ),
        (
            body(|body| body["addresses"][0]["zipCode"] = 90_210.into()),
            "InvalidEvent",
            "the event was refused: /body/addresses/0/zipCode type_string",
        ),
        (
            body(|body| {
                body["dateOfBirth"] = "23.04.1990".into();
                body["addresses"][0]["countryCode"] = "England".into();
            }),
            "InvalidEvent",
            "the event was refused: /body/dateOfBirth type_date, \
             /body/addresses/0/countryCode unknown_country",
        ),
        (
            from(1, |p| p["detail"]["eventType"] = "ORDER".into()),
            "InvalidEvent",
            "the event was refused: /eventType not_in_enum",
        ),
        (
            from(1, |p| p["detail"] = json!("Jane Canary")),
            "InvalidEvent",
            "the event was refused: not_an_object",
        ),
        (
            from(1, |p| p["detail"] = json!(null)),
            "InvalidEvent",
            "the event was refused: not_an_object",
        ),
        // Events in an event are not unpacked.
        (
            from(1, |p| {
                let detail = p["detail"].take();
                p["detail"] = json!([detail]);
            }),
            "InvalidEvent",
            "the event was refused: not_an_object",
        ),
        (
            from(1, |p| {
                let detail = p["detail"].take();
                p["detail"] = json!({"data": [detail]});
            }),
            "InvalidEvent",
            "the event was refused: /eventType required, /eventAction required, /version required, \
             /body required",
        ),
    ];
    for (event, error_type, message) in table {
        let error = stack.bridge(&event).await.unwrap_err();
        let found = (error.error_type.as_str(), error.error_message.as_str());
        assert_eq!(found, (error_type, message));
        let refused = match error_type {
            "InvalidEvent" => vec!["invalid"],
            _ => vec![],
        };
        assert_eq!(audited(&event), refused, "{message}");
    }
    assert_eq!(stack.profiles(1).await, before);
    stack.stop().await;
}

/// A document of JSON that a reader into maps would not see through.
#[tokio::test(flavor = "multi_thread")]
async fn the_detail_is_read_as_it_is_written() {
    let stack = Stack::start().await;
    let event = from(1, |p| p["detail"]["data"] = json!([]));
    // A member that happens to be called as a file's rows are.
    stack.bridge(&event).await.unwrap();
    assert!(stack.profiles(1).await.contains_key("C-1001"));
    let text = from(1, |_| {}).to_string();
    let twice = text.replace(
        "\"customerId\":\"C-1001\"",
        "\"customerId\":\"C-1001\",\"customerId\":\"C-2\"",
    );
    assert_ne!(twice, text);
    let error = invoke(&stack.registry, &sources(1..=1), &twice).await;
    let error = Diagnostic::from(error.unwrap_err());
    assert_eq!(error.error_type, "InvalidEvent");
    assert_eq!(stack.profiles(1).await.len(), 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_short_and_neither_it_nor_the_log_has_a_value_of_the_events() {
    const CANARY: &str = "Canary-51d2";
    let stack = Stack::start().await;
    let body = |change: fn(&mut Value)| from(1, |payload| change(&mut payload["detail"]["body"]));
    let taken_in = body(|body| {
        body["addresses"][0]["line1"] = CANARY.into();
        body["note"] = CANARY.into();
    });
    stack.bridge(&taken_in).await.unwrap();
    let refused = [
        body(|body| {
            let address = json!({"zipCode": 1, "line1": [CANARY], "city": {"x": CANARY}});
            body["addresses"] = vec![address; 500].into();
            body["customerId"] = json!([CANARY]);
        }),
        body(|body| body["dateOfBirth"] = CANARY.into()),
        body(|body| body["customerId"] = format!("{CANARY}\u{1}x").into()),
        body(|body| body["dependents"] = CANARY.into()),
        from(1, |p| p["detail"] = CANARY.into()),
        from(1, |p| p["detail-type"] = CANARY.into()),
        from(1, |p| p["source"] = CANARY.into()),
    ];
    for event in refused {
        let text = event.to_string();
        let result = invoke(&stack.registry, &sources(1..=1), &text).await;
        let error = result.unwrap_err();
        // The runtime logs the one and sends the other to the queue.
        for shown in [format!("{error:?}"), error.to_string()] {
            assert!(shown.len() < 5_000, "{shown}");
            assert!(!shown.contains(CANARY), "{shown}");
        }
    }
    stack.erase(GROUP, &["C-1001".to_owned()]).await;
    stack.bridge(&taken_in).await.unwrap();
    assert!(!logs::captured().contains(CANARY));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_shuffled_and_simultaneous_events_end_as_in_order() {
    let stack = Stack::start().await;
    let events = |organization| {
        let customer = |customer: &str| {
            [
                about(organization, customer, 8, |body| {
                    body["dependents"] = json!([]);
                }),
                about(organization, customer, 9, |body| {
                    body.as_object_mut().unwrap().remove("dependents");
                    body["marketingOptIn"] = false.into();
                }),
                about(organization, customer, 10, |body| {
                    body.as_object_mut().unwrap().remove("marketingOptIn");
                    body["addresses"] = json!([]);
                }),
                about(organization, customer, 11, |body| {
                    body.as_object_mut().unwrap().remove("dependents");
                    body["status"] = "DELETED".into();
                }),
            ]
        };
        ["C-1", "C-2"].map(customer).concat()
    };
    for event in events(1) {
        stack.bridge(&event).await.unwrap();
    }
    let expected = stack.profiles(1).await;
    let chance = Chance::from_env("BRIDGE_SEED");
    for organization in 2..=6 {
        let mut chance = chance.branch(organization);
        let mut deliveries = events(organization);
        deliveries.extend(deliveries.clone());
        chance.shuffle(&mut deliveries);
        let at_once = usize::try_from(1 + chance.below(4)).unwrap();
        for events in deliveries.chunks(at_once) {
            for result in join_all(events.iter().map(|event| stack.bridge(event))).await {
                result.unwrap();
            }
        }
        let found = stack.profiles(organization).await;
        assert_eq!(found, expected, "{chance}, organization {organization}");
    }
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_says_what_became_of_each_event() {
    let stack = Stack::start().await;
    let [old, first, new] = [8, 9, 10].map(|hour| about(1, "C-1", hour, |_| {}));
    for event in [&first, &first, &new, &old, &old, &new] {
        stack.bridge(event).await.unwrap();
    }
    assert_eq!(audited(&first), ["created", "unchanged"]);
    assert_eq!(audited(&new), ["updated", "unchanged"]);
    assert_eq!(audited(&old), ["stale", "stale"]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_about_somebody_who_was_erased_is_dropped() {
    let stack = Stack::start().await;
    for customer in ["C-1", "C-2"] {
        let event = about(1, customer, 10, |_| {});
        stack.bridge(&event).await.unwrap();
    }
    stack.erase(GROUP, &["C-1".to_owned()]).await;
    let event = about(1, "C-1", 11, |_| {});
    // No error: nothing of it is in a queue.
    stack.bridge(&event).await.unwrap();
    assert_eq!(audited(&event), ["erased_subject"]);
    let lines = logs::captured();
    let id = event["id"].as_str().unwrap();
    let mut warnings = lines.lines().filter(|line| line.contains(id));
    assert!(warnings.any(|line| line.contains("\"WARN\"")));
    let left = stack.profiles(1).await;
    assert_eq!(left.keys().collect::<Vec<_>>(), ["C-2"]);
    stack.release(&["1-events-C-1".to_owned()]).await;
    stack.bridge(&event).await.unwrap();
    assert_eq!(audited(&event), ["erased_subject", "created"]);
    stack.assert_verified().await;
    stack.stop().await;
}
