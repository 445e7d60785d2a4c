//! Events from EventBridge whose invocations are cut off: Lambda delivers them again, and in the
//! end all is as if it had not been.

use std::sync::Arc;

use clientele::Registry;
use clientele_events::EventsError;
use serde_json::{Value, json};

use crate::{
    event_bridge::{about, invoke, sources},
    network::{Fate, Network},
    stack::Stack,
};

/// Undisturbed.
const CLEAN: u64 = 1;
/// An event under faults goes on in so many retries.
const RETRIES: usize = 20;

/// Delivers an event again until it is done. Returns how often it was not.
async fn deliver(registry: &Arc<Registry>, network: &Network, event: &Value) -> usize {
    let (sources, text) = (sources(1..=1_000), event.to_string());
    for failures in 0..RETRIES {
        let done = tokio::select! {
            result = invoke(registry, &sources, &text) => match result {
                Ok(()) => true,
                Err(EventsError::Interrupted(_)) => false,
                Err(error) => panic!("{error}"),
            },
            () = network.until_killed() => false,
        };
        if done {
            return failures;
        }
    }
    panic!("{RETRIES} retries were not enough");
}

/// Somebody new, who changes, and of whom something late is told.
fn story(organization: u64) -> [Value; 3] {
    [
        about(organization, "C-1", 9, |body| body["status"] = json!(null)),
        about(organization, "C-1", 11, |body| {
            body.as_object_mut().unwrap().remove("dependents");
        }),
        about(organization, "C-1", 10, |body| {
            body["dependents"] = json!([]);
        }),
    ]
}

/// Tells the story in organization after organization, with some calls disturbed from the first
/// on, from the second on, until no call is left to disturb. Returns how often the function failed.
async fn disturb_every_call(fate: Fate, calls_at_once: usize) -> usize {
    let stack = Stack::start().await;
    let undisturbed = Network::new(|_| Fate::Answered);
    let registry = Arc::new(stack.through(&undisturbed));
    for event in story(CLEAN) {
        assert_eq!(deliver(&registry, &undisturbed, &event).await, 0);
    }
    let expected = stack.profiles(CLEAN).await;
    let mut failures = 0;
    let mut sites = 0;
    for number in 1.. {
        let organization = CLEAN + number as u64;
        let network = Network::new(move |call| {
            match (number..number + calls_at_once).contains(&call.number) {
                true => fate,
                false => Fate::Answered,
            }
        });
        let registry = Arc::new(stack.through(&network));
        for event in story(organization) {
            failures += deliver(&registry, &network, &event).await;
        }
        if network.disturbed() == 0 {
            break;
        }
        sites += 1;
        let what = format!("{fate:?} at call {number}: {:?}", network.calls());
        assert_eq!(stack.profiles(organization).await, expected, "{what}");
    }
    assert!(sites > 10, "{sites}");
    println!("{fate:?} at each of {sites} calls, {failures} failures, 0 differences");
    stack.assert_verified().await;
    stack.stop().await;
    failures
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_lost_at_any_call_changes_nothing() {
    disturb_every_call(Fate::ReplyLost, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_killed_right_after_any_call_ends_as_if_it_had_not_been() {
    let failures = disturb_every_call(Fate::CallerKilled, 1).await;
    assert!(failures > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_at_any_call_is_an_error_that_a_retry_mends() {
    // More than the SDK's own attempts.
    let failures = disturb_every_call(Fate::Refused, 3).await;
    assert!(failures > 10);
}
