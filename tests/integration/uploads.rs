//! Files that go straight to the bucket by an address that the API gives.

use serde_json::{Value, json};

use crate::stack::{Stack, customers};

async fn upload(announced: &Value, content: String) -> reqwest::Response {
    let mut put = reqwest::Client::new().put(announced["url"].as_str().unwrap());
    for (name, value) in announced["headers"].as_object().unwrap() {
        put = put.header(name, value.as_str().unwrap());
    }
    put.body(content).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_upload_is_imported_when_it_arrives() {
    let stack = Stack::start().await;
    let request = json!({"dataset": "customers", "filename": "Été 2026.CSV", "source": "generic"});
    let announced = stack.post("/v1/uploads", &request).await;
    assert_eq!(announced.status, 201, "{announced:?}");
    let path = announced.body["job"].as_str().unwrap();
    let waiting = stack.get(path).await.body;
    assert_eq!(
        (&waiting["state"], &waiting["filename"]),
        (&json!("queued"), &request["filename"])
    );
    // The long id, as every route takes it.
    let long = announced.body["job_id"].as_str().unwrap();
    assert_eq!(stack.get(&format!("/v1/jobs/{long}")).await.status, 200);

    let put = upload(&announced.body, customers(0..25, "+2567")).await;
    assert_eq!(put.status(), 200);
    let job = stack.job_at(path).await;
    assert_eq!(
        (&job["state"], &job["created"]),
        (&json!("completed"), &json!(25))
    );

    let whole = stack
        .post("/v1/uploads?mode=all_or_nothing", &request)
        .await;
    let put = upload(
        &whole.body,
        "external_id,birth_year\na,1990\nb,1\n".to_owned(),
    )
    .await;
    assert_eq!(put.status(), 200);
    let job = stack.job_at(whole.body["job"].as_str().unwrap()).await;
    assert_eq!(
        (&job["state"], &job["mode"]),
        (&json!("failed"), &json!("all_or_nothing"))
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_upload_is_not_imported() {
    let stack = Stack::start().await;
    let request = json!({"dataset": "customers", "filename": "a.csv"});
    let announced = stack.post("/v1/uploads", &request).await;
    let path = announced.body["job"].as_str().unwrap();
    let cancelled = stack.post(&format!("{path}/cancel"), &Value::Null).await;
    assert_eq!(
        (cancelled.status.as_u16(), &cancelled.body["state"]),
        (200, &json!("cancelled"))
    );
    upload(&announced.body, customers(0..3, "+2567")).await;
    // The next upload is imported after it, so that it has been seen by then.
    let next = stack.post("/v1/uploads", &request).await;
    upload(&next.body, customers(7..8, "+2567")).await;
    stack.job_at(next.body["job"].as_str().unwrap()).await;
    let count = stack.get("/api/v1/out/customers").await.body["total"].clone();
    assert_eq!(count, 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_cannot_be_imported_is_refused_before_it_is_sent() {
    let stack = Stack::start().await;
    let base = json!({"dataset": "customers", "filename": "a.csv"});
    let with = |name: &str, value: &str| {
        let mut request = base.clone();
        request[name] = value.into();
        request
    };
    let table = [
        (with("dataset", "people"), 404),
        (with("filename", "a/b.csv"), 400),
        (with("filename", " "), 400),
        (with("mode", "some"), 400),
        (with("source", "external"), 400),
        (with("source", "Generic"), 400),
        (with("customer_group_id", "unknown"), 401),
        (json!({"dataset": "customers"}), 400),
    ];
    for (request, status) in table {
        let answer = stack.post("/v1/uploads", &request).await;
        assert_eq!(answer.status, status, "{request}: {}", answer.body);
    }
    assert_eq!(stack.get("/v1/uploads").await.status, 405);
    let reader = stack.token_with(|token| token.scope = "records:read".to_owned());
    let answer = stack
        .send(
            http::Method::POST,
            "/v1/uploads",
            Some(&reader),
            Some(base.to_string()),
            &[],
        )
        .await;
    assert_eq!(answer.status, 403);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_good_for_one_file() {
    let stack = Stack::start().await;
    let request = json!({"dataset": "customers", "filename": "a.csv"});
    let announced = stack.post("/v1/uploads", &request).await.body;
    assert_eq!(
        upload(&announced, customers(0..3, "+2567")).await.status(),
        200
    );
    let job = stack.job_at(announced["job"].as_str().unwrap()).await;
    assert_eq!(job["created"], 3);
    // The first file is gone by now; the second is kept, but nobody's job.
    stack
        .until(|| async {
            let put = upload(&announced, customers(3..5, "+2567")).await;
            put.status().is_success().then_some(())
        })
        .await;
    let failed = stack.watched().join("failed/staged/1");
    stack
        .until(|| async { failed.exists().then_some(()) })
        .await;
    let again = stack.get(announced["job"].as_str().unwrap()).await.body;
    assert_eq!(
        (&again["state"], &again["created"]),
        (&json!("completed"), &json!(3))
    );
    stack.stop().await;
}

/// What a browser asks before it sends another site a file.
async fn preflight(url: &str, method: &str, headers: &str) -> reqwest::Response {
    let options = reqwest::Client::new().request(reqwest::Method::OPTIONS, url);
    let options = options
        .header("origin", "http://console.example")
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers);
    options.send().await.unwrap()
}

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_may_upload_from_the_console() {
    let stack = Stack::start().await;
    let request = json!({"dataset": "customers", "filename": "a.csv"});
    let announced = stack.post("/v1/uploads", &request).await.body;
    let url = announced["url"].as_str().unwrap();
    let signed = announced["headers"].as_object().unwrap();
    let asked: Vec<_> = signed.keys().map(String::as_str).collect();
    let asked = format!("content-type,{}", asked.join(","));

    let allowed = preflight(url, "PUT", &asked).await;
    assert_eq!(allowed.status(), 200);
    assert_eq!(header(&allowed, "access-control-allow-origin"), "*");
    let methods = header(&allowed, "access-control-allow-methods");
    let headers = header(&allowed, "access-control-allow-headers");
    assert_eq!(methods, "PUT");
    for name in asked.split(',') {
        assert!(headers.split(',').any(|allowed| allowed == name), "{name}");
    }
    // Cookies and the like stay at home.
    assert_eq!(header(&allowed, "access-control-allow-credentials"), "");

    let foreign = reqwest::Client::new().put(url);
    let foreign = foreign.header("origin", "http://console.example");
    let unsigned = foreign.try_clone().unwrap().body("a").send().await.unwrap();
    assert_eq!(unsigned.status(), 403, "without what was signed");
    let put = foreign
        .header("if-none-match", signed["if-none-match"].as_str().unwrap())
        .body(customers(0..2, "+2567"));
    let put = put.send().await.unwrap();
    assert_eq!(put.status(), 200);
    assert_eq!(header(&put, "access-control-allow-origin"), "*");
    assert_eq!(header(&put, "access-control-expose-headers"), "etag");
    let job = stack.job_at(announced["job"].as_str().unwrap()).await;
    assert_eq!(job["created"], 2);
    stack.stop().await;
}
