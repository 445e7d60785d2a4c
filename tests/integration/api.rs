//! The dataset API and jobs over HTTP.

use http::Method;
use serde_json::{Value, json};

use crate::stack::{Stack, customers};

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_pushed_become_a_job_and_can_be_read() {
    let stack = Stack::start().await;
    let rows = json!({"data": [
        {"external_id": "1", "birth_year": "1990", "household_size": null},
        {"external_id": "2", "birth_year": "MCMXC"},
        {"external_id": "3", "country": "ug"},
    ]});
    let pushed = stack.post("/api/v1/in/customers", &rows).await;
    assert_eq!(pushed.status, 201);
    assert_eq!(pushed.body["id"], 1);
    assert_eq!(pushed.body["status"], "Import started");
    let job = stack.job_at(pushed.body["job"].as_str().unwrap()).await;
    assert_eq!(job["state"], "completed_with_rejections");
    assert_eq!(job["errors"][0]["row"], 2);
    assert_eq!(job["errors"][0]["code"], "type_integer");
    let read = stack.get("/api/v1/out/customers/?size=1&page=2").await;
    assert_eq!(read.body["total"], 2);
    assert_eq!(read.body["pages"], 2);
    assert_eq!(read.body["data"].as_array().unwrap().len(), 1);
    let one = stack
        .get("/api/v1/out/customers/?size=50&page=1&q[external_id_eq]=3")
        .await;
    assert_eq!(one.body["data"][0]["country"], "UG");
    let none = stack.get("/api/v1/out/customers?q[uid_eq]=2-api-3").await;
    assert_eq!(
        none.body,
        json!({"data": [], "page": 1, "pages": 0, "total": 0})
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_predicts_and_writes_nothing() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..3, "+2567")).await;
    let before = stack.items_but_requests().await.len();
    let rows = json!({"data": [
        {"external_id": "c0", "profession": "baker"},
        {"external_id": "c1"},
        {"external_id": "new"},
        {"external_id": ""},
    ]});
    let path = "/api/v1/in/customers/check?source=generic";
    let checked = stack.post(path, &rows).await;
    assert_eq!(checked.status, 200);
    for (count, expected) in [
        ("created", 1),
        ("updated", 1),
        ("unchanged", 1),
        ("rejected", 1),
    ] {
        assert_eq!(checked.body[count], expected, "{count}");
    }
    assert_eq!(checked.body["errors"][0]["code"], "required");
    assert_eq!(stack.items_but_requests().await.len(), before);
    let headers = [("accept-language", "fr-CA, en;q=0.5")];
    let token = stack.token(1);
    let french = stack
        .send(
            Method::POST,
            path,
            Some(&token),
            Some(rows.to_string()),
            &headers,
        )
        .await;
    assert_eq!(
        french.body["errors"][0]["message"],
        "external_id est obligatoire"
    );
    let near = stack
        .post(
            path,
            &json!({"data": [{"external_id": 1, "Telephon": "x"}]}),
        )
        .await;
    assert_eq!(near.status, 400);
    assert!(
        near.body["detail"]
            .as_str()
            .unwrap()
            .contains("did you mean")
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organisation_comes_into_being_with_its_first_write_and_sees_only_its_own() {
    let stack = Stack::start().await;
    let token = stack.token(7);
    let rows = json!({"data": [{"external_id": "x"}]}).to_string();
    let pushed = stack
        .send(
            Method::POST,
            "/api/v1/in/customers",
            Some(&token),
            Some(rows),
            &[],
        )
        .await;
    let path = pushed.body["job"].as_str().unwrap().to_owned();
    stack
        .until(|| async {
            let job = stack
                .send(Method::GET, &path, Some(&token), None, &[])
                .await;
            (job.body["state"] == "completed").then_some(())
        })
        .await;
    // To organisation 1, the job does not exist.
    let foreign = stack.get(&path).await;
    let unknown = stack
        .get("/v1/jobs/67e55044-10b1-426f-9247-bb680e5fe0c8")
        .await;
    assert_eq!(foreign.status, 404);
    assert_eq!(foreign.body["detail"], unknown.body["detail"]);
    assert_eq!(
        stack
            .get("/api/v1/out/customers?q[uid_eq]=7-api-x")
            .await
            .body["total"],
        0
    );
    assert_eq!(stack.get("/v1/jobs").await.body["jobs"], json!([]));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_cannot_be_served_are_problems() {
    let stack = Stack::start().await;
    let mine = stack.token(1);
    let reader = stack.token_with(|t| t.scope = "records:read".to_owned());
    let bound = stack.token_with(|t| t.groups = Some(vec!["g".to_owned()]));
    let only_meters = stack.token_with(|t| t.groups = Some(vec!["meters.api".to_owned()]));
    let mut forged = mine.clone().into_bytes();
    let in_signature = forged.len() - 10;
    forged[in_signature] = if forged[in_signature] == b'A' {
        b'B'
    } else {
        b'A'
    };
    let forged = String::from_utf8(forged).unwrap();
    let rows = |n: usize| json!({"data": vec![json!({"external_id": "1"}); n]}).to_string();
    let table: [(Method, &str, Option<&str>, Option<String>, u16, &str); 21] = [
        (
            Method::POST,
            "/api/v1/in/customers",
            None,
            Some(rows(1)),
            401,
            "unauthenticated",
        ),
        (
            Method::POST,
            "/api/v1/in/customers",
            Some("nonsense"),
            Some(rows(1)),
            401,
            "unauthenticated",
        ),
        (
            Method::POST,
            "/api/v1/in/customers",
            Some(&forged),
            Some(rows(1)),
            401,
            "unauthenticated",
        ),
        (
            Method::POST,
            "/api/v1/in/customers",
            Some(&reader),
            Some(rows(1)),
            403,
            "forbidden",
        ),
        (
            Method::POST,
            "/api/v1/in/clients",
            Some(&mine),
            Some(rows(1)),
            404,
            "not_found",
        ),
        (
            Method::POST,
            "/api/v1/in/customers",
            Some(&bound),
            Some(rows(1)),
            404,
            "not_found",
        ),
        (
            Method::POST,
            "/api/v1/in/customers?source=A",
            Some(&mine),
            Some(rows(1)),
            400,
            "invalid_source",
        ),
        (
            Method::POST,
            "/api/v1/in/customers?source=external",
            Some(&mine),
            Some(rows(1)),
            400,
            "reserved_source",
        ),
        (
            Method::POST,
            "/api/v1/in/customers",
            Some(&mine),
            Some("{}".into()),
            400,
            "invalid_body",
        ),
        (
            Method::POST,
            "/api/v1/in/customers",
            Some(&mine),
            Some("{\"data\": [".into()),
            400,
            "invalid_body",
        ),
        (
            Method::POST,
            "/api/v1/in/customers",
            Some(&mine),
            None,
            400,
            "invalid_body",
        ),
        (
            Method::POST,
            "/api/v1/in/customers",
            Some(&mine),
            Some(format!("[[{}]]", json!({"external_id": "1"}))),
            400,
            "invalid_body",
        ),
        (
            Method::POST,
            "/api/v1/in/meters",
            Some(&only_meters),
            Some(rows(1)),
            404,
            "not_found",
        ),
        (
            Method::GET,
            "/api/v1/out/customers?q[name_eq]=x",
            Some(&mine),
            None,
            400,
            "invalid_query",
        ),
        (
            Method::POST,
            "/api/v1/in/customers",
            Some(&mine),
            Some(rows(0)),
            400,
            "row_count",
        ),
        (
            Method::POST,
            "/api/v1/in/customers",
            Some(&mine),
            Some(rows(10_001)),
            400,
            "row_count",
        ),
        (
            Method::DELETE,
            "/api/v1/in/customers",
            Some(&mine),
            None,
            405,
            "method_not_allowed",
        ),
        (
            Method::GET,
            "/v1/customer/pages",
            Some(&mine),
            None,
            405,
            "method_not_allowed",
        ),
        (
            Method::GET,
            "/api/v1/out/customers?size=1001",
            Some(&mine),
            None,
            400,
            "invalid_query",
        ),
        (Method::GET, "/nowhere", Some(&mine), None, 404, "not_found"),
        (
            Method::GET,
            "/v1/jobs/nonsense",
            Some(&mine),
            None,
            404,
            "not_found",
        ),
    ];
    for (method, path, token, body, status, code) in table {
        let answer = stack.send(method.clone(), path, token, body, &[]).await;
        assert_eq!(answer.status, status, "{method} {path} {:?}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let kind = answer.body["type"].as_str().unwrap();
        assert!(
            kind.ends_with(&format!("/docs/errors/{code}")),
            "{kind} is not {code}"
        );
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert_eq!(answer.body["request_id"], Value::from(id));
        assert_eq!(answer.body["status"], status);
        if status == 405 {
            assert_eq!(answer.headers["allow"], "POST");
        }
    }
    let answer = reqwest::Client::new()
        .post(format!(
            "{}/api/v1/in/customers",
            stack.local.endpoints.http
        ))
        .bearer_auth(&mine)
        .header("content-type", "text/csv")
        .body("external_id\n1\n");
    assert_eq!(answer.send().await.unwrap().status(), 415);
    stack.stop().await;
}

#[tokio::test]
async fn an_id_that_holds_what_ends_addresses_is_that_of_nothing() {
    let stack = Stack::start().await;
    let table = [
        (Method::POST, "/v1/jobs/a%23b/cancel"),
        (Method::POST, "/v1/jobs/a%3Fb/cancel"),
        (Method::GET, "/v1/jobs/%23"),
        (Method::GET, "/v1/jobs/%3F"),
        (Method::GET, "/v1/jobs/a%23/report"),
    ];
    for (method, path) in table {
        let token = stack.token(1);
        let sent = stack.send(method.clone(), path, Some(&token), None, &[]);
        assert_eq!(sent.await.status, 404, "{method} {path}");
    }
    stack.stop().await;
}
