//! Invocations that die midway: the retry ends where an undisturbed run would.

use std::time::Duration;

use clientele::store::jobs::JobState;

use crate::stack::{Stack, customers};

/// More than one batch.
const ROWS: usize = 12_000;

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_again_and_again_counts_every_row_once() {
    let stack = Stack::start().await;
    stack
        .import("customers", customers(0..4_000, "+2567"))
        .await;
    let mut content = customers(2_000..ROWS, "+2568");
    content.push_str(customers(0..2_000, "+2567").split_once('\n').unwrap().1);
    let event = stack
        .put("inbox/1/generic/customers/killed.csv", content)
        .await;
    let mut deaths = 0;
    // Each life is a quarter longer than the last, so that some die in every stage.
    for life in (0..).map(|n| Duration::from_millis(20).mul_f64(1.25_f64.powi(n))) {
        match tokio::time::timeout(life, stack.invoke(&event, "killed")).await {
            Ok(result) => {
                result.unwrap();
                break;
            }
            Err(_) => deaths += 1,
        }
    }
    assert!(deaths > 3, "the import was too quick to be killed");
    let job = stack.latest_job().await;
    assert_eq!(job.state, JobState::Completed);
    let c = job.counts;
    assert_eq!(
        [c.rows_read, c.created, c.updated, c.unchanged],
        [ROWS as u64, 8_000, 2_000, 2_000]
    );
    stack.assert_verified().await;
    let group = "customers.generic".parse().unwrap();
    let members = stack
        .registry
        .store
        .member_count(Stack::organization(), &group)
        .await
        .unwrap();
    assert_eq!(members, ROWS as u64);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_whose_first_start_was_killed_can_be_served() {
    let folder = tempfile::TempDir::new().unwrap();
    let options = clientele_local::Options::on_free_ports(folder.path());
    let stack = clientele_local::LocalStack::start(options.clone())
        .await
        .unwrap();
    let data = stack.data.clone();
    stack.stop().await;
    assert!(!data.unfinished_database().exists());
    // Half a table, as the engine leaves it when it is killed while it makes one.
    std::fs::write(data.database(), "half a table").unwrap();
    std::fs::write(data.unfinished_database(), "").unwrap();
    let stack = clientele_local::LocalStack::start(options).await.unwrap();
    assert!(!data.unfinished_database().exists());
    stack.stop().await;
}
