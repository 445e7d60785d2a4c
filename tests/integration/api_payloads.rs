//! The payloads in `events/`, as Lambda hands them to the functions.

use lambda_http::{Body, Response, request};
use serde_json::Value;

use crate::stack::{Stack, file, s3_event};

fn payload(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../events")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

fn body(response: &Response<Body>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payloads_of_every_http_route_are_answered() {
    let stack = Stack::start().await;
    stack.import("customers", file("customers.csv")).await;
    let table = [
        ("api_in_customers.json", 201),
        ("api_events.json", 202),
        ("api_in_customers_check.json", 200),
        ("api_out_customers.json", 200),
        // A path that ends in a slash comes by the route for everything else.
        ("api_out_customers_slash.json", 200),
        ("api_jobs.json", 200),
        // A job that exists nowhere.
        ("api_job.json", 404),
        ("api_job_report.json", 404),
        ("api_job_rejected.json", 404),
        ("api_job_cancel.json", 404),
        ("api_settings.json", 200),
        ("api_settings_change.json", 200),
        ("api_explain.json", 200),
        ("api_keys.json", 200),
        ("api_keys_rotate.json", 201),
        ("api_keys_rewrap.json", 202),
        ("api_uploads.json", 201),
        ("api_customer_check.json", 200),
        // It names a customer who exists nowhere.
        ("api_customer_update.json", 400),
        ("api_customer_delete.json", 200),
        ("api_fences_release.json", 200),
        ("api_groups.json", 200),
        ("api_group_create.json", 201),
        ("api_group_rename.json", 200),
        ("api_group_delete.json", 202),
        ("api_fields.json", 200),
        ("api_fields_put.json", 200),
        ("api_contacts_create.json", 201),
        ("api_contacts_bulk.json", 201),
        ("api_contacts.json", 200),
        ("api_sources_grant.json", 201),
        ("api_sources.json", 200),
        ("api_sources_revoke.json", 200),
        ("pages_customer_pages.json", 200),
        ("pages_customer.json", 200),
        ("docs_schema.json", 200),
    ];
    for (name, status) in table {
        let payload = payload(name).replace("Bearer TOKEN", &format!("Bearer {}", stack.token(1)));
        let request = request::from_str(&payload).unwrap();
        let response = match name.split('_').next() {
            Some("pages") => clientele_pages::handle(&stack.registry, request).await,
            Some("docs") => clientele_docs::handle(&stack.registry.config.docs_url, request),
            _ => clientele_api::handle(&stack.registry, request).await,
        };
        assert_eq!(response.status(), status, "{name}: {}", body(&response));
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payloads_of_s3_are_imported() {
    let stack = Stack::start().await;
    for name in [
        "s3_put_csv.json",
        "s3_put_csv_odd_key.json",
        "s3_put_foreign_key.json",
    ] {
        let event: Value = serde_json::from_str(&payload(name)).unwrap();
        let encoded = event["Records"][0]["s3"]["object"]["key"].as_str().unwrap();
        let key = percent_decoded(encoded);
        // The harness encodes keys as S3 does.
        let content = file("customers.csv");
        let put = stack.put(&key, content.clone()).await;
        let again = s3_event(&key, content.len(), "etag", "0");
        assert_eq!(
            again["Records"][0]["s3"]["object"]["key"], encoded,
            "{name}"
        );
        stack.invoke(&put, "test").await.unwrap();
        let foreign = name.contains("foreign");
        assert_eq!(stack.has_failed(&key).await, foreign, "{name}");
        assert!(!stack.has_object(&key).await, "{name}");
    }
    let jobs = stack
        .registry
        .store
        .jobs(Stack::organization(), 10, None)
        .await
        .unwrap();
    assert_eq!(
        jobs.iter().map(|job| job.counts.rows_read).sum::<u64>(),
        500
    );
    stack.stop().await;
}

fn percent_decoded(encoded: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    String::from_utf8(bytes).unwrap()
}
