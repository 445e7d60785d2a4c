//! `verify` finds and mends what an import never leaves behind.

use aws_sdk_dynamodb::types::AttributeValue;
use clientele::{
    Registry,
    store::verify::{Difference, verify},
};
use lambda_http::lambda_runtime::{Context, LambdaEvent};

use crate::{
    network::{Fate, Network},
    stack::{Stack, customers},
};

#[tokio::test(flavor = "multi_thread")]
async fn differences_are_found_and_mended() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..50, "+2567")).await;
    stack.assert_verified().await;

    let (client, table) = (&stack.local.clients.dynamodb, &stack.registry.config.table);
    let items = stack.items().await;
    let text =
        |item: &clientele::store::layout::Item, name: &str| item[name].as_s().unwrap().clone();
    let keyed = |prefix: &str| {
        let mut found = items
            .iter()
            .filter(|item| text(item, "pk").starts_with(prefix));
        let first = found.next().unwrap();
        let last = found.next_back().unwrap();
        [first, last].map(|item| [text(item, "pk"), text(item, "sk")])
    };
    let key = |[pk, sk]: &[String; 2]| {
        Some(
            [
                ("pk".to_owned(), AttributeValue::S(pk.clone())),
                ("sk".to_owned(), AttributeValue::S(sk.clone())),
            ]
            .into(),
        )
    };
    // A counter that is off, so far that it is below nothing, a membership that is gone, a record that is gone.
    let [counter, _] = keyed("COUNT#");
    client
        .update_item()
        .table_name(table)
        .set_key(key(&counter))
        .update_expression("ADD members :less")
        .expression_attribute_values(":less", AttributeValue::N("-9".to_owned()))
        .send()
        .await
        .unwrap();
    let [membership, _] = keyed("GROUP#");
    client
        .delete_item()
        .table_name(table)
        .set_key(key(&membership))
        .send()
        .await
        .unwrap();
    let [_, record] = keyed("1-generic-");
    client
        .delete_item()
        .table_name(table)
        .set_key(key(&record))
        .send()
        .await
        .unwrap();

    let store = &stack.registry.store;
    let report = verify(store, false).await.unwrap();
    assert!(!report.is_clean());
    let has = |wanted: fn(&Difference) -> bool| report.differences.iter().any(wanted);
    assert!(
        has(|d| matches!(d, Difference::MissingMembership { .. })),
        "{report}"
    );
    assert!(
        has(|d| matches!(d, Difference::OrphanMembership { .. })),
        "{report}"
    );
    assert!(has(|d| matches!(d, Difference::Count { .. })), "{report}");

    // Every other transaction finds its counter in another's hands.
    let mut transactions = 0;
    let network = Network::new(move |call| {
        transactions += usize::from(call.operation == "TransactWriteItems");
        match call.operation {
            "TransactWriteItems" if transactions % 2 == 1 => Fate::TooMuch,
            _ => Fate::Answered,
        }
    });
    let clients = network.between(&stack.local.clients);
    let registry = Registry::new(stack.registry.config.clone(), clients).unwrap();
    let request = clientele_verify::Request {
        repair: true,
        ..Default::default()
    };
    let event = LambdaEvent::new(request, Context::default());
    let reply = clientele_verify::handle(&registry, event).await.unwrap();
    assert!(reply.clean, "{:?}", reply.differences);
    assert_eq!(reply.differences.len() as u64, reply.repaired);
    assert!(reply.repaired >= 3 && network.disturbed() >= 3);
    stack.assert_verified().await;
    let group = "customers.generic".parse().unwrap();
    assert_eq!(
        store
            .member_count(Stack::organization(), &group)
            .await
            .unwrap(),
        49
    );
    stack.stop().await;
}
