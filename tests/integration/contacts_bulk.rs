//! Contacts over HTTP, several at once; and what else may be done with contacts.

use std::collections::BTreeSet;

use clientele::store::{INSERTED_WHOLE, jobs::JobState};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::{
    contacts::{full, least},
    logs,
    network::{Fate, Network},
    stack::{Answer, Stack},
};

pub(crate) const ONE: &str = "/external/v1/customers";
pub(crate) const BULK: &str = "/external/v1/customers/bulk";
const GROUP: &str = "contacts.external";

/// So many contacts.
pub(crate) fn many(count: usize) -> Value {
    json!({"customers": (0..count).map(least).collect::<Vec<_>>()})
}

fn numbers(contacts: &Value) -> BTreeSet<u64> {
    let contacts = contacts.as_array().unwrap().iter();
    contacts
        .map(|contact| contact["id"].as_u64().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_contacts_are_made_at_once_and_their_job_counts_each_once() {
    let stack = Stack::start().await;
    let answer = stack.post(BULK, &many(100)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.body["created"], 100);
    let made = answer.body["customers"].as_array().unwrap();
    for (n, contact) in made.iter().enumerate() {
        assert_eq!(contact["email"], format!("c{n}@example.com"));
    }
    assert_eq!(numbers(&answer.body["customers"]).len(), 100);

    // The import function was told as well.
    let jobs = stack.get("/v1/jobs").await.body;
    let [job] = jobs["jobs"].as_array().unwrap().as_slice() else {
        panic!("{jobs}");
    };
    let job = stack
        .job_at(&format!("/v1/jobs/{}", job["id"].as_str().unwrap()))
        .await;
    let counts = ["state", "rows_read", "created", "rejected"].map(|name| job[name].clone());
    assert_eq!(json!(counts), json!(["completed", 100, 100, 0]), "{job}");
    assert_eq!(stack.members(GROUP).await, 100);
    let listed = stack.get(&format!("{ONE}?page_size=100")).await.body;
    assert_eq!(numbers(&listed["data"]), numbers(&answer.body["customers"]));
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_one_transaction_is_one_and_needs_no_job() {
    let stack = Stack::start().await;
    // The first makes the source as well.
    let table = [
        (0, 0, Some(0)),
        (1, 0, Some(2)),
        (INSERTED_WHOLE, 0, Some(1)),
        (INSERTED_WHOLE + 1, 1, None),
    ];
    for (count, jobs, expected) in table {
        let network = Network::new(|_| Fate::Answered);
        let registry = stack.through(&network);
        let before = stack.members(GROUP).await;
        let route = (Method::POST, BULK);
        let (status, body) = stack
            .ask_api(&registry, route, &stack.token(1), &many(count))
            .await;
        assert_eq!((status, &body["created"]), (201, &json!(count)), "{body}");
        assert_eq!(body["customers"].as_array().unwrap().len(), count);
        assert_eq!(stack.members(GROUP).await, before + count as u64);
        let calls = network.calls();
        let puts = calls.iter().filter(|call| *call == "S3 PUT").count();
        assert_eq!(puts, jobs, "{count}");
        let transactions = calls
            .iter()
            .filter(|call| *call == "TransactWriteItems")
            .count();
        let expected = expected.unwrap_or(transactions);
        assert_eq!(transactions, expected, "{count}: {calls:?}");
    }
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_contact_that_is_wrong_keeps_the_others_out() {
    let stack = Stack::start().await;
    stack.contact(&least(0)).await;
    let items = stack.items_but_requests().await.len();
    for (count, wrong) in [(10, 9), (100, 0), (100, 63)] {
        let mut body = many(count);
        body["customers"][wrong]["email"] = json!("nobody");
        let answer = stack.post(BULK, &body).await;
        assert_eq!(answer.status, 422, "{answer:?}");
        let loc = &answer.body["detail"][0]["loc"];
        assert_eq!(loc, &json!(["body", "customers", wrong, "email"]));
    }
    assert_eq!(stack.items_but_requests().await.len(), items);
    assert_eq!(stack.members(GROUP).await, 1);
    assert!(!stack.watched().join("staged").exists());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_made_at_the_same_time_have_numbers_of_their_own() {
    let stack = Stack::start().await;
    // The organization's first uses are at once too.
    let calls = (0..24).map(|n| {
        let stack = &stack;
        async move {
            match n % 3 {
                0 => json!([stack.post(ONE, &least(n)).await.body]),
                1 => stack.post(BULK, &many(5)).await.body["customers"].clone(),
                _ => stack.post(BULK, &many(40)).await.body["customers"].clone(),
            }
        }
    });
    let made = join_all(calls).await;
    let mut seen = BTreeSet::new();
    for contacts in &made {
        let contacts = contacts.as_array().unwrap_or_else(|| panic!("{made:?}"));
        for contact in contacts {
            let id = contact["id"]
                .as_u64()
                .unwrap_or_else(|| panic!("{contact}"));
            assert!(seen.insert(id), "{id} twice");
        }
    }
    let expected = 8 + 8 * 5 + 8 * 40;
    assert_eq!(seen.len(), expected);
    stack
        .until(|| async {
            let jobs = stack.get("/v1/jobs?limit=100").await.body;
            let jobs = jobs["jobs"].as_array().unwrap();
            let ended = jobs.iter().all(|job| job["state"] == "completed");
            (ended && jobs.len() == 8).then_some(())
        })
        .await;
    assert_eq!(stack.members(GROUP).await, expected as u64);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_key_is_answered_alike_and_done_once() {
    let stack = Stack::start().await;
    let post = async |path: &str, body: &Value| {
        let token = stack.token(1);
        let headers = [("idempotency-key", path)];
        let body = Some(body.to_string());
        stack
            .send(Method::POST, path, Some(&token), body, &headers)
            .await
    };
    for (path, body, total) in [(ONE, full(), 1), (BULK, many(60), 61)] {
        let first = post(path, &body).await;
        assert_eq!(first.status, 201, "{first:?}");
        let again = post(path, &body).await;
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!((again.status, again.body), (first.status, first.body));
        assert_eq!(stack.members(GROUP).await, total);
        let other = post(path, &json!({})).await;
        assert_eq!(other.status, 422);
        let loc = &other.body["detail"][0]["loc"];
        assert_eq!(loc, &json!(["header", "idempotency-key"]), "{other:?}");
    }
    // Whom the kept reply tells of is gone: it is not told again.
    for (path, body) in [(ONE, full()), (BULK, many(60))] {
        let made = post(path, &body).await.body;
        let one = made["customers"].get(0).unwrap_or(&made);
        let id = one["customer_id"].as_str().unwrap().to_owned();
        assert_eq!(stack.erase(GROUP, &[id]).await["deleted"], 1);
        let again = post(path, &body).await;
        assert_eq!(again.status, 409, "{again:?}");
        assert!(
            again.body["type"]
                .as_str()
                .unwrap()
                .ends_with("deleted_since")
        );
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_changed_and_deleted_like_any_customer() {
    let stack = Stack::start().await;
    let made = stack.contact(&full()).await;
    stack.contact(&least(1)).await;
    let id = made["customer_id"].as_str().unwrap();
    let body = json!({
        "customer_group_id": GROUP,
        "customers": [{"customer_id": id, "name": "Amina Otieno", "city": null}],
    });
    let token = stack.token(1);
    let change = Some(body.to_string());
    let answer = stack
        .send(Method::PATCH, "/v1/customer", Some(&token), change, &[])
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    stack.job_at(answer.body["job"].as_str().unwrap()).await;
    let find = async || {
        let listed = stack.get(ONE).await.body;
        let mut data = listed["data"].as_array().unwrap().iter();
        data.find(|contact| contact["customer_id"] == id).cloned()
    };
    let changed = find().await.unwrap();
    for (name, value) in made.as_object().unwrap() {
        let expected = match name.as_str() {
            "name" => &json!("Amina Otieno"),
            "city" => &Value::Null,
            "time_updated" => continue,
            _ => value,
        };
        assert_eq!(&changed[name], expected, "{name}");
    }
    assert!(changed["time_updated"].as_str() > made["time_updated"].as_str());

    let erased = stack.erase(GROUP, &[id.to_owned()]).await;
    assert_eq!(erased["deleted"], 1);
    assert_eq!(find().await, None);
    assert_eq!(stack.get(ONE).await.body["total"], 1);
    assert_eq!(stack.contact(&least(2)).await["id"], 3);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_contacts_makes_each_once_however_often_it_is_delivered() {
    let stack = Stack::start().await;
    let header = "name,email,source,is_active,customer_id,id";
    let row = |n: usize| {
        format!(
            "Contact {n},c{n}@example.com,file,{},CUS-1,1",
            ["", "no"][n % 2]
        )
    };
    let rows: Vec<String> = (0..50).map(row).collect();
    let content = format!("{header}\n{}\nNobody,nobody,file,,,\n", rows.join("\n"));
    let event = stack.put("inbox/1/external/contacts/c.csv", content).await;
    for _ in 0..2 {
        stack.invoke(&event, "test").await.unwrap();
    }
    let job = stack.latest_job().await;
    assert_eq!(job.state, JobState::CompletedWithRejections);
    assert_eq!((job.counts.created, job.counts.rejected), (50, 1));
    let listed = stack.get(&format!("{ONE}?page_size=100")).await.body;
    assert_eq!(listed["total"], 50);
    assert_eq!(numbers(&listed["data"]), (1..=50).collect());
    for contact in listed["data"].as_array().unwrap() {
        // Numbers go up with the rows.
        let n = contact["id"].as_u64().unwrap() - 1;
        assert_eq!(contact["name"], format!("Contact {n}"));
        assert_eq!(contact["is_active"], n % 2 == 0, "{contact}");
    }
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_with_a_token_of_its_own_makes_and_lists_contacts_and_sees_none_in_clear() {
    let stack = Stack::start().await;
    let grant = async |origin: &str, datasets: &[&str]| {
        let body = json!({"data_origin": origin, "datasets": datasets});
        stack.post("/v1/sources", &body).await
    };
    for (origin, datasets, code) in [
        ("external", &["customers"][..], "reserved_source"),
        ("external", &["contacts", "customers"], "source_of_dataset"),
        ("external", &["profiles"], "source_of_dataset"),
        ("events", &["contacts"], "source_of_dataset"),
        ("north", &["contacts"], "source_of_dataset"),
        ("workspace", &["customers"], "reserved_source"),
    ] {
        let answer = grant(origin, datasets).await;
        assert_eq!(answer.status, 400, "{origin} {datasets:?}");
        let kind = answer.body["type"].as_str().unwrap();
        assert!(kind.ends_with(code), "{origin} {datasets:?}: {kind}");
    }
    assert_eq!(grant("events", &["profiles"]).await.status, 201);
    let token_of = |answer: Answer| answer.body["token"].as_str().unwrap().to_owned();
    let external = token_of(grant("external", &["contacts"]).await);
    let other = token_of(grant("north", &["customers"]).await);

    let body = Some(full().to_string());
    let made = stack
        .send(Method::POST, ONE, Some(&external), body.clone(), &[])
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let listed = stack
        .send(Method::GET, ONE, Some(&external), None, &[])
        .await;
    let contact = &listed.body["data"][0];
    assert_eq!(contact["customer_id"], made.body["customer_id"]);
    assert_eq!(contact["city"], "Nairobi");
    for name in [
        "name",
        "email",
        "whatsapp_number",
        "ip",
        "location",
        "latitude",
    ] {
        let sealed = contact[name].as_str().unwrap();
        assert!(sealed.starts_with("AQAAAA"), "{name}: {sealed}");
    }
    let refused = stack.send(Method::POST, ONE, Some(&other), body, &[]).await;
    assert_eq!(refused.status, 404);
    let refused = stack.send(Method::GET, ONE, Some(&other), None, &[]).await;
    assert_eq!(refused.status, 404);

    // Whoever may see personal data does, and the audit says so.
    let revealed = stack.get(ONE).await;
    assert_eq!(revealed.body["data"][0]["name"], "Amina Yusuf");
    let audit = |answer: &Answer| {
        logs::audit_of(answer.headers["x-request-id"].to_str().unwrap()).remove(0)
    };
    let (seen, unseen, created) = (audit(&revealed), audit(&listed), audit(&made));
    assert_eq!(
        (&seen["reveal"], &seen["group"]),
        (&json!(true), &json!(GROUP))
    );
    assert_eq!(unseen["reveal"], Value::Null);
    assert_eq!(created["counts"], r#"{"created":1}"#);
    stack.stop().await;
}
