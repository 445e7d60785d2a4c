//! An organization's settings, and what protection makes of a value under them.

use http::Method;
use serde_json::{Value, json};

use crate::stack::{Answer, Stack, customers, sha256};

const SETTINGS: &str = "/v1/organization/settings";

async fn change(stack: &Stack, settings: Value) -> Answer {
    let (token, body) = (stack.token(1), settings.to_string());
    stack
        .send(Method::PATCH, SETTINGS, Some(&token), Some(body), &[])
        .await
}

async fn explained(stack: &Stack, field: &str, value: Value) -> Answer {
    let body = json!({"field": field, "value": value});
    stack.post("/v1/p14n/explain", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_and_changed_one_by_one() {
    let stack = Stack::start().await;
    let initial = json!({"pseudonyms": "sha256", "unknown_columns": "keep"});
    assert_eq!(stack.get(SETTINGS).await.body, initial);
    let changed = change(&stack, json!({"unknown_columns": "reject"})).await;
    assert_eq!(changed.status, 200);
    let changed = change(&stack, json!({"pseudonyms": "hmac-sha256"})).await;
    let expected = json!({"pseudonyms": "hmac-sha256", "unknown_columns": "reject"});
    assert_eq!(changed.body, expected);
    assert_eq!(stack.get(SETTINGS).await.body, expected);
    for wrong in [
        json!({"unknown_columns": "maybe"}),
        json!({"pseudonyms": "md5"}),
        json!({"peppers": 2}),
    ] {
        assert_eq!(change(&stack, wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_eq!(stack.get(SETTINGS).await.body, expected);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pseudonyms_do_not_change_once_there_are_records_or_an_import_is_on_its_way() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/file.csv";
    let event = stack.put(key, customers(0..3, "+2567")).await;
    let registered = stack.register(&event).await;
    let refused = change(&stack, json!({"pseudonyms": "hmac-sha256"})).await;
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.body["type"].as_str().unwrap().rsplit('/').next(),
        Some("import_under_way")
    );
    // An invocation of the same id takes the job up again.
    stack.invoke(&event, "a").await.unwrap();
    assert_eq!(stack.latest_job().await.id, registered);
    let refused = change(&stack, json!({"pseudonyms": "hmac-sha256"})).await;
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.body["type"].as_str().unwrap().rsplit('/').next(),
        Some("pseudonyms_in_use")
    );
    // What is so already, and what concerns later files alone, may be said.
    let same = json!({"pseudonyms": "sha256", "unknown_columns": "drop"});
    assert_eq!(change(&stack, same.clone()).await.body, same);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_explained_as_it_will_be_stored() {
    let stack = Stack::start().await;
    let hash = sha256("L23FX1236");
    let given = "7b1a3d34a3fcbad23308a5da7b49f9f3f7a67d2d";
    let table = [
        (
            "identification_number",
            json!(" L23FX1236 "),
            json!(["L23FX1236", "sha256", hash]),
        ),
        (
            "identification_number",
            json!(given),
            json!([given, "given", given]),
        ),
        ("household_size", json!("4"), json!([4, "none", 4])),
        ("name", json!(""), json!([null, "none", null])),
        ("name", Value::Null, json!([null, "none", null])),
    ];
    for (field, value, expected) in table {
        let body = explained(&stack, field, value).await.body;
        let found = json!([body["normalized"], body["mode"], body["result"]]);
        assert_eq!(found, expected, "{field}");
    }
    let body = json!({"dataset": "meters", "field": "customer_latitude", "value": "12.12345"});
    let blurred = stack.post("/v1/p14n/explain", &body).await.body;
    assert_eq!(
        (&blurred["mode"], &blurred["result"]),
        (&json!("blur"), &json!(12.123))
    );

    for (field, value, status) in [
        ("birth_year", json!("x"), 400),
        ("shoe_size", json!("4"), 400),
        ("uid", json!("1-generic-1"), 400),
    ] {
        assert_eq!(
            explained(&stack, field, value).await.status,
            status,
            "{field}"
        );
    }
    change(&stack, json!({"pseudonyms": "hmac-sha256"})).await;
    let keyed = explained(&stack, "phone", json!("+256700000001"))
        .await
        .body;
    assert_eq!(keyed["mode"], "hmac-sha256");
    let row = "external_id,phone\n1,+256700000001\n";
    stack.import("customers", row).await;
    assert_eq!(
        stack.record("customers", "1").await["phone"],
        keyed["result"]
    );
    stack.stop().await;
}
