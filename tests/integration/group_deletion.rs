//! What deleting a group leaves, whatever comes in between.

use std::{sync::Arc, time::Duration};

use clientele::{Registry, identity::OrganizationId, store::Made};
use http::Method;
use lambda_http::Body;
use serde_json::json;

use crate::{
    groups::{NOTHING, new_group},
    network::{Fate, Network},
    snapshot::Snapshot,
    stack::{Stack, customers},
};

impl Stack {
    /// Deletes a group without any job running, unless the call is killed. Returns the status.
    async fn delete_through(
        &self,
        registry: &Registry,
        organization: u64,
        group: &str,
    ) -> http::StatusCode {
        let request = http::Request::builder()
            .method(Method::DELETE)
            .uri(format!("https://clientele.example/v1/groups/{group}"))
            .header("host", "clientele.example")
            .header(
                "authorization",
                format!("Bearer {}", self.token(organization)),
            )
            .body(Body::Empty)
            .unwrap();
        clientele_api::handle(registry, request).await.status()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_group_is_unknown_at_once_and_its_id_is_free_again_after_the_job() {
    let stack = Stack::start().await;
    let key = "inbox/1/generic/customers/vip/a.csv";
    stack.import_key(key, customers(0..700, "+2567")).await;
    let status = stack.delete_through(&stack.registry, 1, "vip").await;
    assert_eq!(status, 202);
    // Asked again, the same job answers.
    let deletion = stack.latest_job().await;
    assert_eq!(stack.delete_through(&stack.registry, 1, "vip").await, 202);
    assert_eq!(stack.latest_job().await.id, deletion.id);

    let of_group = json!({"customer_group_id": "vip", "page": 0});
    let rows = json!({"customer_group_id": "vip", "customers": [{"external_id": "c1"}]});
    let upload = json!({"dataset": "customers", "filename": "a.csv", "customer_group_id": "vip"});
    for (method, path, body, status) in [
        (Method::POST, "/v1/customer/pages", of_group.clone(), 401),
        (Method::POST, "/v1/customer", of_group.clone(), 401),
        (Method::POST, "/v1/uploads", upload, 401),
        (Method::POST, "/v1/customer/check", rows.clone(), 401),
        (Method::PATCH, "/v1/customer", rows, 401),
        (Method::PATCH, "/v1/groups/vip", json!({"name": "x"}), 404),
        (Method::POST, "/v1/groups", new_group("vip", "vip"), 409),
    ] {
        let answer = stack.ask(method, path, body).await;
        assert_eq!(answer.0, status, "{path}: {}", answer.1);
    }
    let (_, listed) = stack.ask(Method::GET, "/v1/groups", NOTHING).await;
    assert_eq!(listed["groups"].as_array().unwrap().len(), 1);
    let event = stack.put(key, customers(0..3, "+2568")).await;
    let limit = Duration::from_secs(900);
    stack.invoke_for(&event, "refused", limit).await.unwrap();
    assert_eq!(
        stack.latest_job().await.error.unwrap().code,
        "group_deleted"
    );
    let cancel = format!("/v1/jobs/{}/cancel", deletion.id);
    assert_eq!(stack.ask(Method::POST, &cancel, NOTHING).await.0, 409);

    // The first invocation has no time left after its first round.
    let note = stack.events_of_parts().await.remove(0);
    stack
        .invoke_for(&note, "short", Duration::ZERO)
        .await
        .unwrap();
    stack.assert_verified().await;
    for rest in stack.events_of_parts().await {
        stack.invoke(&rest, "rest").await.unwrap();
    }
    let organization = Stack::organization();
    let job = stack.registry.store.job(organization, deletion.id).await;
    let job = job.unwrap().unwrap();
    assert!(job.state.is_complete(), "{job:?}");
    assert_eq!((job.rows_total, job.counts.updated), (Some(700), 700));
    for item in stack.items().await {
        let names = format!("{item:?}");
        let is_job = names.contains("JOB#") || names.contains("COUNT#");
        assert!(is_job || !names.contains("vip"), "{names}");
    }
    stack.assert_verified().await;
    let again = stack.import_key(key, customers(0..3, "+2568")).await;
    assert!(again.state.is_complete());
    let id = "vip".parse().unwrap();
    let members = stack.registry.store.member_count(organization, &id).await;
    assert_eq!(members.unwrap(), 3);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_began_before_adds_nobody_to_a_deleted_group() {
    let stack = Stack::start().await;
    let organization = Stack::organization();
    let store = &stack.registry.store;
    let id = "vip".parse().unwrap();
    let made = store
        .create_group(organization, &id, "vip", "customers")
        .await;
    let Made::New(group) = made.unwrap() else {
        panic!("there was a group");
    };
    // As an import sees it that has looked at the group just before.
    store.close_group(organization, &group).await.unwrap();
    let key = "inbox/1/generic/customers/vip/a.csv";
    let job = stack.import_key(key, customers(0..300, "+2567")).await;
    assert_eq!(job.counts.created, 300);
    assert_eq!(store.member_count(organization, &id).await.unwrap(), 0);
    let own = "customers.generic".parse().unwrap();
    assert_eq!(store.member_count(organization, &own).await.unwrap(), 300);
    stack.assert_verified().await;

    // In parts: the group goes after the file was split.
    let key = "inbox/1/generic/customers/late/b.csv";
    let event = stack.put(key, customers(0..20_001, "+2567")).await;
    let limit = Duration::from_secs(900);
    stack.invoke_for(&event, "split", limit).await.unwrap();
    let parts = stack.events_of_parts().await;
    assert_eq!(parts.len(), 3);
    stack.invoke_for(&parts[0], "first", limit).await.unwrap();
    assert_eq!(stack.delete_through(&stack.registry, 1, "late").await, 202);
    for event in stack.events_of_parts().await {
        stack.invoke(&event, "rest").await.unwrap();
    }
    let late = "late".parse().unwrap();
    assert_eq!(store.member_count(organization, &late).await.unwrap(), 0);
    assert_eq!(
        store.member_count(organization, &own).await.unwrap(),
        20_001
    );
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_killed_at_any_call_ends_as_if_it_had_not_been() {
    let stack = Stack::start().await;
    let undisturbed = Network::new(|_| Fate::Answered);
    delete_disturbed(&stack, 2, &undisturbed).await;
    let calls = undisturbed.calls().len();
    // Most calls write one of 256 counters; a few of those stand for all.
    let sites = (1..=12)
        .chain((13..calls).step_by(71))
        .chain(calls - 12..=calls);
    let mut runs = Vec::new();
    for (nth, number) in (0..).zip(sites) {
        let fate = [Fate::CallerKilled, Fate::ReplyLost][nth % 2];
        let network = Network::new(move |call| match call.number == number {
            true => fate,
            false => Fate::Answered,
        });
        let organization = 3 + nth as u64;
        delete_disturbed(&stack, organization, &network).await;
        runs.push((
            organization,
            format!("{fate:?} at call {number} of {calls}"),
        ));
    }
    let all = Snapshot::of_all(&stack.registry, &stack.local.clients).await;
    for (organization, what) in runs {
        all[&organization].assert_equals(&all[&2], &what);
    }
    stack.assert_verified().await;
    stack.stop().await;
}

/// Makes a group of 50 and deletes it through a network.
async fn delete_disturbed(stack: &Stack, organization: u64, network: &Network) {
    let id = OrganizationId::new(organization).unwrap();
    stack.registry.store.ensure_organization(id).await.unwrap();
    let key = format!("inbox/{organization}/generic/customers/vip/a.csv");
    let event = stack.put(&key, customers(0..50, "+2567")).await;
    stack.invoke(&event, "import").await.unwrap();
    let registry = Arc::new(stack.through(network));
    loop {
        let status = tokio::select! {
            status = stack.delete_through(&registry, organization, "vip") => status,
            () = network.until_killed() => continue,
        };
        match status.as_u16() {
            202 => break,
            status => assert_eq!(status, 500),
        }
    }
    loop {
        let notes = stack.events_of_parts().await;
        if notes.is_empty() {
            break;
        }
        for event in &notes {
            crate::faults::invoke_until_done(&registry, network, event).await;
        }
    }
}
