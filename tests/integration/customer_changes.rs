//! Changing customers of a group over HTTP.

use clientele::store::Erasure;
use http::Method;
use lambda_http::Body;
use serde_json::{Value, json};

use crate::{
    customers::code,
    stack::{Stack, s3_event},
};

#[tokio::test(flavor = "multi_thread")]
async fn changes_leave_what_they_do_not_say_and_find_nobody_outside_the_group() {
    let stack = Stack::with_group("vip").await;
    let all = json!([
        {"external_id": "c0", "name": "Ann", "birth_year": 1990, "village": "Kumi"},
        {"external_id": "c1", "name": "Bob", "birth_year": 1991},
    ]);
    let uploaded = stack.check_rows("", "vip", all).await;
    stack.ended_clean(&uploaded).await;
    // Known, but of another group.
    let other = stack
        .check_rows("", "customers.api", json!([{"external_id": "c2"}]))
        .await;
    stack.ended_clean(&other).await;

    let before = stack.everything().await;
    let refused = stack
        .patch("", "vip", json!([{"external_id": "c0", "birth_year": 2000}, {"external_id": "c2"}, {"external_id": "c9"}]))
        .await;
    assert_eq!(code(&refused), "rows_refused", "{}", refused.body);
    let errors = refused.body["errors"].as_array().unwrap();
    let found: Vec<_> = errors
        .iter()
        .map(|e| (e["row"].as_u64().unwrap(), e["code"].as_str().unwrap()))
        .collect();
    assert_eq!(found, [(2, "not_found"), (3, "not_found")]);
    let unset = stack.patch("", "vip", json!([{"external_id": null}])).await;
    assert_eq!(unset.body["errors"][0]["code"], "required_unset");
    assert!(stack.everything().await == before);

    let patched = stack
        .patch("", "vip", json!([{"external_id": "c0", "birth_year": 2000}, {"external_id": "c1", "birth_year": null}]))
        .await;
    let long_id = patched.body["job_id"].as_str().unwrap();
    assert!(long_id.contains("/1/update_customers/"), "{long_id}");
    let job = stack.ended_clean(&patched).await;
    assert_eq!(
        (&job["state"], &job["updated"]),
        (&json!("completed"), &json!(2)),
        "{job}"
    );
    let page = stack
        .post(
            "/v1/customer",
            &json!({"customer_group_id": "vip", "page": 0}),
        )
        .await;
    let profile = |id: &str| {
        let customers = page.body["customers"].as_array().unwrap().iter();
        let mut found = customers.filter(|customer| customer["customer_id"] == id);
        found.next().unwrap()["extended_profile"].clone()
    };
    assert_eq!(profile("c0")["birth_year"], 2000);
    assert_eq!(profile("c0")["custom"]["village"], "Kumi");
    assert!(profile("c0")["name"].is_string());
    assert_eq!(profile("c1")["birth_year"], Value::Null);
    let again = stack
        .patch(
            "",
            "vip",
            json!([{"external_id": "c0", "birth_year": 2000}]),
        )
        .await;
    let job = stack.ended_clean(&again).await;
    assert_eq!((&job["unchanged"], &job["updated"]), (&json!(1), &json!(0)));
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn meters_are_changed_without_what_they_require() {
    let stack = Stack::start().await;
    let group = json!({"id": "village", "name": "Village", "dataset": "meters"});
    assert_eq!(stack.post("/v1/groups", &group).await.status, 201);
    let meter = json!({
        "customer_external_id": "c1", "manufacturer": "HOP", "serial_number": "A1",
        "device_external_id": "d1", "customer_profession": "farmer",
    });
    let uploaded = stack.check_rows("", "village", json!([meter])).await;
    stack.ended_clean(&uploaded).await;
    let change = |serial: &str| json!([{"customer_external_id": "c1", "manufacturer": "HOP", "serial_number": serial, "model": "X", "customer_profession": "baker"}]);
    let unknown = stack.patch("", "village", change("A2")).await;
    assert_eq!(unknown.body["errors"][0]["code"], "not_found");
    let incomplete = stack
        .patch("", "village", json!([{"customer_external_id": "c1"}]))
        .await;
    let codes = incomplete.body["errors"].as_array().unwrap().iter();
    let columns: Vec<_> = codes
        .map(|error| error["column"].as_str().unwrap())
        .collect();
    assert_eq!(columns, ["manufacturer", "serial_number"]);
    let patched = stack.patch("", "village", change("A1")).await;
    assert_eq!(stack.ended_clean(&patched).await["updated"], 1);
    let meter = stack.get("/api/v1/out/meters").await.body["data"][0].clone();
    assert_eq!(
        (&meter["model"], &meter["device_external_id"]),
        (&json!("X"), &json!("d1"))
    );
    let customer = stack.get("/api/v1/out/customers").await.body["data"][0].clone();
    assert_eq!(customer["profession"], "baker");
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_erased_before_the_job_runs_is_not_brought_back() {
    let stack = Stack::with_group("vip").await;
    let uploaded = json!([{"external_id": "c0"}, {"external_id": "c1"}]);
    let uploaded = stack.check_rows("", "vip", uploaded).await;
    stack.ended_clean(&uploaded).await;
    // Staged in a bucket that nobody watches.
    let change = |id: &str| json!({"external_id": id, "profession": "baker"});
    let body = json!({"customer_group_id": "vip", "customers": [change("c0"), change("c1")]});
    let request = http::Request::builder()
        .method(Method::PATCH)
        .uri("https://clientele.example/v1/customer")
        .header("authorization", format!("Bearer {}", stack.token(1)))
        .body(Body::Text(body.to_string()))
        .unwrap();
    let response = clientele_api::handle(&stack.registry, request).await;
    assert_eq!(response.status(), 200);

    let organization = Stack::organization();
    let keys = stack.registry.keys.existing(organization).await.unwrap();
    let erased = clientele::identity::CustomerUid::parse("1-api-c0").unwrap();
    let erasure = Erasure {
        digest: keys.uid_digest(&erased),
        group: None,
        receipt: uuid::Uuid::new_v4(),
        at: jiff::Timestamp::now(),
    };
    let store = &stack.registry.store;
    store.erase_customer(&erased, &erasure).await.unwrap();

    let job = stack.latest_job().await;
    let event = s3_event(&job.key, 0, "", "1");
    for _ in 0..2 {
        stack.invoke(&event, "test").await.unwrap();
        let job = stack.latest_job().await;
        assert_eq!((job.counts.updated, job.counts.rejected), (1, 1), "{job:?}");
        let errors = store.row_errors(organization, job.id, 10).await.unwrap();
        assert_eq!((errors[0].row, errors[0].code.as_str()), (1, "not_found"));
    }
    assert_eq!(stack.members("vip").await, 1);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_personal_is_encrypted_anew_only_where_it_changes() {
    let stack = Stack::start().await;
    let fields = json!({"fields": [
        {"name": "number", "field_type": "string", "unique_identifier": true},
        {"name": "full_name", "field_type": "string", "is_pii": true, "required": true},
        {"name": "limit", "field_type": "number"},
    ]});
    let token = stack.token(1);
    let put = stack
        .send(
            Method::PUT,
            "/v1/workspace/fields",
            Some(&token),
            Some(fields.to_string()),
            &[],
        )
        .await;
    assert_eq!(put.status, 200, "{}", put.body);
    let group = json!({"id": "staff", "name": "Staff", "dataset": "workspace"});
    assert_eq!(stack.post("/v1/groups", &group).await.status, 201);
    let uploaded = json!([{"number": "7", "full_name": "Ann Okello", "limit": 10}]);
    let uploaded = stack.check_rows("", "staff", uploaded).await;
    assert_eq!(stack.ended_clean(&uploaded).await["source"], "workspace");
    let profile = async || {
        let page = json!({"customer_group_id": "staff", "page": 0});
        let page = stack.post("/v1/customer", &page).await;
        page.body["customers"][0]["extended_profile"].clone()
    };
    let before = profile().await;
    let changes = [
        (json!({"number": "7", "limit": 20}), "updated", true),
        (
            json!({"number": "7", "full_name": "Ann Okello"}),
            "unchanged",
            true,
        ),
        (
            json!({"number": "7", "full_name": "Ann Auma"}),
            "updated",
            false,
        ),
    ];
    for (change, outcome, same) in changes {
        let patched = stack.patch("", "staff", json!([change])).await;
        assert_eq!(stack.ended_clean(&patched).await[outcome], 1, "{change}");
        let after = profile().await;
        assert_eq!(after["full_name"] == before["full_name"], same, "{change}");
        assert_eq!(after["limit"], 20);
    }
    let unset = json!([{"number": "7", "full_name": null}]);
    let unset = stack.patch("", "staff", unset).await;
    assert_eq!(unset.body["errors"][0]["code"], "required_unset");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_bound_to_a_group_changes_its_customers_and_brings_in_no_others() {
    let stack = Stack::with_group("vip").await;
    let uploaded = json!([{"external_id": "c0"}]);
    let uploaded = stack.check_rows("", "vip", uploaded).await;
    stack.ended_clean(&uploaded).await;
    let token = stack.token_with(|token| token.groups = Some(vec!["vip".to_owned()]));
    let token = Some(token.as_str());
    let body = json!({"customer_group_id": "vip", "customers": [{"external_id": "c0", "birth_year": 1990}]});
    for (method, path, status) in [
        (Method::PATCH, "/v1/customer", 200),
        // It could overwrite a customer of another group.
        (Method::POST, "/v1/customer/check", 401),
    ] {
        let body = Some(body.to_string());
        let answer = stack.send(method, path, token, body, &[]).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    stack.stop().await;
}
