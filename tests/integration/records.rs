//! What becomes of records: merging, provenance, order.

use clientele::store::jobs::Ignored;
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
    let row =
        |profession: &str| format!("external_id,profession\n1,{profession}\n2,{profession}\n");
    let old = stack
        .put("inbox/1/generic/customers/old.csv", row("farmer"))
        .await;
    let job = stack.register(&old).await;
    stack
        .import("customers", "external_id,profession\n1,baker\n")
        .await;
    stack.invoke(&old, "a").await.unwrap();
    let job = stack
        .registry
        .store
        .job(Stack::organization(), job)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((job.counts.created, job.counts.superseded), (1, 1));
    assert_eq!(stack.record("customers", "1").await["profession"], "baker");
    assert_eq!(stack.record("customers", "2").await["profession"], "farmer");
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

#[tokio::test(flavor = "multi_thread")]
async fn rows_about_one_meter_are_repetitions_although_an_optional_id_is_blank() {
    let stack = Stack::start().await;
    let header = "customer_external_id,manufacturer,serial_number,device_external_id,account_external_id,model";
    let rows = "1,HOP,S1,d1,,old\n1,hop,S1,d1,,new\n";
    let job = stack.import("meters", format!("{header}\n{rows}")).await;
    assert_eq!((job.counts.created, job.counts.duplicates), (1, 1));
    let meters = stack.get("/api/v1/out/meters?source=generic").await;
    assert_eq!(meters.body["data"][0]["model"], "new");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_refused_does_not_stand_in_for_an_earlier_one() {
    let stack = Stack::start().await;
    let job = stack
        .import("customers", "external_id,birth_year\n1,1990\n1,abc\n")
        .await;
    assert_eq!((job.counts.created, job.counts.rejected), (1, 1));
    assert_eq!(stack.record("customers", "1").await["birth_year"], 1990);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_would_grow_too_large_is_refused_without_harm_to_its_neighbours() {
    let stack = Stack::start().await;
    let cell = "x".repeat(45_000);
    let first = format!("external_id,month_1\n1,{cell}\n2,x\n");
    assert_eq!(stack.import("customers", first).await.counts.created, 2);
    let second = format!("external_id,month_2\n1,{cell}\n2,y\n");
    let job = stack.import("customers", second).await;
    assert_eq!((job.counts.updated, job.counts.rejected), (1, 1));
    let store = &stack.registry.store;
    let errors = store
        .row_errors(Stack::organization(), job.id, 10)
        .await
        .unwrap();
    assert_eq!(
        (errors[0].row, errors[0].code.as_str()),
        (1, "record_too_large")
    );
    // Many large rows share transactions, each within DynamoDB's 4 MB; quotes double in JSON.
    let quotes = "\"".repeat(30_000);
    let large = |n: usize| json!({"external_id": format!("l{n}"), "notes": quotes});
    let rows: Vec<_> = (0..120).map(large).collect();
    let job = stack.import("customers", json!(rows).to_string()).await;
    assert_eq!(job.counts.created, 120);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_row_joins_its_group_all_the_same() {
    let stack = Stack::start().await;
    let content = "external_id,profession\n1,farmer\n";
    let old = stack
        .put("inbox/1/generic/customers/vip/old.csv", content)
        .await;
    let job = stack.register(&old).await;
    stack
        .import("customers", "external_id,profession\n1,baker\n")
        .await;
    stack.invoke(&old, "a").await.unwrap();
    let job = stack
        .registry
        .store
        .job(Stack::organization(), job)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job.counts.superseded, 1);
    assert_eq!(stack.record("customers", "1").await["profession"], "baker");
    let vip = "vip".parse().unwrap();
    let members = stack
        .registry
        .store
        .member_count(Stack::organization(), &vip)
        .await
        .unwrap();
    assert_eq!(members, 1);
    stack.assert_verified().await;
    stack.stop().await;
}
