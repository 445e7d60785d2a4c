//! Erasures that are cut off, that race imports, and that a backup undoes.

use std::sync::Arc;

use clientele::{
    erasure::{Proof, apply_fences, prove},
    identity::OrganizationId,
    store::layout::Item,
};
use futures::future::join;
use http::Method;
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};

use crate::{
    erasure::{ids, uids},
    network::{Fate, Network},
    snapshot::Snapshot,
    stack::{Stack, customers},
};

/// Undisturbed, as organization 2.
const CLEAN: u64 = 2;
/// Customers: of three meters, of one, and one who is unknown.
const DOOMED: [&str; 3] = ["9392", "8574", "nobody"];

/// Meters of theirs in a group, and they in another.
const FILES: [(&str, &str); 2] = [
    (
        "meters/village.7/m.csv",
        "customer_external_id,manufacturer,serial_number,device_external_id\n\
         9392,HOP,A,1\n9392,HOP,B,2\n1,HOP,C,3\n9392,HOP,D,4\n8574,HOP,E,5\n",
    ),
    (
        "customers/tenants/c.csv",
        "external_id,name\n9392,Ann\n8574,Ben\n1,Eve\n",
    ),
];

async fn populate(stack: &Stack, organization: u64) {
    let id = OrganizationId::new(organization).unwrap();
    stack.registry.store.ensure_organization(id).await.unwrap();
    for (key, content) in FILES {
        let key = format!("inbox/{organization}/generic/{key}");
        let event = stack.put(&key, content).await;
        stack.invoke(&event, &key).await.unwrap();
    }
}

/// Erases until it succeeds. Returns how often it did not.
async fn erase_until_done(stack: &Stack, network: &Network, organization: u64) -> usize {
    let registry = Arc::new(stack.through(network));
    let token = stack.token(organization);
    let body = json!({"customer_group_id": "tenants", "customer_ids": DOOMED});
    for failures in 0..20 {
        let route = (Method::DELETE, "/v1/customer");
        let status = tokio::select! {
            (status, _) = stack.ask_api(&registry, route, &token, &body) => status,
            () = network.until_killed() => 500,
        };
        if status == 200 {
            return failures;
        }
    }
    panic!("20 requests were not enough");
}

async fn disturb_every_call(fate: Fate) {
    let stack = Stack::start().await;
    populate(&stack, CLEAN).await;
    let undisturbed = Network::new(|_| Fate::Answered);
    assert_eq!(erase_until_done(&stack, &undisturbed, CLEAN).await, 0);
    let mut sites = Vec::new();
    // The counters of the meters' group are 256 calls of one kind: some of them do.
    let calls = undisturbed.calls().len();
    assert!(calls > 256);
    for number in (1..20).chain(calls - 20..=calls) {
        let organization = CLEAN + number as u64;
        populate(&stack, organization).await;
        let network = Network::new(move |call| match call.number == number {
            true => fate,
            false => Fate::Answered,
        });
        erase_until_done(&stack, &network, organization).await;
        assert_eq!(network.disturbed(), 1);
        sites.push((organization, network.calls()[number - 1].clone()));
    }
    let kinds = ["record", "member", "count", "fence"];
    let mut all = Snapshot::of_all(&stack.registry, &stack.local.clients).await;
    let expected = all.remove(&CLEAN).unwrap().only(&kinds);
    assert_eq!(expected.0["fence"], json!(2));
    for (organization, operation) in &sites {
        let found = all.remove(organization).unwrap().only(&kinds);
        let what = format!("{fate:?} at call {}, {operation}", organization - CLEAN);
        found.assert_equals(&expected, &what);
    }
    println!("{fate:?} at {} calls, 0 differences", sites.len());
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_whose_reply_is_lost_at_any_call_ends_as_if_it_had_not_been() {
    disturb_every_call(Fate::ReplyLost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_killed_after_any_call_ends_as_if_it_had_not_been() {
    disturb_every_call(Fate::CallerKilled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_races_erasures_brings_nobody_back() {
    const ROWS: usize = 2_000;
    let stack = Stack::start().await;
    stack
        .import("customers", customers(0..ROWS / 2, "+2567"))
        .await;
    // Half of them change, half are new: those who are erased before they come are unknown.
    let changed = stack
        .put(
            "inbox/1/generic/customers/c.csv",
            customers(0..ROWS, "+2568"),
        )
        .await;
    let erasures = async {
        let mut receipts = Vec::new();
        for from in (0..ROWS).step_by(100) {
            let named: Vec<String> = ids(from..from + 100).into_iter().step_by(3).collect();
            receipts.push(stack.erase("customers.generic", &named).await);
        }
        receipts
    };
    let (imported, receipts) = join(stack.invoke(&changed, "racing"), erasures).await;
    imported.unwrap();
    let c = stack.latest_job().await.counts;
    assert_eq!(c.rows_read, ROWS as u64);
    let outcomes = c.created + c.updated + c.unchanged + c.rejected;
    assert_eq!(outcomes, ROWS as u64, "{c:?}");
    let erased: u64 = receipts
        .iter()
        .map(|r| r["deleted"].as_u64().unwrap())
        .sum();
    println!("{erased} erased while {c:?}");
    assert!(erased >= 300);
    assert_eq!(
        stack.members("customers.generic").await,
        ROWS as u64 - erased
    );
    assert_nothing_left(&stack, &receipts).await;
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_meters_that_races_erasures_leaves_none_of_their_meters() {
    const ROWS: usize = 600;
    let stack = Stack::start().await;
    let meters = |rows: std::ops::Range<usize>, plan: &str| {
        let header =
            "customer_external_id,manufacturer,serial_number,device_external_id,payment_plan";
        let row = |n: usize| format!("c{},HOP,S{n},{n},{plan}", n % 100);
        let rows: Vec<String> = rows.map(row).collect();
        format!("{header}\n{}\n", rows.join("\n"))
    };
    stack.import("meters", meters(0..ROWS / 2, "a")).await;
    let event = stack
        .put("inbox/1/generic/meters/m.csv", meters(0..ROWS, "b"))
        .await;
    let erasures = async {
        let mut receipts = Vec::new();
        for from in (0..100).step_by(10) {
            let named = ids(from..from + 5);
            receipts.push(stack.erase("customers.generic", &named).await);
        }
        receipts
    };
    let (imported, receipts) = join(stack.invoke(&event, "racing"), erasures).await;
    imported.unwrap();
    let c = stack.latest_job().await.counts;
    let outcomes = c.created + c.updated + c.unchanged + c.rejected;
    assert_eq!(outcomes, ROWS as u64, "{c:?}");
    let erased: u64 = receipts
        .iter()
        .map(|r| r["deleted"].as_u64().unwrap())
        .sum();
    assert_eq!(erased, 50);
    println!("{erased} erased while {c:?}");
    assert_eq!(stack.members("customers.generic").await, 50);
    assert_eq!(stack.members("meters.generic").await, 300);
    assert_nothing_left(&stack, &receipts).await;
    stack.assert_verified().await;
    stack.stop().await;
}

async fn assert_nothing_left(stack: &Stack, replies: &[Value]) {
    for reply in replies.iter().filter(|reply| !reply["receipt"].is_null()) {
        let proof = Proof::parse(reply.to_string().as_bytes()).unwrap();
        let proven = prove(&stack.registry, &proof).await.unwrap();
        assert!(proven.is_clean(), "{proven}");
        assert_eq!(proven.fences, proven.customers);
    }
}

/// Makes the table what it was.
async fn restore(stack: &Stack, backup: &[Item]) {
    let (client, table) = (&stack.local.clients.dynamodb, &stack.registry.config.table);
    for item in stack.items().await {
        let delete = client.delete_item().table_name(table);
        let (pk, sk) = (item["pk"].clone(), item["sk"].clone());
        delete.key("pk", pk).key("sk", sk).send().await.unwrap();
    }
    for item in backup {
        let put = client.put_item().table_name(table);
        put.set_item(Some(item.clone())).send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_table_is_cleaned_by_the_journal_in_the_bucket() {
    let stack = Stack::start().await;
    populate(&stack, 1).await;
    let import = async |name: &str, rows| {
        let key = format!("inbox/1/generic/customers/{name}.csv");
        stack.import_key(&key, customers(rows, "+2567")).await
    };
    import("before", 0..10).await;
    let backup = stack.items().await;
    // After the backup one more comes and goes, and another is released again.
    import("after", 10..12).await;
    let doomed = DOOMED.map(str::to_owned);
    let first = stack.erase("tenants", &doomed).await;
    let second = stack.erase("customers.generic", &ids(4..12)).await;
    assert_eq!(
        (&first["deleted"], &second["deleted"]),
        (&json!(2), &json!(8))
    );
    assert_eq!(stack.release(&uids(4..5)).await["released"], 1);
    let expected = Snapshot::of_first(&stack.registry, &stack.local.clients).await;

    restore(&stack, &backup).await;
    let proof = Proof::parse(first.to_string().as_bytes()).unwrap();
    let proven = prove(&stack.registry, &proof).await.unwrap();
    assert!(!proven.is_clean(), "the backup has them: {proven}");

    let applied = apply_fences(&stack.registry).await.unwrap();
    // Seven of the ten fences are of customers whom the backup had; one was released.
    assert_eq!(
        (applied.entries, applied.fences_set_up),
        (3, 9),
        "{applied}"
    );
    assert_eq!(
        (applied.customers_erased, applied.meters_removed),
        (7, 4),
        "{applied}"
    );
    assert_nothing_left(&stack, std::slice::from_ref(&first)).await;
    stack.assert_verified().await;
    let kinds = ["record", "member", "count", "fence"];
    let found = Snapshot::of_first(&stack.registry, &stack.local.clients).await;
    // The one who was released stays, as the backup had them.
    let mut found = found.only(&kinds);
    assert!(
        found.0.remove("record generic-c4 ").is_some(),
        "{:?}",
        found.0.keys()
    );
    assert!(
        found
            .0
            .remove("member customers.generic generic-c4 ")
            .is_some()
    );
    found.0.insert(
        "count customers.generic".to_owned(),
        expected.0["count customers.generic"].clone(),
    );
    found.assert_equals(&expected.only(&kinds), "after the restore");

    // Twice is once, this time by the function.
    let request = json!({"apply_fences": true, "receipt": first["receipt"]});
    let request = serde_json::from_value(request).unwrap();
    let event = LambdaEvent::new(request, Context::default());
    let reply = clientele_verify::handle(&stack.registry, event).await;
    let reply = serde_json::to_value(reply.unwrap()).unwrap();
    assert_eq!(reply["clean"], true, "{reply}");
    assert_eq!(
        (
            &reply["applied"]["entries"],
            &reply["applied"]["fences_set_up"]
        ),
        (&json!(3), &json!(0))
    );
    assert_eq!(
        (
            &reply["applied"]["customers_erased"],
            &reply["proven"]["customers"]
        ),
        (&json!(0), &json!(2))
    );
    // And nobody comes back, not even who was not in the backup.
    let job = import("again", 0..12).await;
    assert_eq!(job.counts.rejected, 7, "{:?}", job.counts);
    let job = stack.import("meters", FILES[0].1).await;
    assert_eq!(job.counts.rejected, 4, "{:?}", job.counts);
    stack.assert_verified().await;
    stack.stop().await;
}
