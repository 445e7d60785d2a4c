//! Pages and cursors of a group.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stack::{Stack, customers};

const GROUP: &str = "customers.generic";

fn uids(page: &Value) -> Vec<String> {
    let customers = page["customers"].as_array().unwrap();
    customers
        .iter()
        .map(|c| c["uid"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_is_on_one_page_and_under_one_cursor() {
    let stack = Stack::start().await;
    stack
        .import("customers", customers(0..2_345, "+2567"))
        .await;
    let count = stack
        .post("/v1/customer/pages", &json!({"customer_group_id": GROUP}))
        .await;
    assert_eq!(
        count.body,
        json!({"pages": 3, "customers": 2345, "page_size": 1000})
    );

    let mut numbered = Vec::new();
    for (page, size) in [(0, 1_000), (1, 1_000), (2, 345), (3, 0)] {
        let body = json!({"customer_group_id": GROUP, "page": page});
        let answer = stack.post("/v1/customer", &body).await;
        let found = uids(&answer.body);
        assert_eq!(found.len(), size, "page {page}");
        assert_eq!(answer.body["pages"], 3);
        assert_eq!(
            answer.body["next_cursor"].is_string(),
            page < 2,
            "page {page}"
        );
        numbered.extend(found);
    }
    let distinct: BTreeSet<_> = numbered.iter().collect();
    assert_eq!(distinct.len(), 2_345);

    let mut read = Vec::new();
    let mut body = json!({"customer_group_id": GROUP, "page": 0});
    loop {
        let answer = stack.post("/v1/customer", &body).await.body;
        read.extend(uids(&answer));
        match answer["next_cursor"].as_str() {
            Some(cursor) => body = json!({"customer_group_id": GROUP, "cursor": cursor}),
            None => break,
        }
    }
    assert_eq!(read, numbered);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_shows_its_profile_sorted() {
    let stack = Stack::start().await;
    stack
        .import(
            "customers",
            "external_id,profession,name,village\n7,farmer,J,x\n",
        )
        .await;
    let body = json!({"customer_group_id": GROUP, "page": 0});
    let answer = stack.post("/v1/customer", &body).await;
    let customer = &answer.body["customers"][0];
    assert_eq!(customer["customer_id"], "7");
    let keys: Vec<_> = customer["extended_profile"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(keys, ["custom", "external_id", "name", "profession"]);
    assert_eq!(
        customer["extended_profile"]["custom"],
        json!({"village": "x"})
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dialect_answers_as_its_clients_know_it() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..3, "+2567")).await;
    let foreign = stack.token(2);
    let bound = stack.token_with(|t| t.groups = Some(vec!["other".to_owned()]));
    let reader = stack.token_with(|t| t.scope = "records:read".to_owned());
    let writer = stack.token_with(|t| t.scope = "records:write".to_owned());
    let mine = stack.token(1);
    let table: [(&str, Option<&str>, Value, u16, &str); 12] = [
        (
            "/v1/customer/pages",
            Some(&mine),
            json!({}),
            400,
            "missing required fields",
        ),
        (
            "/v1/customer",
            Some(&mine),
            json!({"customer_group_id": GROUP}),
            400,
            "missing required fields",
        ),
        (
            "/v1/customer",
            Some(&mine),
            json!({"customer_group_id": GROUP, "page": 0, "cursor": "x"}),
            400,
            "missing required fields",
        ),
        (
            "/v1/customer/pages",
            Some(&mine),
            json!({"customer_group_id": "nobody"}),
            401,
            "No customers found",
        ),
        (
            "/v1/customer",
            Some(&mine),
            json!({"customer_group_id": "No Body", "page": 0}),
            401,
            "No customers found",
        ),
        (
            "/v1/customer/pages",
            Some(&foreign),
            json!({"customer_group_id": GROUP}),
            401,
            "No customers found",
        ),
        (
            "/v1/customer",
            Some(&foreign),
            json!({"customer_group_id": GROUP, "page": 0}),
            401,
            "No customers found",
        ),
        (
            "/v1/customer",
            Some(&bound),
            json!({"customer_group_id": GROUP, "page": 0}),
            401,
            "No customers found",
        ),
        (
            "/v1/customer",
            None,
            json!({"customer_group_id": GROUP, "page": 0}),
            403,
            "send a valid token as Authorization: Bearer …",
        ),
        (
            "/v1/customer",
            Some(&writer),
            json!({"customer_group_id": GROUP, "page": 0}),
            403,
            "this needs the scope records:read",
        ),
        (
            "/v1/customer",
            Some(&reader),
            json!({"customer_group_id": GROUP, "page": 0, "reveal": true}),
            403,
            "this needs the scope pii:reveal",
        ),
        (
            "/v1/customer",
            Some(&mine),
            json!({"customer_group_id": GROUP, "cursor": "AAAA"}),
            400,
            "the cursor is not one of this group's; start again without it",
        ),
    ];
    for (path, token, body, status, message) in table {
        let answer = stack
            .send(http::Method::POST, path, token, Some(body.to_string()), &[])
            .await;
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(answer.body["message"], message, "{body}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_group_or_a_changed_one_is_refused() {
    let stack = Stack::start().await;
    stack
        .import_key(
            "inbox/1/generic/customers/g/a.csv",
            customers(0..1_500, "+2567"),
        )
        .await;
    let page = stack
        .post(
            "/v1/customer",
            &json!({"customer_group_id": GROUP, "page": 0}),
        )
        .await;
    let cursor = page.body["next_cursor"].as_str().unwrap().to_owned();
    let elsewhere = json!({"customer_group_id": "g", "cursor": cursor});
    assert_eq!(stack.post("/v1/customer", &elsewhere).await.status, 400);
    let mut changed = cursor.into_bytes();
    let last = changed.len() - 2;
    changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    let changed = json!({"customer_group_id": GROUP, "cursor": changed});
    assert_eq!(stack.post("/v1/customer", &changed).await.status, 400);
    stack.stop().await;
}

/// Quotes are escaped once more on the way through Lambda, which carries 6 MB.
#[tokio::test(flavor = "multi_thread")]
async fn customers_full_of_quotes_come_in_replies_that_lambda_carries() {
    let stack = Stack::start().await;
    let letters = vec!["a"; 1_500];
    let row = |n: usize| json!({"external_id": format!("q{n}"), "letters": letters}).to_string();
    let rows: Vec<_> = (0..1_000).map(row).collect();
    stack
        .import("customers", format!("[{}]", rows.join(",")))
        .await;
    let group = "customers.generic";
    let mut asked = json!({"customer_group_id": group, "page": 0});
    let mut seen = 0;
    loop {
        let page = stack.post("/v1/customer", &asked).await;
        assert_eq!(page.status, 200);
        let customers = page.body["customers"].as_array().unwrap();
        assert!(!customers.is_empty());
        seen += customers.len();
        let cursor = page.body["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        asked = json!({"customer_group_id": group, "cursor": cursor});
    }
    assert_eq!(seen, 1_000);
    let too_large = stack
        .get("/api/v1/out/customers?source=generic&size=1000")
        .await;
    assert_eq!(too_large.status, 400);
    assert!(
        too_large.body["type"]
            .as_str()
            .unwrap()
            .ends_with("page_too_large")
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn single_customers_are_read_by_an_id() {
    let stack = Stack::start().await;
    for source in ["generic", "other"] {
        let key = format!("inbox/1/{source}/customers/both/file.csv");
        let rows = "external_id,country\n7,UG\n007,KE\n";
        stack.import_key(&key, rows).await;
    }
    let meters = "customer_external_id,manufacturer,serial_number,device_external_id\n\
                  7,HOP,A1,1\n7,HOP,A2,2\n8,HOP,A3,3\n";
    stack.import("meters", meters).await;
    let table: [(&str, &str, &[&str]); 9] = [
        (GROUP, "7", &["1-generic-7"]),
        (GROUP, "007", &["1-generic-007"]),
        (GROUP, "1-generic-7", &["1-generic-7"]),
        (GROUP, "1-other-7", &[]),
        (GROUP, "07", &[]),
        (GROUP, "", &[]),
        ("both", "7", &["1-generic-7", "1-other-7"]),
        (
            "meters.generic",
            "7",
            &["1-generic-7-1-hop-A1", "1-generic-7-1-hop-A2"],
        ),
        (
            "meters.generic",
            "1-generic-8-1-hop-A3",
            &["1-generic-8-1-hop-A3"],
        ),
    ];
    for (group, id, found) in table {
        let body = json!({"customer_group_id": group, "customer_id": id});
        let answer = stack.post("/v1/customer", &body).await;
        assert_eq!(answer.status, 200, "{group} {id}");
        assert_eq!(uids(&answer.body), found, "{group} {id}");
        assert!(answer.body["page"].is_null() && answer.body["next_cursor"].is_null());
    }
    let both = json!({"customer_group_id": GROUP, "customer_id": "7", "page": 0});
    assert_eq!(stack.post("/v1/customer", &both).await.status, 400);
    let foreign = stack.token(2);
    let body = json!({"customer_group_id": GROUP, "customer_id": "7"}).to_string();
    let answer = stack
        .send(
            http::Method::POST,
            "/v1/customer",
            Some(&foreign),
            Some(body),
            &[],
        )
        .await;
    assert_eq!(answer.status, 401);
    stack.stop().await;
}
