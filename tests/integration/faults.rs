//! AWS calls that fail, and calls whose replies are lost: Lambda invokes the function again,
//! and in the end all is as after an undisturbed run.
//!
//! `FAULTS_RUNS=100 cargo test --release --test integration faults:: -- --nocapture` prints the
//! scorecard's lines; `FAULTS_SEED` repeats a run.

use std::{sync::Arc, time::Duration};

use clientele::{Registry, config::Config, identity::OrganizationId, store::jobs::JobState};
use serde_json::Value;

use crate::{
    chance::Chance,
    network::{Fate, Network},
    snapshot::Snapshot,
    stack::{Stack, context, customers, file},
};

/// Undisturbed, as organization 2.
const CLEAN: u64 = 2;
/// An invocation under faults goes on in so many retries.
const RETRIES: usize = 500;

impl Stack {
    /// Another registry over the same data, with a network in between.
    pub(crate) fn through(&self, network: &Network) -> Registry {
        let config = Config {
            ..self.registry.config.clone()
        };
        Registry::new(config, network.between(&self.local.clients)).unwrap()
    }

    /// Delivers an event and those of the parts, again until each has succeeded. Returns how
    /// often an invocation failed or was killed.
    async fn deliver(&self, network: &Network, event: &Value) -> usize {
        let registry = Arc::new(self.through(network));
        let mut events = vec![event.clone()];
        let mut failures = 0;
        while !events.is_empty() {
            for event in &events {
                failures += invoke_until_done(&registry, network, event).await;
            }
            events = self.events_of_parts().await;
        }
        failures
    }
}

pub(crate) async fn invoke_until_done(
    registry: &Arc<Registry>,
    network: &Network,
    event: &Value,
) -> usize {
    let id = event["Records"][0]["s3"]["object"].to_string();
    for failures in 0..RETRIES {
        let event = serde_json::from_value(event.clone()).unwrap();
        let context = context(&id, Duration::from_secs(900));
        let event = lambda_runtime::LambdaEvent::new(event, context);
        let done = tokio::select! {
            result = clientele_import::handle(registry, event) => result.is_ok(),
            () = network.until_killed() => false,
        };
        if done {
            return failures;
        }
    }
    panic!("{RETRIES} retries were not enough");
}

/// An organization's files: meters in a group of their own, of customers new and known, with
/// rows that are refused.
async fn put_meters(stack: &Stack, organization: u64) -> Value {
    let id = OrganizationId::new(organization).unwrap();
    stack.registry.store.ensure_organization(id).await.unwrap();
    let all = String::from_utf8(file("meters.csv")).unwrap();
    let mut lines: Vec<_> = all.lines().take(21).collect();
    lines.extend(["1,,lacks its manufacturer,9", lines[3]]);
    let content = lines.join("\n");
    let key = format!("inbox/{organization}/generic/meters/village.7/m.csv");
    stack.put(&key, content).await
}

/// Runs the same import in organization after organization, with the first call disturbed, the
/// second, the third, until no call is left to disturb.
async fn disturb_every_call(fate: Fate) {
    let stack = Stack::start().await;
    let event = put_meters(&stack, CLEAN).await;
    let undisturbed = Network::new(|_| Fate::Answered);
    assert_eq!(stack.deliver(&undisturbed, &event).await, 0);

    let mut sites = Vec::new();
    for number in 1.. {
        let event = put_meters(&stack, CLEAN + number as u64).await;
        let network = Network::new(move |call| match call.number == number {
            true => fate,
            false => Fate::Answered,
        });
        stack.deliver(&network, &event).await;
        if network.disturbed() == 0 {
            break;
        }
        sites.push(network.calls()[number - 1].clone());
    }
    assert!(sites.len() > 10, "{sites:?}");

    let mut all = Snapshot::of_all(&stack.registry, &stack.local.clients).await;
    let expected = all.remove(&CLEAN).unwrap();
    for (number, operation) in sites.iter().enumerate() {
        let what = format!(
            "{fate:?} at call {} of {}, {operation}",
            number + 1,
            sites.len()
        );
        all[&(CLEAN + 1 + number as u64)].assert_equals(&expected, &what);
    }
    println!("{fate:?} at each of {} calls, 0 differences", sites.len());
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_an_operator_sends_again_is_worked_on_at_once() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/c.csv";
    let event = stack.put(key, customers(0..30, "+2567")).await;
    let network = Network::new(|call| match call.operation {
        "S3 GET" => Fate::Refused,
        _ => Fate::Answered,
    });
    let registry = stack.through(&network);
    for _ in 0..3 {
        let event = serde_json::from_value(event.clone()).unwrap();
        let context = context("lambda's", Duration::from_secs(900));
        let event = lambda_runtime::LambdaEvent::new(event, context);
        assert!(clientele_import::handle(&registry, event).await.is_err());
    }

    stack.invoke(&event, "the operator's").await.unwrap();
    let job = stack.latest_job().await;
    assert_eq!((job.state, job.counts.created), (JobState::Completed, 30));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_lost_at_any_call_changes_nothing() {
    disturb_every_call(Fate::ReplyLost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_killed_right_after_any_call_ends_as_if_it_had_not_been() {
    disturb_every_call(Fate::CallerKilled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_of_all_calls_failing_changes_nothing() {
    let stack = Stack::start().await;
    let chance = Chance::from_env("FAULTS_SEED");
    let mut batches = vec![(CLEAN, Network::new(|_| Fate::Answered))];
    for run in 1..=runs() {
        let mut chance = chance.branch(run);
        let network = Network::new(move |call| match chance.below(100) {
            0..20 => Fate::Refused,
            20..40 if call.writes() => Fate::ReplyLost,
            40..50 => Fate::TooMuch,
            50..51 => Fate::CallerKilled,
            _ => Fate::Answered,
        });
        batches.push((CLEAN + run, network));
    }
    for (organization, network) in &batches {
        let meters = put_meters(&stack, *organization).await;
        let inbox = format!("inbox/{organization}/generic/customers");
        let first = stack
            .put(&format!("{inbox}/a.csv"), customers(0..150, "+2567"))
            .await;
        let second = stack
            .put(&format!("{inbox}/b.csv"), customers(100..250, "+2568"))
            .await;
        let errors = stack
            .put(&format!("{inbox}/c.csv"), file("customers_with_errors.csv"))
            .await;
        let refused = stack
            .put(&format!("{inbox}/d.csv"), file("customers_near_miss.csv"))
            .await;
        for event in [meters, first, second, errors, refused] {
            stack.deliver(network, &event).await;
        }
    }
    let all = Snapshot::of_all(&stack.registry, &stack.local.clients).await;
    let mut calls = 0;
    for (organization, network) in batches.iter().skip(1) {
        assert!(network.disturbed() > 20);
        calls += network.calls().len();
        let what = format!("{chance}, run {}", organization - CLEAN);
        all[organization].assert_equals(&all[&CLEAN], &what);
    }
    stack.assert_verified().await;
    println!("{} runs, {calls} calls, 0 differences", batches.len() - 1);
    stack.stop().await;
}

/// `FAULTS_RUNS`, or a few.
fn runs() -> u64 {
    std::env::var("FAULTS_RUNS").map_or(2, |runs| runs.parse().unwrap())
}
