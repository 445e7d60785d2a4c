//! Contacts over HTTP: made one by one, and listed.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::stack::{Answer, Stack};

/// Both paths under which the interface is published.
const PATHS: [&str; 2] = [
    "/external/v1/customers",
    "/external/v1/external/v1/customers",
];

/// Every field that a client may send.
pub(crate) fn full() -> Value {
    json!({
        "name": "Amina Yusuf",
        "email": "amina@example.com",
        "whatsapp_number": "+254700000001",
        "source": "web",
        "ip": "203.0.113.7",
        "city": "Nairobi",
        "country": "Kenya",
        "location": "Kibera, near the station",
        "latitude": "-1.2921",
        "longitude": "36.8219",
        "is_active": false,
        "company_id": "c-100",
    })
}

/// The least that a client may send.
pub(crate) fn least(n: usize) -> Value {
    json!({"name": format!("Contact {n}"), "email": format!("c{n}@example.com"), "source": "api"})
}

impl Stack {
    /// Posts a body as it is.
    pub(crate) async fn post_text(&self, path: &str, body: &str) -> Answer {
        let token = self.token(1);
        let body = Some(body.to_owned());
        self.send(Method::POST, path, Some(&token), body, &[]).await
    }

    /// Makes a contact.
    pub(crate) async fn contact(&self, body: &Value) -> Value {
        let answer = self.post(PATHS[0], body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_is_made_under_either_path_and_shown_as_it_was_sent() {
    let stack = Stack::start().await;
    let mut numbers = BTreeSet::new();
    for path in PATHS {
        let answer = stack.post(path, &full()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.headers["content-type"], "application/json");
        let mut made = answer.body;
        let listed = stack.get(path).await.body;
        let all = listed["data"].as_array().unwrap();
        assert!(all.contains(&made), "{listed}");

        let object = made.as_object_mut().unwrap();
        for (name, sent) in full().as_object().unwrap() {
            assert_eq!(&object.remove(name).unwrap(), sent, "{name}");
        }
        let customer_id = object.remove("customer_id").unwrap();
        let customer_id = customer_id.as_str().unwrap();
        assert!(customer_id.starts_with("CUS-01") && customer_id.len() == 30);
        let uid = format!("1-external-{customer_id}");
        assert_eq!(object.remove("uid").unwrap(), uid);
        assert_eq!(object.remove("organization_id").unwrap(), 1);
        assert_eq!(object.remove("custom").unwrap(), Value::Null);
        let created = object.remove("time_created").unwrap();
        created
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap();
        assert_eq!(object.remove("time_updated").unwrap(), created);
        numbers.insert(object.remove("id").unwrap().as_u64().unwrap());
        assert!(object.is_empty(), "{object:?}");
    }
    assert_eq!(numbers, BTreeSet::from([1, 2]));
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sent_is_null_and_what_is_unknown_is_kept() {
    let stack = Stack::start().await;
    let made = stack
        .contact(&json!({
            "name": "  Ame\u{301}lie ", "email": "a@b.example", "source": "web",
            "city": " ", "country": null, "Is-Active": null,
            "id": 77, "customer_id": "CUS-1", "organization_id": 9, "time_created": "2001-01-01",
            "campaign": {"name": "spring", "n": 1},
        }))
        .await;
    let expected = [
        ("name", json!("Am\u{e9}lie")),
        ("city", Value::Null),
        ("country", Value::Null),
        ("whatsapp_number", Value::Null),
        ("company_id", Value::Null),
        ("is_active", json!(true)),
        ("id", json!(1)),
        ("organization_id", json!(1)),
        ("custom", json!({"campaign": {"name": "spring", "n": 1}})),
    ];
    for (name, value) in expected {
        assert_eq!(made[name], value, "{name}");
    }
    assert_ne!(made["customer_id"], "CUS-1");
    assert_ne!(made["time_created"], "2001-01-01");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_list_adds_up() {
    let stack = Stack::start().await;
    let empty = stack.get(PATHS[1]).await;
    assert_eq!(
        (empty.status.as_u16(), empty.body),
        (
            200,
            json!({
                "data": [], "total": 0, "page": 1, "page_size": 20, "total_pages": 0,
                "has_next": false, "has_previous": false,
            })
        )
    );
    for n in 0..25 {
        stack.contact(&least(n)).await;
    }
    let mut seen = BTreeSet::new();
    for (page, len, next, previous) in [
        (1, 10, true, false),
        (2, 10, true, true),
        (3, 5, false, true),
        (4, 0, false, true),
    ] {
        let path = format!("{}?page={page}&page_size=10", PATHS[page % 2]);
        let mut body = stack.get(&path).await.body;
        let data = body.as_object_mut().unwrap().remove("data").unwrap();
        let data = data.as_array().unwrap();
        assert_eq!(data.len(), len, "page {page}");
        seen.extend(data.iter().map(|contact| contact["id"].as_u64().unwrap()));
        let expected = json!({
            "total": 25, "page": page, "page_size": 10, "total_pages": 3,
            "has_next": next, "has_previous": previous,
        });
        assert_eq!(body, expected);
    }
    assert_eq!(seen, (1..=25).collect());
    let default = stack.get(PATHS[0]).await.body;
    assert_eq!(default["data"].as_array().unwrap().len(), 20);
    assert_eq!(default["total_pages"], 2);
    let body = json!({"customer_group_id": "contacts.external"});
    let pages = stack.post("/v1/customer/pages", &body).await.body;
    assert_eq!(pages["customers"], 25);
    stack.stop().await;
}
