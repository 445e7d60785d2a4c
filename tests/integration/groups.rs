//! Groups: made, renamed and deleted without their customers.

use http::Method;
use serde_json::json;

use crate::stack::{Stack, customers};

async fn delete(stack: &Stack, group: &str) -> crate::stack::Answer {
    let path = format!("/v1/groups/{group}");
    let token = stack.token(1);
    stack
        .send(Method::DELETE, &path, Some(&token), None, &[])
        .await
}

async fn members(stack: &Stack, group: &str) -> serde_json::Value {
    let asked = json!({"customer_group_id": group});
    stack.post("/v1/customer/pages", &asked).await.body["customers"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_group_is_gone_at_once_and_its_customers_stay() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/tenants/file.csv";
    stack.import_key(key, customers(0..2_500, "+2567")).await;
    let other = "inbox/1/generic/customers/others/file.csv";
    stack.import_key(other, customers(0..10, "+2567")).await;
    let deleted = delete(&stack, "tenants").await;
    assert_eq!(deleted.status, 202);
    assert_eq!(deleted.body["task"], "delete_group");
    let path = format!("/v1/jobs/{}", deleted.body["id"].as_str().unwrap());
    // Before its job has run: unknown, and the same request finds the same job.
    let asked = json!({"customer_group_id": "tenants"});
    assert_eq!(stack.post("/v1/customer/pages", &asked).await.status, 401);
    let job = stack.job_at(&path).await;
    assert_eq!(job["state"], "completed");
    assert_eq!(job["rows_total"], 2_500);
    assert_eq!(job["updated"], 2_500);
    assert_eq!(delete(&stack, "tenants").await.status, 404);
    assert_eq!(members(&stack, "customers.generic").await, 2_500);
    assert_eq!(members(&stack, "others").await, 10);
    for item in stack.items().await {
        let shown = format!("{item:?}");
        let is_mark = shown.contains("deleted_at") || shown.contains("closed");
        assert!(
            is_mark || !shown.contains("tenants") || shown.contains("JOB"),
            "{shown}"
        );
    }
    stack.assert_verified().await;
    // The id rests while an import that knew the group could be alive.
    let again = stack.import_key(key, customers(0..3, "+2567")).await;
    assert_eq!(again.error.unwrap().code, "group_deleted");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_knew_a_deleted_group_lands_without_it() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/tenants/file.csv";
    stack.import_key(key, customers(0..100, "+2567")).await;
    let organization = Stack::organization();
    let group = "tenants".parse().unwrap();
    // As the job closes them, while the import is between its look at the group and its writes.
    stack
        .registry
        .store
        .close_counters(organization, &group)
        .await
        .unwrap();
    let job = stack.import_key(key, customers(50..150, "+2567")).await;
    assert_eq!(job.counts.created, 50);
    assert_eq!(members(&stack, "customers.generic").await, 150);
    assert_eq!(members(&stack, "tenants").await, 100);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sources_own_group_cannot_be_deleted() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..3, "+2567")).await;
    assert_eq!(delete(&stack, "customers.generic").await.status, 409);
    assert_eq!(delete(&stack, "nowhere").await.status, 404);
    assert_eq!(delete(&stack, "NOT%20AN%20ID").await.status, 404);
    stack.stop().await;
}
