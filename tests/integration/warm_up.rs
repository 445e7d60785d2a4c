//! What a function does before its first event.

use crate::{
    logs,
    network::{ATTEMPTS, Fate, Network},
    stack::Stack,
};

#[tokio::test]
async fn a_start_reads_one_item_that_is_not_there() {
    let stack = Stack::start().await;
    let network = Network::new(|_| Fate::Answered);
    stack.through(&network).store.warm_up().await;
    assert_eq!(network.calls(), ["GetItem"]);
    stack.stop().await;
}

#[tokio::test]
async fn a_start_without_a_network_warns_and_goes_on() {
    let stack = Stack::start().await;
    let network = Network::new(|call| match call.number {
        number if number <= ATTEMPTS as usize => Fate::Refused,
        _ => Fate::Answered,
    });
    let registry = stack.through(&network);
    registry.store.warm_up().await;
    assert_eq!(network.disturbed(), ATTEMPTS as usize);
    let warning = logs::captured();
    let warning = warning
        .lines()
        .find(|line| line.contains("could not be reached at the start"))
        .unwrap();
    assert!(
        warning.contains("WARN") && warning.contains("no connection"),
        "{warning}"
    );
    let found = registry.store.organization(Stack::organization()).await;
    assert!(found.is_ok());
    stack.stop().await;
}
