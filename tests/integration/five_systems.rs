//! The five systems that the registry stands in for, side by side: one organisation's data comes in
//! through each of their interfaces and is read back through the pages of its groups.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use crate::{
    customer_events::event,
    stack::{Answer, Stack, sha256},
};

/// The same person, as each system knows her.
const NAME: &str = "Amina Yusuf";
const PHONE: &str = "+254700000001";

impl Stack {
    async fn do_with(&self, method: Method, path: &str, body: &Value) -> Answer {
        let token = self.token(1);
        let answer = self.send(method, path, Some(&token), Some(body.to_string()), &[]);
        let answer = answer.await;
        assert!(
            answer.status.is_success(),
            "{path}: {} {}",
            answer.status,
            answer.body
        );
        answer
    }

    /// The customers of a group in clear, by customer_id, as the pages route has them.
    async fn page_of(&self, group: &str) -> BTreeMap<String, Value> {
        let pages = json!({"customer_group_id": group});
        let pages = self
            .do_with(Method::POST, "/v1/customer/pages", &pages)
            .await
            .body;
        assert_eq!(pages["pages"], 1, "{group}");
        let page = json!({"customer_group_id": group, "page": 0, "reveal": true});
        let page = self.do_with(Method::POST, "/v1/customer", &page).await.body;
        let customers = page["customers"].as_array().unwrap();
        assert_eq!(pages["customers"], customers.len(), "{group}");
        let profile = |customer: &Value| {
            let id = customer["customer_id"].as_str().unwrap().to_owned();
            (id, customer["extended_profile"].clone())
        };
        customers.iter().map(profile).collect()
    }
}

/// Everything that each system sends, twice over where that must change nothing.
async fn send_all(stack: &Stack) -> Vec<String> {
    // 1: customers, where every value is text or null.
    let customers = json!({"data": [
        {"external_id": "1", "name": NAME, "phone": PHONE, "birth_year": "1990",
         "household_size": null, "country": "KE"},
        {"external_id": "2", "name": "Otieno", "phone": null, "birth_year": null},
    ]});
    let pushed = stack
        .do_with(Method::POST, "/api/v1/in/customers?source=crm", &customers)
        .await;
    stack.job_at(pushed.body["job"].as_str().unwrap()).await;
    // 2: a meter, which tells of its customer as well.
    let meters = json!({"data": [{
        "customer_external_id": "1", "manufacturer": "HOP", "serial_number": "A-1",
        "device_external_id": "d1", "customer_profession": "farmer",
        "customer_latitude": "-1.29207", "customer_longitude": "36.82194", "is_locked": "FALSE",
    }]});
    let pushed = stack
        .do_with(Method::POST, "/api/v1/in/meters/?source=crm", &meters)
        .await;
    stack.job_at(pushed.body["job"].as_str().unwrap()).await;
    // 3: the workspace's own fields.
    let fields = json!({"fields": [
        {"name": "number", "field_type": "string", "unique_identifier": true},
        {"name": "full_name", "field_type": "string", "is_pii": true},
        {"name": "joined", "field_type": "date", "field_format": "dd/MM/yyyy"},
    ]});
    stack
        .do_with(Method::PUT, "/v1/workspace/fields", &fields)
        .await;
    let group = json!({"id": "tenants", "name": "Tenants", "dataset": "workspace"});
    stack.do_with(Method::POST, "/v1/groups", &group).await;
    let rows = json!({"customer_group_id": "tenants", "customers": [
        {"number": "1", "full_name": NAME, "joined": "23/04/2026"},
    ]});
    for _ in 0..2 {
        let checked = stack
            .do_with(Method::POST, "/v1/customer/check", &rows)
            .await;
        assert_eq!(checked.body["message"], "Data is clean to upload");
        let job = checked.body["job_id"].as_str().unwrap();
        stack.job_at(&format!("/v1/jobs/{job}")).await;
    }
    // 4: contacts, alone and several at once.
    let contact = |n: u32| {
        json!({"name": format!("{NAME} {n}"), "email": "amina@example.com", "source": "web",
               "whatsapp_number": PHONE, "country": "Kenya", "latitude": "-1.2921"})
    };
    let one = stack
        .do_with(Method::POST, "/external/v1/customers", &contact(1))
        .await
        .body;
    let path = "/external/v1/external/v1/customers/bulk";
    let bulk = json!({"customers": [contact(2), contact(3)]});
    let more = stack.do_with(Method::POST, path, &bulk).await.body;
    let mut contacts = vec![one];
    contacts.extend(more["customers"].as_array().unwrap().clone());
    // 5: events.
    let at = "2026-02-01T10:00:00Z";
    let events = json!([
        event("1", at, |_| {}),
        event("1", at, |_| {}),
        event("2", at, |_| {})
    ]);
    stack.do_with(Method::POST, "/v1/events", &events).await;
    let ids = contacts
        .iter()
        .map(|contact| contact["customer_id"].as_str().unwrap().to_owned());
    ids.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_organizations_data_comes_in_through_all_five_systems_and_is_read_back() {
    let stack = Stack::start().await;
    let contacts = send_all(&stack).await;

    let customers = stack.page_of("customers.crm").await;
    assert_eq!(customers.len(), 2);
    let first = &customers["1"];
    assert_eq!(first["name"], sha256(NAME));
    assert_eq!(first["phone"], sha256(PHONE));
    // From the meter's row.
    assert_eq!(
        (&first["birth_year"], &first["profession"]),
        (&json!(1990), &json!("farmer"))
    );

    let meters = stack.page_of("meters.crm").await;
    let meter = meters.values().next().unwrap();
    assert_eq!(meters.len(), 1);
    assert_eq!(
        (&meter["customer_latitude"], &meter["is_locked"]),
        (&json!(-1.292), &json!(false))
    );

    for group in ["workspace.workspace", "tenants"] {
        let tenants = stack.page_of(group).await;
        assert_eq!(tenants.len(), 1, "{group}");
        assert_eq!(tenants["1"]["full_name"], NAME, "{group}");
        assert_eq!(tenants["1"]["joined"], "2026-04-23", "{group}");
    }

    let found = stack.page_of("contacts.external").await;
    assert_eq!(found.len(), 3);
    for (n, id) in contacts.iter().enumerate() {
        assert_eq!(found[id]["name"], format!("{NAME} {}", n + 1));
        assert_eq!(found[id]["latitude"], "-1.2921");
        assert_eq!(found[id]["is_active"], true);
    }

    let profiles = stack.page_of("profiles.events").await;
    assert_eq!(profiles.keys().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(profiles["1"]["addresses"][0]["line1"], "1 High Street");

    // One group a source and dataset, each counted for itself, and nothing that does not add up.
    let groups = stack.get("/v1/groups").await.body;
    let counts: BTreeMap<&str, u64> = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            (
                group["id"].as_str().unwrap(),
                group["customers"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("contacts.external", 3),
        ("customers.crm", 2),
        ("meters.crm", 1),
        ("profiles.events", 2),
        ("tenants", 1),
        ("workspace.workspace", 1),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
    stack.assert_verified().await;

    // Whom one system forgets, the others keep: they never knew that it is the same person.
    let erased = stack.erase("customers.crm", &["1".to_owned()]).await;
    assert_eq!(erased["deleted"], 1);
    assert_eq!(
        stack
            .page_of("customers.crm")
            .await
            .keys()
            .collect::<Vec<_>>(),
        ["2"]
    );
    assert_eq!(stack.page_of("profiles.events").await.len(), 2);
    assert_eq!(stack.page_of("tenants").await.len(), 1);
    stack.assert_verified().await;
    stack.stop().await;
}
