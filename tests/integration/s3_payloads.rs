//! The payloads in `events/` of S3, and of what `sam local` sets for them.

use std::{collections::BTreeSet, time::Duration};

use clientele::store::jobs::JobState;
use data_encoding::HEXLOWER;
use lambda_http::request;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tracing::Instrument;

use crate::{
    api_payloads::{names, payload},
    docs::text,
    logs,
    stack::{Stack, customers, file, s3_event},
    template::resources_of,
};

/// Payloads of dropped files: the test file that each speaks of, and its rows.
const DROPPED: [(&str, &str, u64); 7] = [
    ("s3_put_csv.json", "customers.csv", 250),
    // Spaces, plus signs, brackets and letters beyond ASCII.
    ("s3_put_csv_odd_key.json", "customers.csv", 250),
    ("s3_put_group.json", "customers.csv", 250),
    ("s3_put_xlsx.json", "customers.xlsx", 250),
    ("s3_put_json.json", "customers.json", 5),
    ("s3_put_gz.json", "customers_fr.csv.gz", 5),
    ("s3_put_meters.json", "meters.csv", 60),
];
const FOREIGN: &str = "s3_put_foreign_key.json";
const STAGED: &str = "s3_put_staged.json";
const PART: &str = "s3_put_part.json";

fn event(name: &str) -> Value {
    serde_json::from_str(&payload(name)).unwrap()
}

fn object(event: &Value) -> &Value {
    &event["Records"][0]["s3"]["object"]
}

fn encoded_key(event: &Value) -> &str {
    object(event)["key"].as_str().unwrap()
}

/// S3 encodes keys as HTML forms do.
fn key(event: &Value) -> String {
    let spaced = encoded_key(event).replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payloads_of_dropped_files_are_imported() {
    let stack = Stack::start().await;
    for (name, content, rows) in DROPPED {
        let event = event(name);
        let key = key(&event);
        // The event is delivered as it is, so its ETag must be the file's.
        stack.put(&key, file(content)).await;
        stack.invoke(&event, name).await.unwrap();
        let job = stack.latest_job().await;
        assert_eq!(job.state, JobState::Completed, "{name}");
        assert_eq!(job.counts.rows_read, rows, "{name}");
        assert!(!stack.has_object(&key).await, "{name}");
        // S3 may deliver it again.
        stack.invoke(&event, name).await.unwrap();
        assert_eq!(stack.latest_job().await.id, job.id, "{name}");
    }
    let foreign = event(FOREIGN);
    let event = stack.put(&key(&foreign), file("customers.csv")).await;
    stack.invoke(&event, FOREIGN).await.unwrap();
    assert!(stack.has_failed(&key(&foreign)).await);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_file_that_is_not_there_is_a_warning() {
    let stack = Stack::start().await;
    for name in names(&["s3_"]) {
        // As Lambda's runtime has it, which tells the lines of invocations apart.
        let invocation = tracing::info_span!("invocation", request_id = format!("gone {name}"));
        let event = event(&name);
        let invoked = stack.invoke(&event, &name).instrument(invocation);
        invoked.await.unwrap();
    }
    let jobs = stack.registry.store.jobs(Stack::organization(), 10, None);
    assert!(jobs.await.unwrap().is_empty());
    let captured = logs::captured();
    for name in names(&["s3_"]) {
        let request_id = format!("gone {name}");
        let lines = captured.lines().filter(|line| line.contains(&request_id));
        let warnings: Vec<Value> = lines
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|line: &Value| line["level"] == "WARN")
            .map(|line| line["fields"]["message"].clone())
            .collect();
        let expected: &[&str] = match name.as_str() {
            FOREIGN => &["a file was refused"],
            // Parts go when they are done, and every event may come twice.
            PART => &[],
            _ => &["an event speaks of an object that is gone, and it has no job"],
        };
        assert_eq!(warnings, expected, "{name}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payload_of_staged_rows_is_imported() {
    let stack = Stack::start().await;
    let bearer = format!("Bearer {}", stack.token(1));
    let announcement = payload("api_uploads.json").replace("Bearer TOKEN", &bearer);
    let request = request::from_str(&announcement).unwrap();
    let announced = clientele_api::handle(&stack.registry, request).await;
    let announced: Value = serde_json::from_slice(announced.body()).unwrap();
    let id = announced["job"].as_str().unwrap().rsplit('/').next();

    // Jobs that are announced get ids of their own.
    let mut event = event(STAGED);
    let key = key(&event);
    let segments: Vec<&str> = key.split('/').collect();
    let [folder, organization, _, filename] = segments[..] else {
        panic!("{key}");
    };
    let key = [folder, organization, id.unwrap(), filename].join("/");
    event["Records"][0]["s3"]["object"]["key"] = json!(key);
    stack.put(&key, file("customers.json")).await;
    stack.invoke(&event, STAGED).await.unwrap();
    let job = stack.latest_job().await;
    assert_eq!(job.id.to_string(), id.unwrap());
    assert_eq!((job.state, job.counts.created), (JobState::Completed, 5));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payload_of_a_part_is_imported() {
    let stack = Stack::start().await;
    // One row more than fits in a part.
    let file = stack.put(
        "inbox/1/generic/customers/large.csv",
        customers(0..10_001, "+2567"),
    );
    let hour = Duration::from_secs(3600);
    stack
        .invoke_for(&file.await, "splitting", hour)
        .await
        .unwrap();
    let parts = stack.events_of_parts().await;
    assert_eq!(parts.len(), 2);
    for part in &parts {
        // All but the object, which is of a job of its own.
        let mut event = event(PART);
        assert_eq!(shape(encoded_key(&event)), shape(encoded_key(part)));
        event["Records"][0]["s3"]["object"] = object(part).clone();
        stack.invoke_for(&event, PART, hour).await.unwrap();
    }
    let job = stack.latest_job().await;
    assert_eq!(
        (job.state, job.counts.created),
        (JobState::Completed, 10_001)
    );
    stack.stop().await;
}

/// A key of a part without what differs from part to part.
fn shape(key: &str) -> (&str, usize, bool) {
    let segments: Vec<&str> = key.split('/').collect();
    let [folder, job, number] = segments[..] else {
        panic!("{key}");
    };
    (folder, job.len(), number.parse::<u32>().is_ok())
}

#[test]
fn every_prefix_of_the_template_has_a_payload() {
    let names = names(&["s3_"]);
    let dropped = DROPPED.iter().map(|(name, ..)| *name);
    let tested = dropped.chain([FOREIGN, STAGED, PART]);
    assert_eq!(names, tested.map(str::to_owned).collect());

    let functions = resources_of("AWS::Serverless::Function");
    let import = functions.iter().find(|f| f.name == "ImportFunction");
    let events = import.unwrap().property("Events").as_object().unwrap();
    let prefixes = events.values().map(|event| {
        assert_eq!(event["Type"], "S3");
        let rules = event["Properties"]["Filter"]["S3Key"]["Rules"].as_array();
        let [rule] = &rules.unwrap()[..] else {
            panic!("{event}");
        };
        assert_eq!(rule["Name"], "prefix");
        rule["Value"].as_str().unwrap().to_owned()
    });
    let prefixes: BTreeSet<String> = prefixes.collect();
    let folder = |name: &String| {
        let event = event(name);
        let (folder, _) = encoded_key(&event).split_once('/').unwrap();
        format!("{folder}/")
    };
    assert_eq!(names.iter().map(folder).collect::<BTreeSet<_>>(), prefixes);
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
#[test]
fn the_payloads_of_s3_are_as_s3_writes_them() {
    for (name, content, _) in DROPPED {
        let size = file(content).len();
        assert_eq!(object(&event(name))["size"], size, "{name}");
    }
    for name in names(&["s3_"]) {
        let event = event(&name);
        // The harness encodes keys as S3 does.
        let encoded = s3_event(&key(&event), 0, "", "");
        assert_eq!(encoded_key(&encoded), encoded_key(&event), "{name}");
        let sequencer = object(&event)["sequencer"].as_str().unwrap();
        assert!(HEXLOWER.decode(sequencer.to_lowercase().as_bytes()).is_ok());
    }
}

#[test]
fn the_bucket_of_the_payloads_is_the_one_that_sam_local_sets_for_imports() {
    let settings: Value = serde_json::from_str(&text("env.json")).unwrap();
    let bucket = &settings["ImportFunction"]["BUCKET_NAME"];
    // The stack's own one is watched: its files are gone before anyone else sees them.
    assert_ne!(bucket, &settings["Parameters"]["BUCKET_NAME"]);
    for name in names(&["s3_"]) {
        let event = event(&name);
        assert_eq!(
            &event["Records"][0]["s3"]["bucket"]["name"], bucket,
            "{name}"
        );
    }
}
