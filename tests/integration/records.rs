//! What becomes of records: merging, provenance, order.

use clientele::store::jobs::{Ignored, JobState};
use serde_json::json;

use crate::stack::{Stack, file, sha256};

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_stored_pseudonymised_and_shown_with_its_provenance() {
    let stack = Stack::start().await;
    stack.import("customers", file("customers.csv")).await;
    let record = stack.record("customers", "6574").await;
    assert_eq!(record["uid"], "1-generic-6574");
    assert_eq!(record["name"], json!(sha256("John Smith")));
    assert_eq!(
        record["identification_number"],
        "7b1a3d34a3fcbad23308a5da7b49f9f3f7a67d2d"
    );
    assert_eq!(record["organization_id"], 1);
    assert_eq!(record["data_origin"], "generic");
    for (id, value) in [("source_id", 1), ("import_id", 1), ("last_import_id", 1)] {
        assert_eq!(record[id], value, "{id}");
    }
    assert_eq!(record["created_at"], record["updated_at"]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blank_keeps_null_unsets_and_the_rest_is_merged_field_by_field() {
    let stack = Stack::start().await;
    let push = async |row: serde_json::Value| {
        let answer = stack
            .post(
                "/api/v1/in/customers?source=generic",
                &json!({"data": [row]}),
            )
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let job = stack.job_at(answer.body["job"].as_str().unwrap()).await;
        [&job["created"], &job["updated"], &job["unchanged"]].map(|n| n.as_u64().unwrap())
    };
    let first = json!({"external_id": 1, "name": "A", "profession": "farmer", "village": "x"});
    assert_eq!(push(first.clone()).await, [1, 0, 0]);
    assert_eq!(push(first).await, [0, 0, 1]);
    assert_eq!(
        push(json!({"external_id": "1", "profession": " ", "name": ""})).await,
        [0, 0, 1]
    );
    assert_eq!(
        push(json!({"external_id": "1", "birth_year": "1990"})).await,
        [0, 1, 0]
    );
    assert_eq!(
        push(json!({"external_id": "1", "name": null, "hamlet": 7})).await,
        [0, 1, 0]
    );
    let record = stack.record("customers", "1").await;
    assert_eq!(record["name"], json!(null));
    assert_eq!(record["profession"], "farmer");
    assert_eq!(record["birth_year"], 1990);
    assert_eq!(record["custom"], json!({"village": "x", "hamlet": 7}));
    assert_eq!(record["import_id"], 1);
    assert_eq!(record["last_import_id"], 5);
    assert!(record["updated_at"].as_str() > record["created_at"].as_str());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_row_about_a_record_wins_whole() {
    let stack = Stack::start().await;
    let content = "external_id,name,profession\n1,A,farmer\n2,B,\n1,C,\n";
    let job = stack.import("customers", content).await;
    assert_eq!((job.counts.created, job.counts.duplicates), (2, 1));
    let record = stack.record("customers", "1").await;
    assert_eq!(record["name"], json!(sha256("C")));
    assert_eq!(record["profession"], json!(null));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_registered_earlier_overwrites_nothing_later() {
    let stack = Stack::start().await;
    let row = |profession: &str| format!("external_id,profession\n1,{profession}\n");
    let old = stack
        .put("inbox/1/generic/customers/old.csv", row("farmer"))
        .await;
    // Its job is registered, but the invocation dies before it has worked.
    let registered = tokio::time::timeout(std::time::Duration::ZERO, stack.invoke(&old, "a")).await;
    assert!(registered.is_err());
    stack
        .until(|| async {
            let jobs = stack
                .registry
                .store
                .jobs(Stack::organization(), 1)
                .await
                .unwrap();
            if jobs.is_empty() {
                let soon = std::time::Duration::from_millis(20);
                let _ = tokio::time::timeout(soon, stack.invoke(&old, "a")).await;
            }
            (!jobs.is_empty()).then_some(())
        })
        .await;
    let before = stack.latest_job().await;
    if before.state == JobState::Running || before.state == JobState::Queued {
        stack.import("customers", row("baker")).await;
        stack.invoke(&old, "a").await.unwrap();
        let jobs = stack
            .registry
            .store
            .jobs(Stack::organization(), 2)
            .await
            .unwrap();
        assert_eq!(stack.record("customers", "1").await["profession"], "baker");
        assert_eq!(jobs[1].counts.superseded + jobs[1].counts.created, 1);
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meter_brings_its_customer_and_is_blurred() {
    let stack = Stack::start().await;
    let header = "customer_external_id,manufacturer,serial_number,device_external_id,customer_name,customer_latitude,customer_longitude,grid_external_id";
    let job = stack
        .import(
            "meters",
            format!(
                "{header}\na-1,Ho-P,S-1,d1,John Smith,12.1235,-0.00049,g\na-1,Ho-P,S-2,d2,,12,13,\n"
            ),
        )
        .await;
    assert_eq!(job.counts.created, 2);
    let customer = stack.record("customers", "a-1").await;
    assert_eq!(customer["name"], json!(sha256("John Smith")));
    let meters = stack
        .get("/api/v1/out/meters?source=generic&q[external_id_eq]=a-1")
        .await;
    assert_eq!(meters.body["total"], 2);
    let uid = "1-generic-a%252D1-1-ho%252Dp-S-1";
    let one = stack
        .get(&format!(
            "/api/v1/out/meters?source=generic&q[uid_eq]={uid}"
        ))
        .await;
    let meter = &one.body["data"][0];
    assert_eq!(meter["uid"], "1-generic-a%2D1-1-ho%2Dp-S-1");
    assert_eq!(meter["customer_uid"], "1-generic-a-1");
    assert_eq!(meter["device_uid"], "1-ho%2Dp-S-1");
    assert_eq!(meter["grid_uid"], "1-generic-g");
    assert_eq!(meter["customer_latitude"], 12.124);
    assert_eq!(meter["customer_longitude"], 0);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_chooses_keyed_pseudonyms_and_what_becomes_of_unknown_columns() {
    let stack = Stack::start().await;
    let content = "external_id,name,village,uid\n1,Ann,x,mine\n";
    let job = stack.import("customers", content).await;
    let ignored: Vec<_> = job
        .columns
        .iter()
        .filter_map(|column| column.ignored)
        .collect();
    assert_eq!(ignored, [Ignored::Autogenerated]);
    assert_eq!(
        stack.record("customers", "1").await["custom"],
        json!({"village": "x"})
    );

    stack.set("pseudonyms", "hmac-sha256").await;
    stack.set("unknown_columns", "drop").await;
    let job = stack
        .import("customers", content.replace("\n1,", "\n2,"))
        .await;
    assert!(
        job.columns
            .iter()
            .any(|column| column.ignored == Some(Ignored::Unknown))
    );
    let record = stack.record("customers", "2").await;
    let name = record["name"].as_str().unwrap();
    assert!(
        name.starts_with("hmac-sha256:1:") && name.len() == 14 + 64,
        "{name}"
    );
    assert_eq!(record["custom"], json!(null));

    stack.set("unknown_columns", "reject").await;
    let job = stack.import("customers", content).await;
    assert_eq!(job.error.map(|e| e.code).as_deref(), Some("unknown_column"));
    stack.stop().await;
}
