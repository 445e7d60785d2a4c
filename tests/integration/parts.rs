//! Large files: split into parts that many invocations import, in whatever order and how often.

use std::time::Duration;

use clientele::store::jobs::{Job, JobState};
use futures::future::join_all;
use serde_json::Value;

use crate::stack::{Stack, customers, file};

const HOUR: Duration = Duration::from_secs(3600);
/// So little that an invocation stops after its first batch or part.
const NO_TIME: Duration = Duration::ZERO;

/// More than two parts' rows; the first is repeated in the third, and one is refused.
fn large_file() -> String {
    let mut content = customers(0..22_000, "+2567");
    content.push_str("c0,Somebody Else,,,,,,\n");
    content.push_str("c-bad,Nobody,,,1850,,,\n");
    content
}

async fn assert_counts(stack: &Stack, job: &Job) {
    assert_eq!(job.state, JobState::CompletedWithRejections);
    let c = job.counts;
    assert_eq!(
        [c.rows_read, c.created, c.duplicates, c.rejected],
        [22_002, 22_000, 1, 1]
    );
    let record = stack.record("customers", "c0").await;
    assert_eq!(record["name"], crate::stack::sha256("Somebody Else"));
    stack.assert_verified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_imported_once_in_any_order_however_often_they_are_delivered() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/large.csv";
    let event = stack.put(key, large_file()).await;
    stack.invoke_for(&event, "splitting", HOUR).await.unwrap();
    let job = stack.latest_job().await;
    assert_eq!(job.state, JobState::Running);
    assert_eq!((job.split.parts_put, job.split.rows_split), (3, 22_002));
    assert_eq!(job.counts.rows_read, 0);
    assert!(stack.has_object(key).await);

    let mut parts = stack.events_of_parts().await;
    parts.reverse();
    let twice: Vec<Value> = parts.iter().chain(&parts).cloned().collect();
    let delivered = twice
        .iter()
        .map(|event| stack.invoke_for(event, "a part", HOUR));
    for result in join_all(delivered).await {
        result.unwrap();
    }
    // The file's own event as well, and once more every part's.
    stack.invoke_for(&event, "again", HOUR).await.unwrap();
    for event in &parts {
        stack.invoke_for(event, "late", HOUR).await.unwrap();
    }
    assert_counts(&stack, &stack.latest_job().await).await;
    assert!(stack.events_of_parts().await.is_empty());
    assert!(!stack.has_object(key).await);
    let errors = stack.get("/v1/jobs?limit=1").await.body["jobs"][0]["id"].clone();
    let path = format!("/v1/jobs/{}", errors.as_str().unwrap());
    let rows: Vec<_> = stack.get(&path).await.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["row"].as_u64().unwrap(), error["code"].clone()))
        .collect();
    assert_eq!(
        rows,
        [(1, "duplicate_in_file".into()), (22_002, "range".into())]
    );
    stack.stop().await;
}

/// Delivers an event and all that comes of it to invocations that have no time.
async fn import_without_time(stack: &Stack, event: &Value) -> usize {
    stack.invoke_for(event, "0", NO_TIME).await.unwrap();
    for hop in 1.. {
        let events = stack.events_of_parts().await;
        let Some(event) = events.last() else {
            return hop;
        };
        assert!(hop < 50, "no end in sight");
        let id = hop.to_string();
        stack.invoke_for(event, &id, NO_TIME).await.unwrap();
    }
    unreachable!("the hops end")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_without_time_leaves_the_rest_to_a_fresh_one() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/large.csv";
    let event = stack.put(key, large_file()).await;
    let hops = import_without_time(&stack, &event).await;
    assert!(hops > 4, "{hops}");
    assert_counts(&stack, &stack.latest_job().await).await;

    // A file of meters is one sequence of batches.
    let meters = String::from_utf8(file("meters.csv")).unwrap();
    let (header, rows) = meters.split_once('\n').unwrap();
    let first = rows.lines().next().unwrap();
    let serial = 1 + header
        .split(',')
        .position(|name| name == "serial_number")
        .unwrap();
    let row = |n: usize| {
        let cells = first.split(',').enumerate();
        let cells = cells.map(|(at, cell)| match at + 1 == serial {
            true => format!("S{n}"),
            false => cell.to_owned(),
        });
        cells.collect::<Vec<_>>().join(",")
    };
    let rows: Vec<_> = (0..20_500).map(row).collect();
    let content = format!("{header}\n{}\n", rows.join("\n"));
    let event = stack.put("inbox/1/generic/meters/large.csv", content).await;
    assert_eq!(import_without_time(&stack, &event).await, 3);
    let job = stack.latest_job().await;
    assert_eq!(job.state, JobState::Completed);
    assert_eq!((job.counts.rows_read, job.counts.created), (20_500, 20_500));
    assert!(!job.split.is_split);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_stores_no_further_part_and_keeps_its_file() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/large.csv";
    let event = stack.put(key, large_file()).await;
    stack.invoke_for(&event, "splitting", HOUR).await.unwrap();
    let parts = stack.events_of_parts().await;
    stack.invoke_for(&parts[0], "a part", HOUR).await.unwrap();
    let path = format!("/v1/jobs/{}/cancel", stack.latest_job().await.id);
    let asked = stack.post(&path, &Value::Null).await;
    assert_eq!(
        (asked.status.as_u16(), &asked.body["state"]),
        (202, &"running".into())
    );
    for part in &parts[1..] {
        stack.invoke_for(part, "a part", HOUR).await.unwrap();
    }
    let job = stack.latest_job().await;
    assert_eq!(job.state, JobState::Cancelled);
    assert_eq!((job.counts.rows_read, job.counts.created), (10_000, 9_999));
    assert!(stack.has_failed(key).await && !stack.has_object(key).await);
    assert_eq!(stack.post(&path, &Value::Null).await.status, 409);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_nobody_works_on_is_cancelled_at_once() {
    let stack = Stack::start().await;
    let event = stack
        .put("inbox/1/generic/customers/a.csv", customers(0..3, "+2567"))
        .await;
    let id = stack.register(&event).await;
    // The import that failed has given it back.
    let path = format!("/v1/jobs/{id}/cancel");
    let asked = stack.post(&path, &Value::Null).await;
    assert_eq!(
        (asked.status.as_u16(), &asked.body["state"]),
        (200, &"cancelled".into())
    );
    // Its event comes again nevertheless.
    stack.invoke_for(&event, "a", HOUR).await.unwrap();
    let job = stack.latest_job().await;
    assert_eq!((job.state, job.counts.rows_read), (JobState::Cancelled, 0));
    assert!(
        stack
            .items()
            .await
            .iter()
            .all(|item| item["sk"].as_s().unwrap() != "RECORD")
    );

    let foreign = stack.token(2);
    let path = format!("/v1/jobs/{id}/cancel");
    let answer = stack
        .send(http::Method::POST, &path, Some(&foreign), None, &[])
        .await;
    assert_eq!(answer.status, 404);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_nothing_stores_nothing_of_a_file_with_a_bad_row() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/whole.csv";
    let mode = [("mode", "all_or_nothing")];
    for (content, state, read) in [
        (large_file(), JobState::Failed, 1),
        (customers(0..10_001, "+2567"), JobState::Completed, 10_001),
    ] {
        let event = stack.put_with(key, content, &mode).await;
        stack.invoke(&event, "test").await.unwrap();
        let job = stack.latest_job().await;
        assert_eq!((job.state, job.counts.rows_read), (state, read));
        if state == JobState::Failed {
            assert_eq!(job.error.unwrap().code, "rows_refused");
            let errors = stack.get(&format!("/v1/jobs/{}", job.id)).await.body["errors"].clone();
            assert_eq!(errors.as_array().unwrap().last().unwrap()["code"], "range");
            assert!(stack.has_failed(key).await);
            let records = stack.items().await;
            assert!(
                records
                    .iter()
                    .all(|item| item["sk"].as_s().unwrap() != "RECORD")
            );
        }
    }
    let event = stack
        .put_with(key, "external_id\n1\n", &[("mode", "whole")])
        .await;
    stack.invoke(&event, "test").await.unwrap();
    assert_eq!(stack.latest_job().await.error.unwrap().code, "unknown_mode");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_that_is_cancelled_while_it_is_read_through_ends() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/large.csv";
    let event = stack.put(key, customers(0..60_000, "+2567")).await;
    let cancel = async {
        let running = || async {
            let jobs = stack.registry.store.jobs(Stack::organization(), 1, None);
            let job = jobs.await.unwrap().pop()?;
            (job.state == JobState::Running).then_some(job.id)
        };
        let id = stack.until(running).await;
        let path = format!("/v1/jobs/{id}/cancel");
        stack.post(&path, &Value::Null).await.status
    };
    let (invoked, status) =
        futures::future::join(stack.invoke_for(&event, "surveying", HOUR), cancel).await;
    invoked.unwrap();
    assert_eq!(status, 202);
    for part in stack.events_of_parts().await {
        stack.invoke_for(&part, "a part", HOUR).await.unwrap();
    }
    let job = stack.latest_job().await;
    assert_eq!(job.state, JobState::Cancelled);
    assert!(stack.has_failed(key).await && !stack.has_object(key).await);
    stack.stop().await;
}
