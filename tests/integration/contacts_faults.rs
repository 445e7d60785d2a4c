//! Contacts whose call dies, fails, or loses its network halfway: all of them are made, or none.

use std::{collections::BTreeSet, sync::Arc};

use clientele::{
    Registry,
    identity::OrganizationId,
    store::jobs::{Claim, JobState},
};
use lambda_http::Body;
use serde_json::{Value, json};

use crate::{
    contacts::least,
    contacts_bulk::{BULK, many},
    network::{ATTEMPTS, Fate, Network},
    stack::{Stack, s3_event},
};

/// The invocations that take up what was left in the bucket.
const STAGED: &str = "staged";

/// What happens to the call's network.
#[derive(Debug, Clone, Copy)]
enum Mishap {
    /// One reply gets lost.
    ReplyLost,
    /// The function ends after a call.
    Killed,
    /// No call arrives from one on.
    Down,
}

impl Mishap {
    fn at(self, number: usize) -> Network {
        Network::new(move |call| match self {
            Self::ReplyLost if call.number == number => Fate::ReplyLost,
            Self::Killed if call.number == number => Fate::CallerKilled,
            Self::Down if call.number >= number => Fate::Refused,
            _ => Fate::Answered,
        })
    }
}

impl Stack {
    /// Asks the function itself to make contacts.
    async fn make(&self, registry: &Registry, organization: u64, body: &Value) -> (u16, Value) {
        let request = http::Request::post(BULK)
            .header(
                "authorization",
                format!("Bearer {}", self.token(organization)),
            )
            .header("content-type", "application/json")
            .header("idempotency-key", "key")
            .body(Body::from(body.to_string()));
        let response = Box::pin(clientele_api::handle(registry, request.unwrap())).await;
        let body = serde_json::from_slice(response.body()).unwrap();
        (response.status().as_u16(), body)
    }

    /// The same while something happens to the network; nothing if the function was killed.
    async fn make_through(
        &self,
        network: &Network,
        organization: u64,
        body: &Value,
    ) -> Option<(u16, Value)> {
        let registry = self.through(network);
        tokio::select! {
            made = self.make(&registry, organization, body) => Some(made),
            () = network.until_killed() => None,
        }
    }

    /// What was left in the bucket for the import function, as S3 tells of it.
    async fn staged(&self, organization: u64) -> Vec<Value> {
        let bucket = &self.registry.config.bucket;
        let list = self.local.clients.s3.list_objects_v2().bucket(bucket);
        let prefix = format!("staged/{organization}/");
        let found = list.prefix(prefix).send().await.unwrap();
        let events = found.contents().iter().map(|object| {
            let etag = object.e_tag().unwrap_or_default().replace('"', "");
            s3_event(object.key().unwrap(), 1, &etag, "0")
        });
        events.collect()
    }

    /// Hands all of it to the import function.
    async fn deliver_staged(&self, organization: u64) {
        for event in self.staged(organization).await {
            self.invoke(&event, STAGED).await.unwrap();
        }
    }

    /// The contacts of an organization, by a list of each.
    async fn contacts_of(&self, organization: u64) -> Vec<Value> {
        let token = self.token(organization);
        let path = "/external/v1/customers?page_size=1000";
        let listed = self
            .send(http::Method::GET, path, Some(&token), None, &[])
            .await;
        assert_eq!(listed.status, 200);
        listed.body["data"].as_array().unwrap().clone()
    }

    /// What the jobs of an organization have made, those apart that never got their rows.
    async fn made_by_jobs(&self, organization: u64) -> Vec<(JobState, u64, u64)> {
        let organization = OrganizationId::new(organization).unwrap();
        let jobs = self
            .registry
            .store
            .jobs(organization, 10, None)
            .await
            .unwrap();
        let jobs = jobs.into_iter().filter(|job| job.error.is_none());
        jobs.map(|job| (job.state, job.counts.rows_read, job.counts.created))
            .collect()
    }
}

fn of_all(contacts: &[Value], name: &str) -> BTreeSet<String> {
    let values = contacts.iter().map(|contact| contact[name].to_string());
    values.collect()
}

/// Makes contacts with each call disturbed in turn, as one organization after the other.
async fn disturb_every_call(mishap: Mishap, count: usize) -> Vec<Option<u16>> {
    let stack = Stack::start().await;
    let body = many(count);
    let mut ends = Vec::new();
    for number in 1.. {
        let organization = number as u64 + 1;
        let network = mishap.at(number);
        let first = stack.make_through(&network, organization, &body).await;
        if network.disturbed() == 0 {
            break;
        }
        let calls = network.calls();
        let what = format!("{mishap:?} at call {number}, {}", calls[number - 1]);

        stack.deliver_staged(organization).await;
        let contacts = stack.contacts_of(organization).await;
        match &first {
            Some((201 | 202, _)) => assert_eq!(contacts.len(), count, "{what}"),
            _ => assert!([0, count].contains(&contacts.len()), "{what}"),
        }
        if let Some((202, accepted)) = &first {
            let ids = accepted["customer_ids"].as_array().unwrap().iter();
            let ids: BTreeSet<String> = ids.map(Value::to_string).collect();
            assert_eq!(ids, of_all(&contacts, "customer_id"), "{what}");
        }

        stack.set_of_replies("lease_until", 1).await;
        let (status, second) = stack.make(&stack.registry, organization, &body).await;
        assert_eq!(status, 201, "{what}: {second}");
        if let Some((201, first)) = &first {
            assert_eq!(first, &second, "{what}");
        }
        stack.deliver_staged(organization).await;
        let contacts = stack.contacts_of(organization).await;
        let made = second["customers"].as_array().unwrap();
        assert_eq!(contacts.len(), count, "{what}");
        for name in ["id", "customer_id", "email"] {
            assert_eq!(of_all(&contacts, name).len(), count, "{what}");
            assert_eq!(of_all(&contacts, name), of_all(made, name), "{what}");
        }
        let jobs = stack.made_by_jobs(organization).await;
        let expected = match count {
            0..=33 => vec![],
            count => vec![(JobState::Completed, count as u64, count as u64)],
        };
        assert_eq!(jobs, expected, "{what}");
        ends.push(first.map(|(status, _)| status));
    }
    println!("{mishap:?} at each of {} calls: {ends:?}", ends.len());
    assert!(ends.len() > 12);
    stack.assert_verified().await;
    stack.stop().await;
    ends
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_contacts_are_made_once_whatever_reply_is_lost() {
    let ends = disturb_every_call(Mishap::ReplyLost, 3).await;
    assert!(ends.iter().all(|end| *end == Some(201)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_contacts_are_made_once_wherever_their_call_is_killed() {
    disturb_every_call(Mishap::Killed, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_contacts_are_made_once_whatever_reply_is_lost() {
    let ends = disturb_every_call(Mishap::ReplyLost, 40).await;
    assert!(ends.iter().all(|end| *end == Some(201)));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_contacts_are_made_by_their_job_wherever_their_call_is_killed() {
    disturb_every_call(Mishap::Killed, 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_contacts_that_cannot_be_stored_now_are_accepted_once_they_are_safe() {
    let ends = disturb_every_call(Mishap::Down, 40).await;
    let first = ends.iter().position(|end| *end == Some(202)).unwrap();
    assert!(
        ends[..first].iter().all(|end| *end == Some(500)),
        "{ends:?}"
    );
    assert!(
        ends[first..]
            .iter()
            .all(|end| matches!(end, Some(201 | 202))),
        "{ends:?}"
    );
}

/// What becomes of contacts in the bucket before their call, which heard nothing of them, looks.
#[derive(Debug, Clone, Copy)]
enum Meanwhile {
    /// The import function takes their job up.
    TakenUp,
    /// It imports them.
    Imported,
}

impl Meanwhile {
    async fn happens(self, stack: &Stack) {
        match self {
            Self::TakenUp => {
                let store = &stack.registry.store;
                let organization = OrganizationId::new(1).unwrap();
                let jobs = store.jobs(organization, 10, None).await.unwrap();
                let now = jiff::Timestamp::now();
                let claim = store.claim_job(organization, jobs[0].id, STAGED, now);
                assert!(matches!(claim.await.unwrap(), Claim::Taken(_)));
            }
            Self::Imported => stack.deliver_staged(1).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_that_were_kept_are_made_although_nobody_said_that_they_were() {
    for meanwhile in [Meanwhile::TakenUp, Meanwhile::Imported] {
        let stack = Arc::new(Stack::start().await);
        let body = many(40);
        let (observed, mut lost, mut happened) = (Arc::clone(&stack), 0, false);
        let network = Network::new(move |call| match call.operation {
            "S3 PUT" if lost < ATTEMPTS => {
                lost += 1;
                Fate::ReplyLost
            }
            "UpdateItem" if lost == ATTEMPTS && !happened => {
                happened = true;
                // On a stack of its own.
                let stack = Arc::clone(&observed);
                let done = tokio::spawn(async move { meanwhile.happens(&stack).await });
                let runtime = tokio::runtime::Handle::current();
                tokio::task::block_in_place(|| runtime.block_on(done)).unwrap();
                Fate::Answered
            }
            _ => Fate::Answered,
        });
        let (status, made) = stack.make_through(&network, 1, &body).await.unwrap();
        assert_eq!(status, 201, "{meanwhile:?}: {made}");
        stack.deliver_staged(1).await;
        let contacts = stack.contacts_of(1).await;
        let made = made["customers"].as_array().unwrap();
        assert_eq!(of_all(&contacts, "customer_id").len(), 40, "{meanwhile:?}");
        assert_eq!(
            of_all(&contacts, "customer_id"),
            of_all(made, "customer_id")
        );
        let expected = [(JobState::Completed, 40, 40)];
        assert_eq!(stack.made_by_jobs(1).await, expected, "{meanwhile:?}");
        stack.assert_verified().await;
        drop(network);
        Arc::into_inner(stack).unwrap().stop().await;
    }
}

/// Makes contacts by a call that dies when all is done but its reply.
async fn made_without_a_reply(stack: &Stack, count: usize) -> Value {
    let mut body = many(count);
    for contact in body["customers"].as_array_mut().unwrap() {
        contact["country"] = json!("Kenya");
        contact["notes"] = json!("call back");
        contact["plan"] = json!("gold");
    }
    let undisturbed = Network::new(|_| Fate::Answered);
    stack.make_through(&undisturbed, 2, &body).await.unwrap();
    // The last of them reads the contacts back.
    let is_read = |operation: &str| operation == "BatchGetItem";
    let calls = undisturbed.calls();
    let mut reads = calls.iter().filter(|call| is_read(call)).count();
    let network = Network::new(move |call| {
        reads -= usize::from(is_read(call.operation));
        match is_read(call.operation) && reads == 0 {
            true => Fate::CallerKilled,
            false => Fate::Answered,
        }
    });
    assert!(stack.make_through(&network, 1, &body).await.is_none());
    stack.set_of_replies("lease_until", 1).await;
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_leaves_what_happened_to_its_contacts_meanwhile() {
    for count in [2, 40] {
        let stack = Stack::start().await;
        let body = made_without_a_reply(&stack, count).await;
        let rotate = stack.post("/v1/organization/keys/rotate", &json!({})).await;
        assert_eq!(rotate.status, 201);
        let ids = of_all(&stack.contacts_of(1).await, "customer_id");
        assert_eq!(ids.len(), count);
        let ids: Vec<Value> = ids.iter().map(|id| id.parse().unwrap()).collect();

        let contacts = stack.staged(1).await;
        let change = |id: &Value| {
            json!({
                "customer_id": id, "source": "fair", "city": "Kisumu", "country": null,
                "notes": null,
            })
        };
        let body_of_change = json!({
            "customer_group_id": "contacts.external",
            "customers": ids.iter().map(change).collect::<Vec<_>>(),
        });
        let route = (http::Method::PATCH, "/v1/customer");
        let (status, changed) = stack
            .ask_api(&stack.registry, route, &stack.token(1), &body_of_change)
            .await;
        assert_eq!(status, 200, "{changed}");
        let mut waiting = stack.staged(1).await;
        waiting.retain(|event| !contacts.contains(event));
        for event in waiting.iter().chain(&contacts) {
            stack.invoke(event, STAGED).await.unwrap();
        }

        let (status, again) = stack.make(&stack.registry, 1, &body).await;
        assert_eq!(status, 201, "{again}");
        for contact in again["customers"].as_array().unwrap() {
            assert_eq!(contact["source"], "fair");
            assert_eq!(contact["city"], "Kisumu");
            assert_eq!(contact["country"], Value::Null);
            assert_eq!(contact["custom"], json!({"plan": "gold"}));
        }
        assert_eq!(stack.contacts_of(1).await.len(), count);
        stack.assert_verified().await;
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_brings_back_nobody_who_was_deleted_meanwhile() {
    for count in [2, 40] {
        let stack = Stack::start().await;
        let body = made_without_a_reply(&stack, count).await;
        stack.deliver_staged(1).await;
        let contacts = stack.contacts_of(1).await;
        let deleted = contacts[0]["customer_id"].as_str().unwrap().to_owned();
        stack.erase("contacts.external", &[deleted]).await;

        let (status, again) = stack.make(&stack.registry, 1, &body).await;
        assert_eq!(status, 409, "{again}");
        assert_eq!(stack.contacts_of(1).await.len(), count - 1);
        stack.assert_verified().await;
        stack.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_contact_is_kept_in_clear_wherever_it_waits() {
    const CANARY: &str = "Canary-c0n7ac7";
    let stack = Stack::start().await;
    let mut body = many(40);
    for contact in body["customers"].as_array_mut().unwrap() {
        contact["source"] = json!("web");
        for name in ["name", "whatsapp_number", "ip", "location", "notes"] {
            contact[name] = json!(format!("{CANARY} {name}"));
        }
        contact["email"] = json!(format!("{CANARY}@example.com"));
    }
    let (status, made) = stack.make(&stack.registry, 1, &body).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        made["customers"][7]["custom"]["notes"],
        format!("{CANARY} notes")
    );
    let one = json!({"customers": [body["customers"][0]]});
    assert_eq!(
        stack.make(&stack.registry, 1, &one).await.0,
        422,
        "the key is used"
    );
    assert_eq!(
        stack
            .post("/external/v1/customers", &one["customers"][0])
            .await
            .status,
        201
    );
    let mut wrong = body.clone();
    wrong["customers"][39] = json!({"name": CANARY, "emial": CANARY, "email": CANARY});
    let refused = stack.post(BULK, &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(
        !refused.body.to_string().contains(CANARY),
        "{}",
        refused.body
    );
    stack.deliver_staged(1).await;

    let items = format!("{:?}", stack.items().await);
    assert!(!items.contains(CANARY));
    let sealed = least(0);
    assert!(!items.contains(sealed["email"].as_str().unwrap()));
    assert!(!crate::logs::captured().contains(CANARY));
    // Its rows wait in the bucket only until they are imported.
    let list = stack.local.clients.s3.list_objects_v2();
    let bucket = &stack.registry.config.bucket;
    for object in list.bucket(bucket).send().await.unwrap().contents() {
        let get = stack.local.clients.s3.get_object().bucket(bucket);
        let read = get.key(object.key().unwrap()).send().await.unwrap();
        let bytes = read.body.collect().await.unwrap().into_bytes();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains(CANARY), "{:?}", object.key());
    }
    stack.stop().await;
}
