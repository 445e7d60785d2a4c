//! Write units are money: what DynamoDB says each kind of row consumes.

use serde_json::json;

use crate::stack::{Stack, customers};

const ROWS: usize = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn rows_cost_no_more_than_promised() {
    let stack = Stack::start().await;
    let store = &stack.registry.store;
    let mut before = store.consumed();
    let mut spent = || {
        let now = store.consumed();
        let spent = now - before;
        before = now;
        spent
    };
    let per_row = |units: f64| units / ROWS as f64;

    let job = stack.import("customers", customers(0..ROWS, "+2567")).await;
    assert_eq!(job.counts.created, ROWS as u64);
    let new = per_row(spent().write);
    assert!(new <= 5.0, "a new row costs {new} write units");
    // A record and a membership, each written in a transaction, cannot cost less.
    assert!(
        new >= 4.0,
        "{new} write units a new row: the meter misses some"
    );

    let job = stack.import("customers", customers(0..ROWS, "+2567")).await;
    assert_eq!(job.counts.unchanged, ROWS as u64);
    let unchanged = spent();
    // The job itself is written a few times.
    assert!(
        unchanged.write < 100.0,
        "unchanged rows cost {} write units",
        unchanged.write
    );
    let read = per_row(unchanged.read);
    assert!(read <= 0.6, "an unchanged row costs {read} read units");

    let job = stack.import("customers", customers(0..ROWS, "+2568")).await;
    assert_eq!(job.counts.updated, ROWS as u64);
    let changed = per_row(spent().write);
    assert!(changed <= 1.01, "a changed row costs {changed} write units");

    let event = stack
        .put(
            "inbox/1/other/customers/g/a.csv",
            customers(0..ROWS, "+2567"),
        )
        .await;
    stack.invoke(&event, "test").await.unwrap();
    let two_groups = per_row(spent().write);
    assert!(
        two_groups <= 8.0,
        "a new row in two groups costs {two_groups} write units"
    );

    let group = "customers.generic".parse().unwrap();
    let members = store
        .member_count(Stack::organization(), &group)
        .await
        .unwrap();
    assert_eq!(members, ROWS as u64);
    let count = spent().read;
    assert!(count <= 5.0, "a page count costs {count} read units");

    let mut pages = Vec::new();
    for page in [0, 4, 9] {
        let reading = &stack.local.registry.store;
        let before = reading.consumed();
        let body = json!({"customer_group_id": "customers.generic", "page": page});
        let answer = stack.post("/v1/customer", &body).await;
        assert_eq!(answer.body["customers"].as_array().unwrap().len(), 1000);
        pages.push((reading.consumed() - before).read);
    }
    // Half a unit a record, and a few for the counters and memberships.
    assert!(
        pages.iter().all(|units| (500.0..600.0).contains(units)),
        "{pages:?}"
    );

    println!(
        "write units: new {new:.3}, changed {changed:.3}, unchanged {:.4}, new in two groups {two_groups:.3}; read units of a page count at {ROWS} members: {count}, of pages {pages:?}",
        per_row(unchanged.write)
    );
    stack.stop().await;
}

/// One row of a file of meters tells of two records.
#[tokio::test(flavor = "multi_thread")]
async fn a_meter_costs_its_record_and_its_customers() {
    const METERS: usize = 2_000;
    let stack = Stack::start().await;
    let store = &stack.registry.store;
    let row = |n| format!("c{n},Calin,{n:08},d{n},Person {n},+2567{n:07},UG");
    let rows: Vec<_> = (0..METERS).map(row).collect();
    let header = "customer_external_id,manufacturer,serial_number,device_external_id,customer_name,customer_phone,customer_country";
    let meters = format!("{header}\n{}\n", rows.join("\n"));

    let before = store.consumed();
    let job = stack.import("meters", meters.clone()).await;
    assert_eq!(job.counts.created, METERS as u64);
    let spent = store.consumed() - before;
    let (new, read) = (spent.write / METERS as f64, spent.read / METERS as f64);
    assert!(
        (8.0..=10.0).contains(&new),
        "a new meter of a new customer costs {new} write units"
    );

    let before = store.consumed();
    let job = stack.import("meters", meters).await;
    assert_eq!(job.counts.unchanged, METERS as u64);
    let unchanged = (store.consumed() - before).write;
    assert!(
        unchanged < 50.0,
        "unchanged meters cost {unchanged} write units"
    );
    println!("new meter of a new customer: write units {new:.3}, read units {read:.3}");
    stack.stop().await;
}
