//! Groups over HTTP, and what deleting one leaves.

use std::{sync::Arc, time::Duration};

use clientele::{Registry, identity::OrganizationId, store::Made};
use http::Method;
use lambda_http::Body;
use serde_json::{Value, json};

use crate::{
    network::{Fate, Network},
    snapshot::Snapshot,
    stack::{Stack, customers},
};

const NOTHING: Option<Value> = None;

impl Stack {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Option<Value>>,
    ) -> (u16, Value) {
        let body: Option<Value> = body.into();
        let body = body.map(|body| body.to_string());
        let token = self.token(1);
        let answer = self.send(method, path, Some(&token), body, &[]).await;
        (answer.status.as_u16(), answer.body)
    }

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

fn new_group(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "dataset": "customers"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_renamed_listed_and_deleted_twice_in_a_row() {
    let stack = Stack::start().await;
    for _ in 0..2 {
        let made = stack
            .ask(
                Method::POST,
                "/v1/groups",
                new_group("vip", " Very important "),
            )
            .await;
        let body = json!({
            "id": "vip", "name": "Very important", "dataset": "customers", "customers": 0,
        });
        assert_eq!(made, (201, body.clone()));
        let again = stack
            .ask(
                Method::POST,
                "/v1/groups",
                new_group("vip", "Very important"),
            )
            .await;
        assert_eq!(again, (200, body));
        let other = stack
            .ask(Method::POST, "/v1/groups", new_group("vip", "Other"))
            .await;
        assert_eq!(other.0, 409);

        stack
            .import_key(
                "inbox/1/generic/customers/vip/a.csv",
                customers(0..5, "+2567"),
            )
            .await;
        let renamed = stack
            .ask(Method::PATCH, "/v1/groups/vip", json!({"name": "VIP"}))
            .await;
        let body = json!({"id": "vip", "name": "VIP", "dataset": "customers", "customers": 5});
        assert_eq!(renamed, (200, body.clone()));
        let (_, listed) = stack.ask(Method::GET, "/v1/groups", NOTHING).await;
        assert_eq!(listed["groups"][1], body);
        assert_eq!(listed["groups"][0]["id"], "customers.generic");
        assert_eq!(listed["groups"][0]["customers"], 5);
        assert_eq!(listed["next_after"], Value::Null);

        let (status, deletion) = stack.ask(Method::DELETE, "/v1/groups/vip", NOTHING).await;
        assert_eq!(status, 202, "{deletion}");
        let job = stack.job_at(deletion["job"].as_str().unwrap()).await;
        assert_eq!(job["state"], "completed", "{job}");
        assert_eq!(job["operation"], "delete_group");
        assert_eq!(
            (&job["rows_total"], &job["updated"]),
            (&json!(5), &json!(5))
        );
        let gone = stack.ask(Method::DELETE, "/v1/groups/vip", NOTHING).await;
        assert_eq!(gone.0, 404);
        // The customers are still there.
        let (_, listed) = stack.ask(Method::GET, "/v1/groups", NOTHING).await;
        assert_eq!(listed["groups"].as_array().unwrap().len(), 1);
        assert_eq!(listed["groups"][0]["customers"], 5);
        stack.assert_verified().await;
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_group_can_be_is_refused() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..1, "+2567")).await;
    let table = [
        (
            Method::POST,
            "/v1/groups",
            json!({"name": "x"}),
            400,
            "missing_fields",
        ),
        (
            Method::POST,
            "/v1/groups",
            json!({"dataset": "customers"}),
            400,
            "missing_fields",
        ),
        (
            Method::POST,
            "/v1/groups",
            json!({"dataset": "customers", "name": "  "}),
            400,
            "missing_fields",
        ),
        (
            Method::POST,
            "/v1/groups",
            json!({"dataset": "clients", "name": "x"}),
            400,
            "unknown_dataset",
        ),
        (
            Method::POST,
            "/v1/groups",
            json!(["id", "name", "customers"]),
            400,
            "invalid_body",
        ),
        (
            Method::POST,
            "/v1/groups",
            new_group("VIP", "x"),
            400,
            "invalid_group_id",
        ),
        (
            Method::POST,
            "/v1/groups",
            new_group(&"g".repeat(65), "x"),
            400,
            "invalid_group_id",
        ),
        (
            Method::POST,
            "/v1/groups",
            new_group("", "x"),
            400,
            "invalid_group_id",
        ),
        (
            Method::POST,
            "/v1/groups",
            new_group("customers.shop", "x"),
            400,
            "reserved_group_id",
        ),
        (
            Method::POST,
            "/v1/groups",
            new_group("g", &"x".repeat(201)),
            400,
            "invalid_name",
        ),
        (
            Method::POST,
            "/v1/groups",
            new_group("g", "a\u{7}b"),
            400,
            "invalid_name",
        ),
        (
            Method::PATCH,
            "/v1/groups/nowhere",
            json!({"name": "x"}),
            404,
            "not_found",
        ),
        (
            Method::PATCH,
            "/v1/groups/NO",
            json!({"name": "x"}),
            404,
            "not_found",
        ),
        (
            Method::PATCH,
            "/v1/groups/customers.generic",
            json!({}),
            400,
            "missing_fields",
        ),
        (
            Method::DELETE,
            "/v1/groups/nowhere",
            Value::Null,
            404,
            "not_found",
        ),
        (
            Method::DELETE,
            "/v1/groups/customers.generic",
            Value::Null,
            409,
            "group_of_source",
        ),
        (
            Method::GET,
            "/v1/groups?limit=101",
            Value::Null,
            400,
            "invalid_query",
        ),
        (
            Method::GET,
            "/v1/groups?after=NO",
            Value::Null,
            400,
            "invalid_query",
        ),
    ];
    for (method, path, body, status, code) in table {
        let body = (!body.is_null()).then_some(body);
        let at = format!("{method} {path} {body:?}");
        let (found, answer) = stack.ask(method, path, body).await;
        let kind = answer["type"].as_str().unwrap_or_default();
        assert!(
            kind.ends_with(&format!("/docs/errors/{code}")),
            "{at}: {answer}"
        );
        assert_eq!(found, status, "{at}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_listed_page_by_page_and_a_bound_token_sees_its_own() {
    let stack = Stack::start().await;
    for n in 0..7 {
        let group = new_group(&format!("g{n}"), "x");
        assert_eq!(stack.ask(Method::POST, "/v1/groups", group).await.0, 201);
    }
    let mut listed = Vec::new();
    let mut path = "/v1/groups?limit=3".to_owned();
    loop {
        let (_, page) = stack.ask(Method::GET, &path, NOTHING).await;
        let groups = page["groups"].as_array().unwrap();
        assert!(groups.len() <= 3);
        listed.extend(
            groups
                .iter()
                .map(|group| group["id"].as_str().unwrap().to_owned()),
        );
        match page["next_after"].as_str() {
            Some(after) => path = format!("/v1/groups?limit=3&after={after}"),
            None => break,
        }
    }
    assert_eq!(listed, ["g0", "g1", "g2", "g3", "g4", "g5", "g6"]);

    let bound = ["g5", "g1", "nowhere"].map(str::to_owned).to_vec();
    let token = stack.token_with(|token| token.groups = Some(bound));
    let token = Some(token.as_str());
    let ids = |answer: crate::stack::Answer| {
        let groups = answer.body["groups"].as_array().unwrap().clone();
        let id = |group: Value| group["id"].as_str().unwrap().to_owned();
        groups.into_iter().map(id).collect::<Vec<_>>()
    };
    let all = stack
        .send(Method::GET, "/v1/groups", token, None, &[])
        .await;
    assert_eq!(ids(all), ["g1", "g5"]);
    let path = "/v1/groups?after=g1";
    let rest = stack.send(Method::GET, path, token, None, &[]).await;
    assert_eq!(ids(rest), ["g5"]);
    // Of others it learns nothing.
    for (method, path, body, status) in [
        (
            Method::PATCH,
            "/v1/groups/g2",
            Some(json!({"name": "x"})),
            404,
        ),
        (Method::DELETE, "/v1/groups/g2", None, 404),
        (Method::POST, "/v1/groups", Some(new_group("g2", "x")), 403),
        (
            Method::POST,
            "/v1/groups",
            Some(json!({"name": "x", "dataset": "customers"})),
            403,
        ),
        (
            Method::POST,
            "/v1/groups",
            Some(new_group("nowhere", "x")),
            201,
        ),
    ] {
        let body = body.map(|body| body.to_string());
        let answer = stack.send(method, path, token, body, &[]).await;
        assert_eq!(answer.status, status, "{path}");
    }
    stack.stop().await;
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
