//! Groups over HTTP.

use http::Method;
use serde_json::{Value, json};

use crate::stack::{Stack, customers};

pub(crate) const NOTHING: Option<Value> = None;

impl Stack {
    pub(crate) async fn ask(
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
}

pub(crate) fn new_group(id: &str, name: &str) -> Value {
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
async fn one_group_is_listed_by_its_id() {
    let stack = Stack::start().await;
    for id in ["a", "b"] {
        let body = json!({"id": id, "name": id, "dataset": "customers"});
        assert_eq!(stack.post("/v1/groups", &body).await.status, 201);
    }
    let bound = stack.token_with(|token| token.groups = Some(vec!["a".to_owned()]));
    let (mine, foreign) = (stack.token(1), stack.token(2));
    let table = [
        (&mine, "b", 1),
        (&mine, "c", 0),
        (&mine, "Not%20an%20id", 0),
        (&bound, "a", 1),
        (&bound, "b", 0),
        (&foreign, "b", 0),
    ];
    for (token, id, found) in table {
        let path = format!("/v1/groups?id={id}&limit=1");
        let answer = stack
            .send(http::Method::GET, &path, Some(token), None, &[])
            .await;
        let groups = answer.body["groups"].as_array().unwrap();
        assert_eq!((answer.status.as_u16(), groups.len()), (200, found), "{id}");
        assert!(answer.body["next_after"].is_null(), "{id}");
    }
    stack.stop().await;
}
