//! Events that come several times, in any order, several at once.

use futures::future::join_all;
use serde_json::Value;

use crate::{
    chance::Chance,
    snapshot::Snapshot,
    stack::{Stack, customers},
};

/// What [`Stack::register`]'s invocation calls itself, so that its retries may go on.
const FIRST_DELIVERY: &str = "a";
/// Every row has all columns, so that whatever lands last replaces the record's whole profile.
const FILES: [(&str, std::ops::Range<usize>, &str); 4] = [
    ("first.csv", 0..300, "+2567"),
    ("second.csv", 100..400, "+2568"),
    ("third.csv", 200..350, "+2569"),
    ("again.csv", 200..350, "+2569"),
];

async fn put_and_register(stack: &Stack) -> Vec<Value> {
    let mut events = Vec::new();
    for (name, rows, prefix) in FILES {
        let key = format!("inbox/1/generic/customers/{name}");
        let event = stack.put(&key, customers(rows, prefix)).await;
        stack.register(&event).await;
        events.push(event);
    }
    events
}

/// What a stack holds once the files' events were worked in the order in which they registered.
async fn in_order() -> Snapshot {
    let stack = Stack::start().await;
    for event in put_and_register(&stack).await {
        stack.invoke(&event, FIRST_DELIVERY).await.unwrap();
    }
    let snapshot = Snapshot::of_first(&stack.registry, &stack.local.clients).await;
    stack.stop().await;
    snapshot
}

/// What does not depend on which import came first to a record.
fn end_state(snapshot: Snapshot) -> Snapshot {
    let mut snapshot = snapshot.only(&["record", "member", "count"]);
    for record in snapshot.0.values_mut() {
        if let Some(record) = record.as_object_mut() {
            record.remove("import_id");
            // Two files that say the same: either may be the one that said it first.
            let last = record.get_mut("last_import_id").unwrap();
            if last == "inbox/generic/customers/again.csv" {
                *last = "inbox/generic/customers/third.csv".into();
            }
        }
    }
    snapshot
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_order_of_events_the_later_file_wins_and_every_row_counts_once() {
    let expected = end_state(in_order().await);
    let chance = Chance::from_env("EVENTS_SEED");
    for round in 0..3 {
        let mut chance = chance.branch(round);
        let stack = Stack::start().await;
        let events = put_and_register(&stack).await;
        // Each one to five times; the first delivery of each is the one that was cut off.
        let mut deliveries = Vec::new();
        for (number, event) in events.iter().enumerate() {
            deliveries.push((event, FIRST_DELIVERY.to_owned()));
            for repetition in 0..chance.below(5) {
                deliveries.push((event, format!("{number} {repetition}")));
            }
        }
        chance.shuffle(&mut deliveries);
        while !deliveries.is_empty() {
            let at_once = usize::try_from(1 + chance.below(4)).unwrap();
            let rest = deliveries.split_off(at_once.min(deliveries.len()));
            let work = deliveries.iter().map(|(event, id)| stack.invoke(event, id));
            for result in join_all(work).await {
                result.unwrap();
            }
            deliveries = rest;
        }
        let what = format!("{chance}, round {round}");
        let found = Snapshot::of_first(&stack.registry, &stack.local.clients).await;
        for job in found.clone().only(&["job"]).0.values() {
            let count = |name: &str| -> u64 { job[name].as_str().unwrap().parse().unwrap() };
            let parts = ["created", "updated", "unchanged", "superseded"].map(count);
            assert_eq!(parts.iter().sum::<u64>(), count("rows_total"), "{what}");
            assert_eq!(job["state"], "completed", "{what}");
        }
        assert!(found.clone().only(&["object"]).0.is_empty(), "{what}");
        end_state(found).assert_equals(&expected, &what);
        stack.assert_verified().await;
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_with_different_columns_add_up_whatever_the_order_of_events() {
    let stack = Stack::start().await;
    let put = async |name: &str, content: &str| {
        let key = format!("inbox/1/generic/{name}");
        let event = stack.put(&key, content).await;
        stack.register(&event).await;
        event
    };
    let customers = put("customers/c.csv", "external_id,profession\n1,farmer\n").await;
    let meters = "customer_external_id,manufacturer,serial_number,device_external_id\n1,HOP,A1,9\n";
    let meters = put("meters/m.csv", meters).await;
    for event in [&meters, &customers] {
        stack.invoke(event, FIRST_DELIVERY).await.unwrap();
    }
    assert_eq!(stack.record("customers", "1").await["profession"], "farmer");
    stack.stop().await;
}

/// Takes a record away as a whole: with its membership and its place in the count.
async fn delete(stack: &Stack, membership: &clientele::store::layout::Item) {
    use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem, Update};
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let table = &stack.registry.config.table;
    let sk = membership["sk"].as_s().unwrap();
    let (hash, uid) = sk.split_once('#').unwrap();
    let gone = |pk: AttributeValue, sk: AttributeValue| {
        let delete = Delete::builder()
            .table_name(table)
            .key("pk", pk)
            .key("sk", sk);
        let delete = delete.condition_expression("attribute_exists(pk)").build();
        TransactWriteItem::builder().delete(delete.unwrap()).build()
    };
    let counted = Update::builder()
        .table_name(table)
        .key("pk", text("COUNT#1#customers.generic"))
        .key("sk", text(&hash[..2]))
        .update_expression("ADD members :less")
        .expression_attribute_values(":less", AttributeValue::N("-1".to_owned()));
    let actions = [
        gone(text(uid), text("RECORD")),
        gone(membership["pk"].clone(), membership["sk"].clone()),
        TransactWriteItem::builder()
            .update(counted.build().unwrap())
            .build(),
    ];
    loop {
        let call = stack.local.clients.dynamodb.transact_write_items();
        match call.set_transact_items(Some(actions.to_vec())).send().await {
            Ok(_) => return,
            // Two writers of one item: the engine lets one of them wait.
            Err(error) => assert!(
                error
                    .as_service_error()
                    .unwrap()
                    .is_transaction_canceled_exception(),
                "{error:?}"
            ),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_races_deletes_leaves_every_record_whole_or_gone() {
    const ROWS: usize = 2_000;
    let stack = Stack::start().await;
    stack.import("customers", customers(0..ROWS, "+2567")).await;
    let is_member = |item: &clientele::store::layout::Item| {
        item["pk"]
            .as_s()
            .unwrap()
            .starts_with("GROUP#1#customers.generic#")
    };
    let members: Vec<_> = stack.items().await.into_iter().filter(is_member).collect();
    assert_eq!(members.len(), ROWS);
    let changed = stack
        .put(
            "inbox/1/generic/customers/changed.csv",
            customers(0..ROWS, "+2568"),
        )
        .await;
    let deletes = async {
        for membership in members.iter().step_by(3) {
            delete(&stack, membership).await;
        }
    };
    let (imported, ()) = futures::future::join(stack.invoke(&changed, "racing"), deletes).await;
    imported.unwrap();
    let job = stack.latest_job().await;
    let c = job.counts;
    assert_eq!(c.rows_read, ROWS as u64);
    assert_eq!(c.created + c.updated + c.unchanged, ROWS as u64, "{c:?}");
    stack.assert_verified().await;
    stack.stop().await;
}
