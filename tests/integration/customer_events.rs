//! CUSTOMER events: over HTTP and in files.

use std::{collections::BTreeMap, io::Write};

use clientele::store::jobs::{Job, JobState};
use flate2::{Compression, write::GzEncoder};
use http::Method;
use serde_json::{Value, json};

use crate::{
    logs,
    stack::{Answer, Stack},
};

pub(crate) const EVENTS: &str = "/v1/events";
const GROUP: &str = "profiles.events";

/// A valid event; `change` makes of it what the test is about.
pub(crate) fn event(customer: &str, updated_at: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut event = json!({
        "eventType": "CUSTOMER",
        "eventAction": "UPDATED",
        "version": 1.0,
        "body": {
            "customerId": customer,
            "dateOfBirth": "1990-04-23",
            "status": "ACTIVE",
            "marketingOptIn": true,
            "dependents": [{"dependentId": "D-1", "dateOfBirth": "2018-09-01", "type": "child"}],
            "addresses": [{
                "addressId": "A-1", "line1": "1 High Street", "line2": "Flat 2", "city": "Leeds",
                "zipCode": "LS1 4AP", "countryCode": "GB", "updatedAt": "2026-01-31T10:00:00Z",
            }],
            "createdAt": "2026-01-15T08:30:00Z",
            "updatedAt": updated_at,
        },
    });
    change(&mut event);
    event
}

pub(crate) fn same(_: &mut Value) {}

impl Stack {
    pub(crate) async fn push(&self, events: &Value) -> Answer {
        self.post(EVENTS, events).await
    }

    /// What events have made of the customers, decrypted, by customer_id. Without what tells when
    /// and how events arrived.
    pub(crate) async fn profiles(&self, organization: u64) -> BTreeMap<String, Value> {
        let body = json!({"customer_group_id": GROUP, "page": 0, "reveal": true}).to_string();
        let token = self.token(organization);
        let page = self.send(Method::POST, "/v1/customer", Some(&token), Some(body), &[]);
        let page = page.await;
        assert_eq!(page.status, 200, "{}", page.body);
        let customers = page.body["customers"].as_array().unwrap();
        let profile = |customer: &Value| {
            let id = customer["customer_id"].as_str().unwrap().to_owned();
            (id, customer["extended_profile"].clone())
        };
        customers.iter().map(profile).collect()
    }

    pub(crate) async fn import_events(&self, name: &str, content: &str) -> Job {
        let key = format!("inbox/1/events/profiles/{name}");
        self.import_key(&key, content).await
    }
}

pub(crate) fn statuses(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status, 202, "{}", answer.body);
    let results = answer.body["results"].as_array().unwrap();
    results
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_makes_a_customer_and_the_next_ones_change_it() {
    let stack = Stack::start().await;
    let first = event("C-1", "2026-02-01T10:00:00Z", |event| {
        event["eventAction"] = "CREATED".into();
    });
    let answer = stack.push(&first).await;
    assert_eq!(answer.body["accepted"], 1);
    assert_eq!(statuses(&answer), ["created"]);
    let profile = &stack.profiles(1).await["C-1"];
    assert_eq!(
        *profile,
        json!({
            "addresses": [{
                "addressId": "A-1", "line1": "1 High Street", "line2": "Flat 2", "city": "Leeds",
                "zipCode": "LS1 4AP", "countryCode": "GB", "createdAt": "2026-01-15T08:30:00Z",
                "updatedAt": "2026-01-31T10:00:00Z",
            }],
            "createdAt": "2026-01-15T08:30:00Z",
            "customerId": "C-1",
            "dateOfBirth": "1990-04-23",
            "dependents": [{
                "dependentId": "D-1", "dateOfBirth": "2018-09-01", "type": "child",
                "createdAt": "2026-01-15T08:30:00Z", "updatedAt": "2026-02-01T10:00:00Z",
            }],
            "marketingOptIn": true,
            "marketingOptInChangedAt": "2026-02-01T10:00:00Z",
            "status": "ACTIVE",
            "updatedAt": "2026-02-01T10:00:00Z",
        })
    );

    // Again, then an older one with other values, then a newer one that leaves some out.
    assert_eq!(statuses(&stack.push(&first).await), ["unchanged"]);
    let older = event("C-1", "2026-01-20T10:00:00Z", |event| {
        event["body"]["status"] = "DELETED".into();
        event["body"]["marketingOptIn"] = false.into();
    });
    assert_eq!(statuses(&stack.push(&older).await), ["stale"]);
    assert_eq!(stack.profiles(1).await["C-1"], *profile);
    let newer = event("C-1", "2026-03-01T10:00:00+02:00", |event| {
        let body = event["body"].as_object_mut().unwrap();
        for absent in ["dateOfBirth", "dependents", "status"] {
            body.remove(absent);
        }
        body["marketingOptIn"] = false.into();
        body["addresses"] = json!([]);
    });
    assert_eq!(statuses(&stack.push(&newer).await), ["updated"]);
    let after = &stack.profiles(1).await["C-1"];
    for kept in ["dateOfBirth", "dependents", "status"] {
        assert_eq!(after[kept], profile[kept], "{kept}");
    }
    assert_eq!(after["addresses"], json!([]));
    assert_eq!(after["marketingOptIn"], false);
    assert_eq!(after["marketingOptInChangedAt"], "2026-03-01T08:00:00Z");
    assert_eq!(after["updatedAt"], "2026-03-01T08:00:00Z");
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_nobody_knows_go_with_what_they_belong_to() {
    let stack = Stack::start().await;
    let at = |second: usize, change: fn(&mut Value)| {
        event("C-1", &format!("2026-02-01T10:00:{second:02}Z"), change)
    };
    let known = event("C-2", "2026-02-01T10:00:00Z", same);
    let steps: [(Value, Value, Value); 5] = [
        (
            at(1, |event| {
                event["body"]["addresses"][0]["buzzer"] = "7".into();
                event["body"]["tier"] = "gold".into();
            }),
            json!({"buzzer": "7"}),
            json!({"tier": "gold"}),
        ),
        // A list is replaced with all that is in it; what is not spoken of stays.
        (at(2, |_| {}), json!(null), json!({"tier": "gold"})),
        (
            at(3, |event| event["body"]["locale"] = "fr".into()),
            json!(null),
            json!({"locale": "fr"}),
        ),
        (
            at(4, |event| event["body"]["locale"] = json!(null)),
            json!(null),
            json!(null),
        ),
        // Older than the one that took it away.
        (
            event("C-1", "2026-02-01T10:00:03.5Z", |event| {
                event["body"]["locale"] = "de".into()
            }),
            json!(null),
            json!(null),
        ),
    ];
    stack.push(&known).await;
    for (event, of_address, of_body) in steps {
        assert_eq!(stack.push(&event).await.status, 202);
        let profile = &stack.profiles(1).await["C-1"];
        assert_eq!(profile["addresses"][0]["custom"], of_address, "{event}");
        assert_eq!(profile["custom"], of_body, "{event}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_one_event_an_array_or_an_event_a_line() {
    let stack = Stack::start().await;
    let token = stack.token(1);
    let one = event("C-1", "2026-02-01T10:00:00Z", same);
    let two = event("C-2", "2026-02-01T10:00:00Z", same);
    let many: Vec<_> = (0..10_001)
        .map(|n| event(&format!("M-{n}"), "2026-02-01T10:00:00Z", same))
        .collect();
    let lines = |events: &[&Value]| events.iter().map(|e| format!("{e}\n")).collect::<String>();
    let ndjson = Some("application/x-ndjson");
    let invalid = json!({"eventType": "CUSTOMER"});
    let table = [
        (one.to_string(), None, 202, json!(1)),
        (format!("\u{feff}{one:#}\n"), None, 202, json!(1)),
        (json!([one, two]).to_string(), None, 202, json!(2)),
        (lines(&[&one, &two]), ndjson, 202, json!(2)),
        (lines(&[&one, &two]), None, 202, json!(2)),
        ("[]".to_owned(), None, 202, json!(0)),
        (invalid.to_string(), None, 422, json!(null)),
        (format!("\u{feff}{invalid:#}"), None, 422, json!(null)),
        (json!({"data": [one]}).to_string(), None, 422, json!(null)),
        // A batch of one answers as a batch.
        (json!([invalid]).to_string(), None, 202, json!(0)),
        (lines(&[&invalid]), ndjson, 202, json!(0)),
        (Value::from(many).to_string(), None, 400, json!(null)),
        (String::new(), None, 400, json!(null)),
        ("{\"eventType\": ".to_owned(), None, 400, json!(null)),
        ("null".to_owned(), None, 400, json!(null)),
        ("a,b\n1,2\n".to_owned(), None, 400, json!(null)),
        (one.to_string(), Some("text/plain"), 415, json!(null)),
    ];
    for (body, content_type, status, accepted) in table {
        let shown: String = body.chars().take(60).collect();
        let url = format!("{}{EVENTS}", stack.local.endpoints.http);
        let request = reqwest::Client::new()
            .post(url)
            .bearer_auth(&token)
            .body(body);
        let content_type = content_type.unwrap_or("application/json");
        let response = request
            .header("content-type", content_type)
            .send()
            .await
            .unwrap();
        let found = response.status();
        let answer: Value = response.json().await.unwrap();
        assert_eq!(found, status, "{shown}: {answer}");
        assert_eq!(answer["accepted"], accepted, "{shown}: {answer}");
    }
    for (document, status) in [(format!("{one:#}"), 202), ("[1".to_owned(), 400)] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(document.as_bytes()).unwrap();
        let url = format!("{}{EVENTS}", stack.local.endpoints.http);
        let request = reqwest::Client::new().post(url).bearer_auth(&token);
        let request = request.header("content-encoding", "gzip");
        let response = request
            .body(encoder.finish().unwrap())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{document}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_events_are_imported_as_they_are_pushed() {
    let stack = Stack::start().await;
    let later = event("C-1", "2026-02-02T10:00:00Z", |event| {
        event["body"]["status"] = "DELETED".into();
    });
    let earlier = event("C-1", "2026-02-01T10:00:00Z", same);
    let other = event("C-2", "2026-02-01T10:00:00Z", same);
    let bad = event("C-3", "yesterday", same);

    // Events on one customer are no repetitions of each other.
    let lines = [&earlier, &bad, &later, &other, &earlier]
        .map(Value::to_string)
        .join("\n");
    let job = stack.import_events("feed.json", &lines).await;
    assert_eq!(
        job.state,
        JobState::CompletedWithRejections,
        "{:?}",
        job.error
    );
    let counts = job.counts;
    let found = (
        counts.created,
        counts.updated,
        counts.superseded,
        counts.rejected,
    );
    assert_eq!((counts.rows_read, found), (5, (2, 1, 1, 1)));
    assert_eq!(stack.profiles(1).await["C-1"]["status"], "DELETED");

    let one = format!("{:#}", event("C-4", "2026-02-01T10:00:00Z", same));
    let job = stack.import_events("one.json", &one).await;
    assert_eq!(
        (job.counts.created, job.counts.rows_read),
        (1, 1),
        "{:?}",
        job.error
    );
    let table = [&other, &later]
        .map(|event| {
            let body = event["body"].to_string().replace('"', "\"\"");
            format!("CUSTOMER,UPDATED,1.0,\"{body}\"\n")
        })
        .concat();
    let csv = format!("eventType,eventAction,version,body\n{table}");
    let job = stack.import_events("table.csv", &csv).await;
    assert_eq!(job.counts.unchanged, 2, "{:?} {:?}", job.counts, job.error);
    // Another source cannot send them.
    let key = "inbox/1/generic/profiles/feed.json";
    let job = stack.import_key(key, other.to_string()).await;
    assert_eq!(job.error.unwrap().code, "source_of_dataset");
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_customer_does_not_come_back_by_an_event() {
    let stack = Stack::start().await;
    let first = event("C-1", "2026-02-01T10:00:00Z", same);
    assert_eq!(statuses(&stack.push(&first).await), ["created"]);
    let erased = stack.erase(GROUP, &["C-1".to_owned()]).await;
    assert_eq!(erased["deleted"], 1);
    let later = event("C-1", "2026-02-02T10:00:00Z", same);
    let other = event("C-2", "2026-02-02T10:00:00Z", same);
    let answer = stack.push(&json!([later, other, later])).await;
    assert_eq!(answer.body["accepted"], 1, "{}", answer.body);
    for (rejected, index) in answer.body["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .zip([0, 2])
    {
        assert_eq!(rejected["index"], index);
        assert_eq!(rejected["errors"][0]["code"], "erased_subject");
    }
    assert_eq!(stack.push(&later).await.status, 422);
    let release = json!({"uids": ["1-events-C-1"]});
    let released = stack.post("/v1/fences/release", &release).await;
    assert_eq!(released.status, 200, "{}", released.body);
    assert_eq!(statuses(&stack.push(&later).await), ["created"]);
    stack.assert_verified().await;
    stack.stop().await;
}

const CANARY: &str = "Kanarie-e7d1";

#[tokio::test(flavor = "multi_thread")]
async fn events_leave_no_personal_value_in_clear() {
    let stack = Stack::start().await;
    let personal = |n: usize| {
        event(&format!("C-{n}"), "2026-02-01T10:00:00Z", |event| {
            let body = &mut event["body"];
            for field in ["line1", "line2", "zipCode"] {
                body["addresses"][0][field] = format!("{CANARY} {field}").into();
            }
            body["addresses"][0]["label"] = format!("{CANARY} label").into();
            body["nickname"] = format!("{CANARY} nickname").into();
            body["dateOfBirth"] = "1987-06-05".into();
            body["dependents"][0]["dateOfBirth"] = "2017-06-05".into();
        })
    };
    let mut bad = personal(3);
    bad["body"]["addresses"][0]["countryCode"] = CANARY.into();
    bad["body"]["updatedAt"] = CANARY.into();
    let mut said = stack
        .push(&json!([personal(1), bad]))
        .await
        .body
        .to_string();
    said += &stack.push(&bad).await.body.to_string();
    let lines = format!("{}\n{bad}\n", personal(2));
    stack.import_events("feed.json", &lines).await;
    let job = stack.get("/v1/jobs").await.body.to_string();
    let everything = format!("{said}{job}{:?}{}", stack.items().await, logs::captured());
    for needle in [CANARY, "1987-06-05", "2017-06-05"] {
        assert!(!everything.contains(needle), "{needle}");
    }
    let profile = &stack.profiles(1).await["C-2"];
    assert_eq!(
        profile["addresses"][0]["zipCode"],
        format!("{CANARY} zipCode")
    );
    assert_eq!(profile["custom"]["nickname"], format!("{CANARY} nickname"));
    let label = format!("{CANARY} label");
    assert_eq!(profile["addresses"][0]["custom"]["label"], label);
    stack.stop().await;
}
