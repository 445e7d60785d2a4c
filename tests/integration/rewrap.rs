//! Encrypting everything of an organization again: nothing else changes, whatever happens meanwhile.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use clientele::{
    identity::OrganizationId,
    protection::KeyState,
    store::{
        jobs::{Job, JobState, Mode, NewJob, Operation},
        layout::Item,
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    chance::Chance,
    decrypting::{encrypted_customers, page},
    faults::invoke_until_done,
    keys::{NOTES, with_notes},
    network::{Fate, Network},
    snapshot::Snapshot,
    stack::Stack,
};

impl Stack {
    /// Registers a job that encrypts everything again, as the route does.
    async fn start_rewrap(&self, organization: OrganizationId) -> Job {
        let new = NewJob {
            id: Uuid::new_v4(),
            organization,
            operation: Operation::Rewrap,
            dataset: String::new(),
            data_origin: String::new(),
            source_id: 0,
            group: None,
            mode: Mode::Write,
            key: String::new(),
            filename: String::new(),
            object_modified: None,
            etag: None,
            upload_until: None,
        };
        let now = Timestamp::now();
        let job = self.registry.store.register_job(&new, now).await.unwrap();
        self.registry.importer().start(&job).await.unwrap();
        job
    }

    async fn rewrap(&self, organization: OrganizationId) -> Job {
        let job = self.start_rewrap(organization).await;
        self.deliver_parts(&Network::new(|_| Fate::Answered)).await;
        self.job(&job).await
    }

    async fn job(&self, job: &Job) -> Job {
        let found = self.registry.store.job(job.organization, job.id).await;
        found.unwrap().unwrap()
    }

    /// Delivers the events of what is below `parts/` until nothing is.
    async fn deliver_parts(&self, network: &Network) {
        let registry = Arc::new(self.through(network));
        loop {
            let events = self.events_of_parts().await;
            if events.is_empty() {
                return;
            }
            for event in events {
                invoke_until_done(&registry, network, &event).await;
            }
        }
    }
}

/// A record without its encrypted bytes.
fn but_ciphertexts(mut item: Item) -> Item {
    item.remove("custom");
    item
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_changes_nothing_but_the_key_and_then_retires_it() {
    let stack = Stack::start().await;
    let organization = Stack::organization();
    let rows = 1_200;
    stack
        .import("customers", with_notes(0..rows, "n", "farmer"))
        .await;
    let before = stack.records(organization).await;
    stack.rotate(organization).await;

    let job = stack.rewrap(organization).await;
    assert_eq!(job.state, JobState::Completed);
    let counts = job.counts;
    assert_eq!(
        [counts.rows_read, counts.updated, counts.unchanged],
        [rows as u64, rows as u64, 0]
    );
    assert_eq!(job.rows_total, Some(rows as u64));
    assert_eq!(
        stack.versions_in_use(organization).await,
        BTreeSet::from([2])
    );
    let after = stack.records(organization).await;
    let comparable =
        |items: Vec<Item>| -> Vec<Item> { items.into_iter().map(but_ciphertexts).collect() };
    assert!(comparable(before) == comparable(after));
    // Somebody may still write under the version before.
    assert_eq!(job.remark.unwrap().code, "keys_in_use");
    let both = [(2, KeyState::Active), (1, KeyState::Decrypting)];
    assert_eq!(stack.states(organization).await, both);

    stack.let_rotation_age(organization, 2).await;
    let job = stack.rewrap(organization).await;
    assert_eq!([job.counts.updated, job.counts.unchanged], [0, rows as u64]);
    assert_eq!(job.remark, None);
    let retired = [(2, KeyState::Active), (1, KeyState::Retired)];
    assert_eq!(stack.states(organization).await, retired);
    let keys = stack.get("/v1/organization/keys").await.body;
    assert_eq!(keys["keys"][1]["key"], Value::Null);
    assert_eq!(
        stack.record("customers", "c7").await["custom"][NOTES],
        "n 7"
    );
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_leaves_every_encrypted_field_what_it_was() {
    let stack = Stack::start().await;
    let organization = Stack::organization();
    encrypted_customers(&stack).await;
    assert_eq!(
        stack.versions_in_use(organization).await,
        BTreeSet::from([1, 2])
    );
    let before = page(&stack, true).await["customers"].clone();
    let job = stack.rewrap(organization).await;
    assert_eq!([job.counts.updated, job.counts.unchanged], [2, 1]);
    assert_eq!(
        stack.versions_in_use(organization).await,
        BTreeSet::from([2])
    );
    assert_eq!(page(&stack, true).await["customers"], before);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_over_http_is_a_job() {
    let stack = Stack::start().await;
    let rows = json!({"data": [{"external_id": "1", NOTES: "n"}]});
    let pushed = stack.post("/api/v1/in/customers", &rows).await;
    stack.job_at(pushed.body["job"].as_str().unwrap()).await;
    let rotated = stack
        .post("/v1/organization/keys/rotate", &Value::Null)
        .await;
    assert_eq!(rotated.status, 201);
    assert_eq!(rotated.body["version"], 2);
    assert!(rotated.body.get("key").is_none());
    let started = stack
        .post("/v1/organization/keys/rewrap", &Value::Null)
        .await;
    assert_eq!(started.status, 202);
    let job = stack.job_at(started.body["job"].as_str().unwrap()).await;
    assert_eq!(job["operation"], "rewrap");
    assert_eq!(job["state"], "completed");
    assert_eq!(job["updated"], 1);
    assert_eq!(job["remark"]["code"], "keys_in_use");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_beside_imports_overwrites_none_of_them() {
    let stack = Stack::start().await;
    let organization = Stack::organization();
    stack
        .import("customers", with_notes(0..2_000, "old", "farmer"))
        .await;
    stack.rotate(organization).await;
    let job = stack.start_rewrap(organization).await;
    let rewrap = stack.events_of_parts().await.remove(0);
    let key = |name: &str| format!("inbox/1/generic/customers/{name}.csv");
    let notes: String = (0..1_000).map(|n| format!("c{n},new {n}\n")).collect();
    let notes = format!("external_id,{NOTES}\n{notes}");
    let notes = stack.put(&key("notes"), notes).await;
    let professions: String = (1_000..1_500).map(|n| format!("c{n},baker\n")).collect();
    let professions = format!("external_id,profession\n{professions}");
    let professions = stack.put(&key("professions"), professions).await;
    let limit = Duration::from_secs(900);
    let (first, second, third) = tokio::join!(
        stack.invoke_for(&rewrap, "rewrap", limit),
        stack.invoke_for(&notes, "notes", limit),
        stack.invoke_for(&professions, "professions", limit),
    );
    for result in [first, second, third] {
        result.unwrap();
    }
    assert_eq!(stack.job(&job).await.state, JobState::Completed);
    assert_eq!(
        stack.versions_in_use(organization).await,
        BTreeSet::from([2])
    );
    for (id, notes, profession) in [
        ("c1", "new 1", "farmer"),
        ("c700", "new 700", "farmer"),
        ("c1200", "old 1200", "baker"),
        ("c1900", "old 1900", "farmer"),
    ] {
        let record = stack.record("customers", id).await;
        let found = (&record["custom"][NOTES], &record["profession"]);
        assert_eq!(found, (&json!(notes), &json!(profession)), "{id}");
    }
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_that_nears_its_time_limit_goes_on_in_a_fresh_invocation() {
    let stack = Stack::start().await;
    let organization = Stack::organization();
    let rows = 300;
    stack
        .import("customers", with_notes(0..rows, "n", "farmer"))
        .await;
    stack.rotate(organization).await;
    let job = stack.start_rewrap(organization).await;
    for invocation in 0.. {
        let Some(event) = stack.events_of_parts().await.pop() else {
            break;
        };
        assert!(invocation < 100, "it does not end");
        let id = format!("invocation {invocation}");
        stack.invoke_for(&event, &id, Duration::ZERO).await.unwrap();
    }
    let job = stack.job(&job).await;
    assert_eq!(job.state, JobState::Completed);
    let counts = job.counts;
    assert_eq!(
        [counts.rows_read, counts.updated],
        [rows as u64, rows as u64]
    );
    stack.stop().await;
}

/// Makes an organization of records and refused rows under the first key, and rotates.
async fn prepare(stack: &Stack, organization: u64, rows: usize) -> OrganizationId {
    let id = OrganizationId::new(organization).unwrap();
    stack.registry.store.ensure_organization(id).await.unwrap();
    let key = format!("inbox/{organization}/generic/customers/file.csv");
    let event = stack.put(&key, with_notes(0..rows, "n", "farmer")).await;
    stack.invoke(&event, "prepare").await.unwrap();
    stack.rotate(id).await;
    stack.let_rotation_age(id, 2).await;
    id
}

/// Disturbs the first call of a rewrap, in another organization the second, and so on; each ends
/// with everything under the new key, nothing else changed, and the old key retired.
async fn disturb_every_call(fate: Fate) {
    let stack = Stack::start().await;
    let untouched = prepare(&stack, 1, 5).await;
    let mut sites = 0;
    for number in 1.. {
        let organization = prepare(&stack, 1 + number as u64, 5).await;
        let job = stack.start_rewrap(organization).await;
        let network = Network::new(move |call| match call.number == number {
            true => fate,
            false => Fate::Answered,
        });
        stack.deliver_parts(&network).await;
        let what = format!("{fate:?} at call {number}");
        assert_eq!(stack.job(&job).await.state, JobState::Completed, "{what}");
        let versions = stack.versions_in_use(organization).await;
        assert_eq!(versions, BTreeSet::from([2]), "{what}");
        let retired = [(2, KeyState::Active), (1, KeyState::Retired)];
        assert_eq!(stack.states(organization).await, retired, "{what}");
        if network.disturbed() == 0 {
            break;
        }
        sites += 1;
    }
    assert!(sites > 20, "{sites} calls");
    let kinds = ["record", "member", "count", "error", "object"];
    let mut all = Snapshot::of_all(&stack.registry, &stack.local.clients).await;
    let expected = all.remove(&untouched.get()).unwrap().only(&kinds);
    for (organization, snapshot) in all {
        let what = format!("{fate:?} at call {}", organization - 1);
        snapshot.only(&kinds).assert_equals(&expected, &what);
    }
    println!("{fate:?} at each of {sites} calls of a rewrap, 0 differences");
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_killed_right_after_any_call_ends_all_the_same() {
    disturb_every_call(Fate::CallerKilled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_lost_at_any_call_of_a_rewrap_changes_nothing() {
    disturb_every_call(Fate::ReplyLost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_beside_an_import_survives_a_fifth_of_all_calls_failing() {
    let stack = Stack::start().await;
    let chance = Chance::from_env("FAULTS_SEED");
    let disturbed = |run| {
        let mut chance = chance.branch(run);
        Network::new(move |call| match chance.below(100) {
            0..10 => Fate::Refused,
            10..20 if call.writes() => Fate::ReplyLost,
            20..25 => Fate::TooMuch,
            25..26 => Fate::CallerKilled,
            _ => Fate::Answered,
        })
    };
    let organization = prepare(&stack, 1, 40).await;
    let job = stack.start_rewrap(organization).await;
    let rewrap = stack.events_of_parts().await.remove(0);
    let key = "inbox/1/generic/customers/changes.csv";
    let import = stack.put(key, with_notes(20..60, "new", "baker")).await;
    let networks = [disturbed(1), disturbed(2)];
    let registries = networks.each_ref().map(|n| Arc::new(stack.through(n)));
    tokio::join!(
        invoke_until_done(&registries[0], &networks[0], &rewrap),
        invoke_until_done(&registries[1], &networks[1], &import),
    );
    stack.deliver_parts(&disturbed(3)).await;
    let versions = stack.versions_in_use(organization).await;
    assert_eq!(versions, BTreeSet::from([2]), "{chance}");
    assert_eq!(stack.job(&job).await.state, JobState::Completed, "{chance}");
    for (id, notes) in [("c1", "n 1"), ("c30", "new 30"), ("c50", "new 50")] {
        let record = stack.record("customers", id).await;
        assert_eq!(record["custom"][NOTES], notes, "{chance}");
    }
    stack.assert_verified().await;
    stack.stop().await;
}
