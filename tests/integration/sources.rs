//! Sources that push by themselves, with tokens of their own.

use clientele::Registry;
use http::Method;
use serde_json::{Value, json};

use crate::{
    network::{Fate, Network},
    stack::{Answer, Stack},
};

impl Stack {
    /// Makes a token; the reply.
    async fn grant(&self, data_origin: &str, datasets: &[&str]) -> Answer {
        let body = json!({"data_origin": data_origin, "datasets": datasets});
        self.post("/v1/sources", &body).await
    }

    pub(crate) async fn token_of(&self, data_origin: &str, datasets: &[&str]) -> String {
        let granted = self.grant(data_origin, datasets).await;
        assert_eq!(granted.status, 201, "{granted:?}");
        granted.body["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send(Method::GET, path, Some(token), None, &[]).await
    }

    pub(crate) async fn post_as(&self, token: &str, path: &str, body: &Value) -> Answer {
        let body = Some(body.to_string());
        self.send(Method::POST, path, Some(token), body, &[]).await
    }

    async fn delete(&self, path: &str) -> Answer {
        let token = self.token(1);
        self.send(Method::DELETE, path, Some(&token), None, &[])
            .await
    }

    /// Waits for the job that a push has made.
    pub(crate) async fn pushed(&self, pushed: &Answer) -> Value {
        assert_eq!(pushed.status, 201, "{pushed:?}");
        self.job_at(pushed.body["job"].as_str().unwrap()).await
    }
}

fn rows() -> Value {
    json!({"data": [{"external_id": "1", "name": "Ann"}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_pushes_and_reads_its_own_records_and_sees_its_own_jobs() {
    let stack = Stack::start().await;
    let token = stack.token_of("north", &["customers"]).await;
    let in_north = stack
        .post_as(&token, "/api/v1/in/customers?source=north", &rows())
        .await;
    assert_eq!(stack.pushed(&in_north).await["source"], "north");
    let pushed = stack.post_as(&token, "/api/v1/in/customers", &rows()).await;
    let job = stack.pushed(&pushed).await;
    assert_eq!(job["source"], "north");
    assert_eq!(job["unchanged"], 1);
    let others = stack.post("/api/v1/in/customers", &rows()).await;
    stack.pushed(&others).await;

    let read = stack.get_as(&token, "/api/v1/out/customers").await;
    assert_eq!(read.body["total"], 1);
    assert_eq!(read.body["data"][0]["uid"], "1-north-1");
    let checked = stack
        .post_as(&token, "/api/v1/in/customers/check", &rows())
        .await;
    assert_eq!(checked.body["unchanged"], 1);
    let upload = json!({"dataset": "customers", "filename": "a.csv"});
    let announced = stack.post_as(&token, "/v1/uploads", &upload).await;
    assert_eq!(announced.status, 201);

    let jobs = stack.get_as(&token, "/v1/jobs").await;
    let shown = jobs.body["jobs"].as_array().unwrap().iter();
    let sources: Vec<_> = shown.map(|job| &job["source"]).collect();
    assert_eq!(sources, ["north", "north", "north"]);
    let own = pushed.body["job"].as_str().unwrap();
    assert_eq!(stack.get_as(&token, own).await.status, 200);
    let report = format!("{own}/report");
    assert_eq!(stack.get_as(&token, &report).await.status, 200);
    let theirs = others.body["job"].as_str().unwrap();
    let foreign = stack.get_as(&token, theirs).await;
    let unknown = stack
        .get_as(&token, "/v1/jobs/67e55044-10b1-426f-9247-bb680e5fe0c8")
        .await;
    assert_eq!(
        (foreign.status.as_u16(), unknown.status.as_u16()),
        (404, 404)
    );
    assert_eq!(foreign.body["detail"], unknown.body["detail"]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_reaches_nothing_else() {
    let stack = Stack::start().await;
    let token = stack.token_of("north", &["meters"]).await;
    let meter = json!({"data": [{
        "customer_external_id": "1", "manufacturer": "HOP", "serial_number": "7",
        "device_external_id": "d", "customer_name": "Ann",
    }]});
    // Meters bring their customers, which are read by whoever may read customers.
    let pushed = stack.post_as(&token, "/api/v1/in/meters", &meter).await;
    assert_eq!(stack.pushed(&pushed).await["created"], 1);
    let upload = |key: &str, value: &str| {
        let mut body = json!({"dataset": "meters", "filename": "a.csv"});
        body[key] = json!(value);
        body
    };
    let posts = [
        ("/api/v1/in/customers", rows(), 404),
        ("/api/v1/in/meters?source=south", meter.clone(), 404),
        ("/api/v1/in/meters?source=external", meter.clone(), 404),
        ("/api/v1/in/meters/check?source=south", meter, 404),
        ("/v1/uploads", upload("source", "south"), 404),
        ("/v1/uploads", upload("dataset", "customers"), 404),
        (
            "/v1/uploads",
            upload("customer_group_id", "customers.api"),
            401,
        ),
        (
            "/v1/sources",
            json!({"data_origin": "north", "datasets": ["customers"]}),
            403,
        ),
        (
            "/v1/customer",
            json!({"customer_group_id": "meters.north", "page": 0}),
            403,
        ),
        (
            "/v1/customer/pages",
            json!({"customer_group_id": "meters.north"}),
            403,
        ),
    ];
    for (path, body, status) in posts {
        let answer = stack.post_as(&token, path, &body).await;
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
    }
    for (path, status) in [
        ("/api/v1/out/meters", 200),
        ("/api/v1/out/meters?source=south", 404),
        ("/api/v1/out/customers", 404),
        ("/v1/sources", 403),
    ] {
        assert_eq!(stack.get_as(&token, path).await.status, status, "{path}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_that_is_not_a_sources_is_403_to_it() {
    use clientele::web::{ENDPOINTS, Operation::*};
    let stack = Stack::start().await;
    let token = stack.token_of("north", &["customers"]).await;
    for endpoint in ENDPOINTS {
        let is_open = matches!(
            endpoint.operation,
            PushRows
                | CheckRows
                | ReadRows
                | AnnounceUpload
                | ListJobs
                | ReadJob
                | CancelJob
                | ReadReport
                | ReadRejected
                | PushEvents
                | CreateContact
                | CreateContacts
                | ListContacts
        );
        let path = endpoint.path.replace(['{', '}', '+'], "");
        let body = Some("{}".to_owned());
        let answer = stack
            .send(endpoint.method.clone(), &path, Some(&token), body, &[])
            .await;
        assert_eq!(answer.status == 403, !is_open, "{path}: {answer:?}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_kept_as_a_hash() {
    let stack = Stack::start().await;
    let granted = stack
        .grant("north", &["meters", "customers", "meters"])
        .await;
    assert_eq!(granted.headers["cache-control"], "no-store");
    let token = granted.body["token"].as_str().unwrap();
    assert!(
        token.starts_with("clientele_src_") && token.len() == 57,
        "{token}"
    );
    assert_eq!(granted.body["data_origin"], "north");
    let datasets = json!(["customers", "meters"]);
    assert_eq!(granted.body["datasets"], datasets);

    let listed = stack.get("/v1/sources").await.body;
    let sources = listed["sources"].as_array().unwrap();
    let names: Vec<_> = sources
        .iter()
        .map(|source| &source["data_origin"])
        .collect();
    assert_eq!(names, ["api", "generic", "north"]);
    assert_eq!(sources[0]["tokens"], json!([]));
    let shown = &sources[2]["tokens"][0];
    assert_eq!(shown["id"], granted.body["id"]);
    assert_eq!(shown["datasets"], datasets);
    assert_eq!(shown["created_at"], granted.body["created_at"]);
    assert_eq!(shown["created_by"], "local");
    assert_eq!(listed["next_after"], Value::Null);
    let stored = format!("{listed}{:?}", stack.items().await);
    assert!(!stored.contains(token.trim_start_matches("clientele_src_")));

    let after = stack.get("/v1/sources?after=api").await.body;
    assert_eq!(after["sources"][0]["data_origin"], "generic");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_worth_nothing_at_once() {
    let stack = Stack::start().await;
    let first = stack.grant("north", &["customers"]).await.body;
    let second = stack.token_of("north", &["customers"]).await;
    let third = stack.token_of("north", &["customers"]).await;
    let first_token = first["token"].as_str().unwrap();
    let works = async |token: &str| stack.get_as(token, "/v1/jobs").await.status == 200;
    assert!(works(first_token).await && works(&second).await && works(&third).await);

    let one = format!("/v1/sources/north?token={}", first["id"].as_str().unwrap());
    assert_eq!(stack.delete(&one).await.body, json!({"revoked": 1}));
    assert!(!works(first_token).await && works(&second).await);
    let refused = stack.get_as(first_token, "/v1/jobs").await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
    assert_eq!(stack.delete(&one).await.status, 404);

    let all = "/v1/sources/north";
    assert_eq!(stack.delete(all).await.body, json!({"revoked": 2}));
    assert!(!works(&second).await && !works(&third).await);
    assert_eq!(stack.delete(all).await.body, json!({"revoked": 0}));
    // The source stays, and can have tokens again.
    let listed = stack.get("/v1/sources?after=generic").await.body;
    assert_eq!(listed["sources"][0]["tokens"], json!([]));
    assert!(works(&stack.token_of("north", &["customers"]).await).await);
    for path in [
        "/v1/sources/nowhere",
        "/v1/sources/No-Name",
        "/v1/sources/north?token=nonsense",
        "/v1/sources/north?token=67e55044-10b1-426f-9247-bb680e5fe0c8",
    ] {
        assert_eq!(stack.delete(path).await.status, 404, "{path}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_made_is_refused() {
    let stack = Stack::start().await;
    let table = [
        (
            json!({"data_origin": "external", "datasets": ["customers"]}),
            "reserved_source",
        ),
        (
            json!({"data_origin": "workspace", "datasets": ["customers"]}),
            "reserved_source",
        ),
        (
            json!({"data_origin": "No Name", "datasets": ["customers"]}),
            "invalid_source",
        ),
        (
            json!({"data_origin": "north", "datasets": ["nonsense"]}),
            "unknown_dataset",
        ),
        (
            json!({"data_origin": "north", "datasets": ["workspace"]}),
            "unknown_dataset",
        ),
        (
            json!({"data_origin": "north", "datasets": []}),
            "invalid_datasets",
        ),
        (
            json!({"data_origin": "north", "datasets": vec!["customers"; 21]}),
            "invalid_datasets",
        ),
        (json!({"data_origin": "north"}), "invalid_body"),
        (json!({"datasets": ["customers"]}), "invalid_body"),
    ];
    for (body, code) in table {
        let answer = stack.post("/v1/sources", &body).await;
        assert_eq!(answer.status, 400, "{body}");
        let kind = answer.body["type"].as_str().unwrap();
        assert!(kind.ends_with(&format!("/{code}")), "{body}: {kind}");
    }
    for _ in 0..10 {
        stack.token_of("north", &["customers"]).await;
    }
    let eleventh = stack.grant("north", &["customers"]).await;
    assert_eq!(eleventh.status, 409);
    assert!(
        eleventh.body["type"]
            .as_str()
            .unwrap()
            .ends_with("/too_many_tokens")
    );
    stack.token_of("south", &["customers"]).await;
    // Whoever is bound to groups would get out of them with a token.
    let bound = stack.token_with(|token| token.groups = Some(vec!["customers.north".to_owned()]));
    let body = json!({"data_origin": "north", "datasets": ["customers"]});
    assert_eq!(
        stack.post_as(&bound, "/v1/sources", &body).await.status,
        403
    );
    assert_eq!(stack.get_as(&bound, "/v1/sources").await.status, 403);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_organization_is_not_listed_nor_revoked() {
    let stack = Stack::start().await;
    let token = stack.token_of("north", &["customers"]).await;
    let other = stack.token(2);
    let listed = stack.get_as(&other, "/v1/sources").await;
    assert_eq!(listed.body["sources"], json!([]));
    let revoked = stack
        .send(Method::DELETE, "/v1/sources/north", Some(&other), None, &[])
        .await;
    assert_eq!(revoked.status, 404);
    assert_eq!(stack.get_as(&token, "/v1/jobs").await.status, 200);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tokens_of_a_source_share_its_quota_and_no_users() {
    let stack = Stack::with_rate_limit(5).await;
    let user = stack.token_with(|token| token.user = "north".to_owned());
    let body = json!({"data_origin": "north", "datasets": ["customers"]});
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let granted = stack.post_as(&user, "/v1/sources", &body).await;
        tokens.push(granted.body["token"].as_str().unwrap().to_owned());
    }
    for n in 0..5 {
        let answer = stack.get_as(&tokens[n % 2], "/v1/jobs").await;
        assert_eq!(answer.status, 200, "{n}");
    }
    for token in &tokens {
        assert_eq!(stack.get_as(token, "/v1/jobs").await.status, 429);
    }
    assert_eq!(stack.get_as(&user, "/v1/sources").await.status, 200);
    stack.stop().await;
}

/// Grants and revokes with each call disturbed in turn: every reply that arrives is true.
#[tokio::test(flavor = "multi_thread")]
async fn a_reply_lost_at_any_call_leaves_no_token_that_nobody_knows() {
    let stack = Stack::start().await;
    let user = stack.token(1);
    let mut disturbed = 0;
    for number in 1.. {
        let network = Network::new(move |call| match call.number == number {
            true => Fate::ReplyLost,
            false => Fate::Answered,
        });
        let config = stack.registry.config.clone();
        let registry = Registry::new(config, network.between(&stack.local.clients)).unwrap();
        let ask = async |method: &str, path: &str, body: Value| {
            let request = http::Request::builder()
                .method(method)
                .uri(path)
                .header("authorization", format!("Bearer {user}"))
                .header("content-type", "application/json")
                .body(lambda_http::Body::from(body.to_string()));
            let response = clientele_api::handle(&registry, request.unwrap()).await;
            let status = response.status();
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            (status, body)
        };
        let body = json!({"data_origin": "north", "datasets": ["customers"]});
        let (status, granted) = ask("POST", "/v1/sources", body).await;
        assert_eq!(status, 201, "call {number} of {:?}", network.calls());
        let token = granted["token"].as_str().unwrap();
        assert_eq!(stack.get_as(token, "/v1/jobs").await.status, 200);
        let (status, revoked) = ask("DELETE", "/v1/sources/north", json!({})).await;
        assert_eq!(status, 200);
        assert_eq!(revoked, json!({"revoked": 1}), "call {number}");
        assert_eq!(stack.get_as(token, "/v1/jobs").await.status, 401);
        if network.disturbed() == 0 {
            break;
        }
        disturbed += 1;
    }
    assert!(disturbed > 8, "{disturbed}");
    let is_token =
        |item: &clientele::store::layout::Item| item["pk"].as_s().unwrap().starts_with("TOKEN#");
    assert!(!stack.items().await.iter().any(is_token));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_parameter_does_not_revoke_every_token() {
    let stack = Stack::start().await;
    let token = stack.token_of("north", &["customers"]).await;
    let mistyped = stack.delete("/v1/sources/north?token_id=x").await;
    assert_eq!(mistyped.status, 400);
    let pushed = stack.post_as(&token, "/api/v1/in/customers", &rows()).await;
    assert_eq!(pushed.status, 201);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_sent_again_makes_one_token() {
    let stack = Stack::start().await;
    let body = json!({"data_origin": "north", "datasets": ["customers"]}).to_string();
    let headers = [("idempotency-key", "k")];
    let token = stack.token(1);
    let grant = async || {
        let body = Some(body.clone());
        let path = "/v1/sources";
        let answer = stack
            .send(Method::POST, path, Some(&token), body, &headers)
            .await;
        assert_eq!(answer.status, 201);
        assert_eq!(answer.headers["cache-control"], "no-store");
        answer.body
    };
    let (mut first, again) = (grant().await, grant().await);
    assert!(first["token"].is_string());
    // Shown once: who repeats the request learns which token was made, to revoke it by its id.
    first["token"] = Value::Null;
    assert_eq!(first, again);
    let listed = stack.get("/v1/sources?after=generic").await.body;
    assert_eq!(listed["sources"][0]["tokens"].as_array().unwrap().len(), 1);
    stack.stop().await;
}
