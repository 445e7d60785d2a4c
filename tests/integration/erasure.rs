//! Customers who are erased are gone, and stay away.

use std::fmt::Write as _;

use clientele::{
    Registry,
    erasure::{Proof, prove},
    identity::OrganizationId,
    store::jobs::JobState,
};
use http::Method;
use lambda_http::Body;
use serde_json::{Value, json};

use crate::{
    logs,
    stack::{Stack, customers, file},
};

const DELETE: &str = "/v1/customer";
const RELEASE: &str = "/v1/fences/release";

impl Stack {
    /// Asks the api function itself, over the bucket of the handlers.
    pub(crate) async fn ask_api(
        &self,
        registry: &Registry,
        (method, path): (Method, &str),
        token: &str,
        body: &Value,
    ) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()));
        let response = clientele_api::handle(registry, request.unwrap()).await;
        let body = serde_json::from_slice(response.body()).unwrap();
        (response.status().as_u16(), body)
    }

    pub(crate) async fn erase(&self, group: &str, ids: &[String]) -> Value {
        let body = json!({"customer_group_id": group, "customer_ids": ids});
        let (status, body) = self
            .ask_api(
                &self.registry,
                (Method::DELETE, DELETE),
                &self.token(1),
                &body,
            )
            .await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(crate) async fn release(&self, uids: &[String]) -> Value {
        let body = json!({"uids": uids});
        let (status, body) = self
            .ask_api(
                &self.registry,
                (Method::POST, RELEASE),
                &self.token(1),
                &body,
            )
            .await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(crate) async fn members(&self, group: &str) -> u64 {
        let group = group.parse().unwrap();
        let store = &self.registry.store;
        store
            .member_count(Self::organization(), &group)
            .await
            .unwrap()
    }

    /// The number of the table's items with a partition key that holds a text.
    async fn items_with(&self, text: &str) -> usize {
        let items = self.items().await;
        let with = |item: &&clientele::store::layout::Item| {
            let of = |name: &str| item[name].as_s().unwrap().contains(text);
            of("pk") || of("sk")
        };
        items.iter().filter(with).count()
    }
}

pub(crate) fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("c{n}")).collect()
}

pub(crate) fn uids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("1-generic-c{n}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_customers_go_at_once_and_the_unknown_ones_are_named() {
    let stack = Stack::start().await;
    let vips = "inbox/1/generic/customers/vip/vips.csv";
    stack.import_key(vips, customers(0..1_200, "+2567")).await;
    stack
        .import("customers", customers(1_200..1_500, "+2567"))
        .await;

    let mut named = ids(0..995);
    // Twice the same, by its external_id and its uid, is once.
    named.extend(["c1".to_owned(), "1-generic-c2".to_owned()]);
    let unknown = [
        "nobody".to_owned(),
        "1-other-c9".to_owned(),
        "c1499".to_owned(),
    ];
    named.extend(unknown.clone());
    // The last is a customer, and none of this group.
    let reply = stack.erase("vip", &named).await;
    assert_eq!(reply["deleted"], 995);
    assert_eq!(reply["not_found"], json!(unknown));
    let receipt = &reply["receipt"];
    assert_eq!(receipt["erased"].as_array().unwrap().len(), 995);
    assert_eq!(receipt["erased"][0]["memberships"], 2);
    assert_eq!(receipt["principal"], "local");
    assert!(receipt["backups"].as_str().unwrap().contains("35 days"));
    assert!(!receipt.to_string().contains("generic-c"), "a uid in clear");

    assert_eq!(stack.members("vip").await, 205);
    assert_eq!(stack.members("customers.generic").await, 505);
    let group = json!({"customer_group_id": "vip"});
    let pages = stack.post("/v1/customer/pages", &group).await;
    assert_eq!(pages.body["customers"], 205);
    stack.assert_verified().await;

    let again = stack.erase("vip", &named).await;
    assert_eq!(again["deleted"], 0);
    assert_eq!(again["not_found"].as_array().unwrap().len(), 999);
    assert_eq!(again["receipt"], Value::Null);
    // Each id with the receipt of its erasure: nothing of it is lost with a reply.
    let before = again["erased_before"].as_array().unwrap();
    assert_eq!(before.len(), 996);
    assert!(
        before
            .iter()
            .all(|erased| erased["receipt"] == receipt["id"])
    );
    assert_eq!(stack.members("vip").await, 205);

    let proof = Proof::parse(reply.to_string().as_bytes()).unwrap();
    let proven = prove(&stack.registry, &proof).await.unwrap();
    assert!(proven.is_clean(), "{proven}");
    assert_eq!((proven.customers, proven.fences), (995, 995));
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn meters_and_memberships_go_with_the_customer() {
    let stack = Stack::start().await;
    let village = "inbox/1/generic/meters/village.7/m.csv";
    stack.import_key(village, file("meters.csv")).await;
    let own = "external_id,name\n9392,Ann\n";
    stack
        .import_key("inbox/1/generic/customers/tenants/c.csv", own)
        .await;
    let before = (
        stack.members("customers.generic").await,
        stack.members("meters.generic").await,
        stack.members("village.7").await,
    );
    assert_eq!(stack.members("tenants").await, 1);

    let reply = stack.erase("tenants", &["9392".to_owned()]).await;
    assert_eq!(reply["deleted"], 1);
    let erased = &reply["receipt"]["erased"][0];
    // Two groups of the customer's own, two of each of the three meters.
    assert_eq!(
        (&erased["meters"], &erased["memberships"]),
        (&json!(3), &json!(8))
    );
    assert_eq!(stack.members("tenants").await, 0);
    assert_eq!(stack.members("customers.generic").await, before.0 - 1);
    assert_eq!(stack.members("meters.generic").await, before.1 - 3);
    assert_eq!(stack.members("village.7").await, before.2 - 3);
    assert_eq!(stack.items_with("generic-9392").await, 0);
    stack.assert_verified().await;

    // A row of a meter of theirs is refused, and brings nobody back.
    let job = stack.import_key(village, file("meters.csv")).await;
    assert_eq!(job.counts.rejected, 3);
    assert_eq!(job.counts.unchanged, job.counts.rows_read - 3);
    assert_eq!(stack.items_with("generic-9392").await, 0);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_customers_first_meter_is_refused_too() {
    let stack = Stack::start().await;
    let own = "external_id,name\n9392,Ann\n";
    stack.import("customers", own).await;
    // There is no group of meters yet whose counters could tell.
    stack.erase("customers.generic", &["9392".to_owned()]).await;
    let job = stack.import("meters", file("meters.csv")).await;
    assert_eq!(job.counts.rejected, 3);
    assert_eq!(stack.items_with("generic-9392").await, 0);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_erased_customers_are_refused_until_they_are_released() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..50, "+2567")).await;
    assert_eq!(
        stack.erase("customers.generic", &ids(0..20)).await["deleted"],
        20
    );

    // Straight, changed or not.
    for prefix in ["+2567", "+2568"] {
        let job = stack.import("customers", customers(0..50, prefix)).await;
        assert_eq!(job.state, JobState::CompletedWithRejections);
        let c = job.counts;
        assert_eq!((c.rows_read, c.rejected, c.created), (50, 20, 0), "{c:?}");
        assert_eq!(c.updated + c.unchanged, 30);
        let path = format!("/v1/jobs/{}", job.id);
        let shown = stack.get(&path).await.body;
        assert_eq!(shown["errors"][0]["code"], "erased_subject", "{shown}");
    }
    // What would happen is said too.
    let rows: Vec<Value> = (15..25)
        .map(|n| json!({"external_id": format!("c{n}")}))
        .collect();
    let check = "/api/v1/in/customers/check?source=generic";
    let checked = stack.post(check, &json!({"data": rows})).await.body;
    assert_eq!(
        (&checked["rejected"], &checked["created"]),
        (&json!(5), &json!(0)),
        "{checked}"
    );
    let key = "inbox/1/generic/customers/dry.csv";
    let metadata = [("mode", "dry_run")];
    let event = stack
        .put_with(key, customers(0..50, "+2567"), &metadata)
        .await;
    stack.invoke(&event, "dry").await.unwrap();
    assert_eq!(stack.latest_job().await.counts.rejected, 20);
    // In parts.
    let job = stack
        .import("customers", customers(0..10_500, "+2567"))
        .await;
    let c = job.counts;
    assert_eq!((c.rows_read, c.rejected), (10_500, 20));
    assert_eq!(c.created + c.updated + c.unchanged, 10_480, "{c:?}");
    assert_eq!(stack.members("customers.generic").await, 10_480);
    stack.assert_verified().await;

    let mut named = uids(0..10);
    named.push("1-generic-c30".to_owned());
    let released = stack.release(&named).await;
    assert_eq!(
        released,
        json!({"released": 10, "not_found": ["1-generic-c30"]})
    );
    assert_eq!(stack.release(&uids(0..10)).await["released"], 0);
    let job = stack.import("customers", customers(0..50, "+2567")).await;
    assert_eq!((job.counts.created, job.counts.rejected), (10, 10));
    // And they can be erased again.
    assert_eq!(
        stack.erase("customers.generic", &ids(0..20)).await["deleted"],
        10
    );
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_in_more_groups_than_a_transaction_takes_leaves_them_all() {
    const GROUPS: usize = 120;
    let stack = Stack::start().await;
    for group in 0..GROUPS {
        let key = format!("inbox/1/generic/customers/g{group}/c.csv");
        stack.import_key(&key, customers(0..2, "+2567")).await;
    }
    let reply = stack.erase("g7", &ids(0..1)).await;
    let memberships = &reply["receipt"]["erased"][0]["memberships"];
    assert_eq!(*memberships, json!(GROUPS + 1), "{reply}");
    for group in 0..GROUPS {
        assert_eq!(stack.members(&format!("g{group}")).await, 1);
    }
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_cannot_be_done_are_refused_and_change_nothing() {
    let stack = Stack::start().await;
    for source in ["generic", "other"] {
        let key = format!("inbox/1/{source}/customers/both/c.csv");
        stack.import_key(&key, customers(0..3, "+2567")).await;
    }
    let mut numbers = String::from("external_id,name\n");
    writeln!(numbers, "77,Ann").unwrap();
    stack.import("customers", numbers).await;
    let many = ids(0..1_001);
    let table = [
        (
            json!({"customer_ids": ["c1"]}),
            400,
            "missing required fields",
        ),
        (
            json!({"customer_group_id": "both"}),
            400,
            "missing required fields",
        ),
        (
            json!({"customer_group_id": "both", "customer_ids": []}),
            400,
            "missing required fields",
        ),
        (
            json!({"customer_group_id": "none", "customer_ids": ["c1"]}),
            401,
            "No customers found",
        ),
        (
            json!({"customer_group_id": "both", "customer_ids": many}),
            400,
            "at most 1000 customers",
        ),
        (
            json!({"customer_group_id": "both", "customer_ids": [{"id": 1}]}),
            400,
            "expected shape",
        ),
        // Its elements would pass for the fields.
        (
            json!(["customers.generic", ["c1"]]),
            400,
            "must be a JSON object",
        ),
        // Both sources have one, and nothing says which is meant.
        (
            json!({"customer_group_id": "both", "customer_ids": ["c0", "c1"]}),
            409,
            "by their uids",
        ),
    ];
    for (body, status, message) in table {
        let (found, answer) = stack
            .ask_api(
                &stack.registry,
                (Method::DELETE, DELETE),
                &stack.token(1),
                &body,
            )
            .await;
        assert_eq!(found, status, "{body}: {answer}");
        let detail = answer["message"].as_str().unwrap();
        assert!(detail.contains(message), "{body}: {answer}");
    }
    assert_eq!(stack.members("both").await, 6);
    // In a source's own group, or by uid, it is clear who is meant; an id may be a number.
    assert_eq!(
        stack.erase("customers.other", &ids(1..2)).await["deleted"],
        1
    );
    assert_eq!(stack.erase("both", &uids(2..3)).await["deleted"], 1);
    let body = json!({"customer_group_id": "customers.generic", "customer_ids": [77]});
    let (_, reply) = stack
        .ask_api(
            &stack.registry,
            (Method::DELETE, DELETE),
            &stack.token(1),
            &body,
        )
        .await;
    assert_eq!(reply["deleted"], 1);
    assert_eq!(stack.members("both").await, 4);
    // Another organization's customers are nobody, even where the group's name is its own too.
    let two = OrganizationId::new(2).unwrap();
    stack.registry.store.ensure_organization(two).await.unwrap();
    let key = "inbox/2/generic/customers/both/c.csv";
    let event = stack.put(key, customers(7..8, "+2567")).await;
    stack.invoke(&event, "two").await.unwrap();
    let body = json!({"customer_group_id": "both", "customer_ids": ["1-generic-c0", "c0"]});
    let (_, reply) = stack
        .ask_api(
            &stack.registry,
            (Method::DELETE, DELETE),
            &stack.token(2),
            &body,
        )
        .await;
    assert_eq!(reply["not_found"], body["customer_ids"]);
    assert_eq!(stack.members("both").await, 4);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_a_warning_in_the_audit_without_uids() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..3, "+2567")).await;
    let body = json!({"customer_group_id": "customers.generic", "customer_ids": ["c1", "x"]});
    let (path, token) = ("/v1/customer", stack.token(1));
    let answer = stack
        .send(
            Method::DELETE,
            path,
            Some(&token),
            Some(body.to_string()),
            &[],
        )
        .await;
    let request_id = answer.headers["x-request-id"].to_str().unwrap();
    let lines = logs::captured();
    let line = lines
        .lines()
        .find(|line| line.contains(request_id) && line.contains("clientele::audit"))
        .unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["fields"]["action"], "records.delete");
    assert_eq!(
        line["fields"]["uid_digests"],
        answer.body["receipt"]["erased"][0]["uid_digest"]
    );
    assert!(!line.to_string().contains("generic-c1"));
    stack.stop().await;
}
