//! The files of examples that the documentation offers: each is imported as it is.

use std::sync::Arc;

use clientele::{
    dataset::{Dataset, workspace::Definition},
    store::jobs::{Job, JobState},
};
use clientele_docs::datasets::{ExampleFormat, example_file};
use http::Method;
use serde_json::{Value, json};

use crate::stack::Stack;

fn datasets() -> Vec<Arc<Dataset>> {
    let workspace = Definition::example().unwrap().to_dataset().unwrap();
    let mut datasets = Dataset::all_builtin().to_vec();
    datasets.push(Arc::new(workspace));
    datasets
}

async fn define_workspace(stack: &Stack) {
    let body = json!({"fields": Definition::example().unwrap()});
    let token = stack.token(1);
    let body = Some(body.to_string());
    let answer = stack
        .send(Method::PUT, "/v1/workspace/fields", Some(&token), body, &[])
        .await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

fn assert_all_right(job: &Job, rows: u64, what: &str) {
    assert_eq!(job.state, JobState::Completed, "{what}: {:?}", job.error);
    let counts = &job.counts;
    assert_eq!(counts.rows_read, rows, "{what}");
    assert_eq!((counts.rejected, counts.duplicates), (0, 0), "{what}");
    for column in &job.columns {
        assert_eq!(column.ignored, None, "{what}: {}", column.header);
        assert_ne!(column.field.as_deref(), Some("custom"), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_file_imports_without_errors_or_warnings() {
    let stack = Stack::start().await;
    define_workspace(&stack).await;
    for dataset in datasets() {
        let source = dataset.source().map_or("generic", |source| source.as_str());
        for (n, format) in ExampleFormat::ALL.into_iter().enumerate() {
            let (name, extension) = (dataset.name(), format.extension());
            let what = format!("{name}.{extension}");
            let key = format!("inbox/1/{source}/{name}/example.{extension}");
            let content = example_file(&dataset, format).unwrap();
            let job = stack.import_key(&key, content).await;
            assert_all_right(&job, 3, &what);
            // The three files say the same. Contacts have no identifier, so that each is a new one.
            let created = if n == 0 || name == "contacts" { 3 } else { 0 };
            assert_eq!(job.counts.created, created, "{what}");
            assert_eq!(job.counts.unchanged, 3 - created, "{what}");
        }
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_json_is_a_body_of_its_interface() {
    let stack = Stack::start().await;
    for (dataset, path) in [
        ("customers", "/api/v1/in/customers/check"),
        ("meters", "/api/v1/in/meters/check"),
        ("profiles", "/v1/events"),
    ] {
        let dataset = Dataset::builtin(dataset).unwrap();
        let body = example_file(&dataset, ExampleFormat::Json).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let answer = stack.post(path, &body).await;
        assert!(answer.status.is_success(), "{path}: {:?}", answer.body);
        let told = &answer.body;
        let rejected = [json!(0), json!([])].contains(&told["rejected"]);
        assert!(rejected, "{path}: {told}");
    }
    stack.stop().await;
}

#[test]
fn a_file_of_examples_is_the_same_each_time() {
    for dataset in datasets() {
        for format in ExampleFormat::ALL {
            let write = || example_file(&dataset, format).unwrap();
            assert!(write() == write(), "{} {format:?}", dataset.name());
        }
    }
}
