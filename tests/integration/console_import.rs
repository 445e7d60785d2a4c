//! Importing a file through the console's forms, without a browser's scripts, and what the script
//! asks for.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    stack::{Stack, file},
    visitor::Visitor,
};

const BOUNDARY: &str = "----clientele";

/// A form with a file, as browsers write one (RFC 7578).
fn multipart(fields: &[(&str, &str)], filename: &str, content: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .as_bytes(),
        );
    }
    body.extend_from_slice(
        format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
             content-type: application/octet-stream\r\n\r\n"
        )
        .as_bytes(),
    );
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// Sends the form, waits for its job's end, and returns the job's page.
async fn import(visitor: &Visitor, stack: &Stack, mode: &str, name: &str, csv: &[u8]) -> String {
    let fields = [
        ("dataset", "customers"),
        ("source", "generic"),
        ("mode", mode),
    ];
    let body = multipart(&fields, name, csv);
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let answer = visitor.upload("/console/import", &content_type, body).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let page = answer.header("location").to_owned();
    let job = page.rsplit('/').next().unwrap().to_owned();
    stack.job_at(&format!("/v1/jobs/{job}")).await;
    visitor.get(&page).await.html
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_tried_imported_corrected_and_imported_again() {
    let stack = Stack::start().await;
    let user = stack.visitor_with(stack.token(1));
    let csv = b"external_id,name,birth_year\n1,Ann,1990\n2,<script>alert(1)</script>,abc\n";

    let tried = import(&user, &stack, "dry_run", "tried.csv", csv).await;
    assert!(tried.contains("this is what an import would do"), "{tried}");
    assert_eq!(
        stack.get("/api/v1/out/customers?source=generic").await.body["total"],
        0
    );

    let page = import(&user, &stack, "write", "people.csv", csv).await;
    assert!(page.contains("<code>type_integer</code>"), "{page}");
    assert!(!page.contains("<script>alert"), "{page}");
    assert!(
        !page.contains("data-refresh"),
        "an ended job is not asked about again"
    );

    let job = page
        .split("/console/jobs/")
        .find_map(|rest| rest.split_once("/rejected.csv"));
    let path = format!("/console/jobs/{}/rejected.csv", job.unwrap().0);
    let answer = user.get(&path).await;
    assert!(
        answer
            .header("content-disposition")
            .contains("rejected-people.csv")
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    let rejected = answer.html;
    let corrected = rejected.replacen("abc", "1991", 1);
    assert_ne!(corrected, rejected);

    let page = import(
        &user,
        &stack,
        "write",
        "rejected-people.csv",
        corrected.as_bytes(),
    )
    .await;
    assert!(
        !page.contains("row-errors") && page.contains("badge good"),
        "{page}"
    );
    let total = stack.get("/api/v1/out/customers?source=generic").await;
    assert_eq!(total.body["total"], 2);

    let again = import(&user, &stack, "write", "people.csv", corrected.as_bytes()).await;
    assert!(again.contains("<dt>Unchanged</dt><dd>1</dd>"), "{again}");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_a_file_or_with_a_wrong_source_says_so() {
    let stack = Stack::start().await;
    let user = stack.visitor_with(stack.token(1));
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let table: [(&[(&str, &str)], &str, &str); 4] = [
        (&[("dataset", "customers")], "", "Choose a file"),
        (
            &[("dataset", "customers"), ("source", "No Such!")],
            "a.csv",
            "1 to 32 characters",
        ),
        (
            &[("dataset", "customers"), ("group", "nobodys")],
            "a.csv",
            "no such group",
        ),
        (&[("dataset", "nothing")], "a.csv", "no such dataset"),
    ];
    for (fields, filename, expected) in table {
        let body = multipart(fields, filename, b"external_id\n1\n");
        let answer = user.upload("/console/import", &content_type, body).await;
        let page = answer.html;
        let alert = page
            .split_once("role=\"alert\"")
            .map_or("", |(_, rest)| rest);
        assert!(alert.contains(expected), "{fields:?}: {page}");
    }
    let answer = user
        .upload("/console/import", "text/plain", b"x".to_vec())
        .await;
    assert!(answer.html.contains("Choose a file"));
    assert_eq!(stack.get("/v1/jobs").await.body["jobs"], json!([]));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_shows_what_columns_become_and_keeps_nothing() {
    let stack = Stack::start().await;
    let user = stack.visitor_with(stack.token(1));
    let preview = async |query: &str, body: &[u8]| {
        let path = format!("/console/import/preview?{query}");
        let answer = user
            .upload(&path, "application/octet-stream", body.to_vec())
            .await;
        answer.html
    };
    let csv = b"external_id;Telephon;shoe size;uid;Full Name\n7;+256;41;x;<b>Ann</b>\n";
    let page = preview("dataset=customers", csv).await;
    for expected in [
        "csv · UTF-8",
        "refused: did you mean phone?",
        "<code>custom</code>",
        "only the registry fills uid",
        "&#60;b&#62;Ann",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let missing = preview("dataset=customers", b"name\nAnn\n").await;
    assert!(
        missing.contains("required") && missing.contains("<code>external_id</code>"),
        "{missing}"
    );
    let xlsx = preview("dataset=customers", &file("customers.xlsx")).await;
    assert!(xlsx.contains("<code>external_id</code>"), "{xlsx}");
    let events = preview("dataset=profiles", b"{\"eventType\": \"CUSTOMER\"}").await;
    assert!(events.contains("holds events"), "{events}");
    // A file's beginning may end within a row, or within a quote.
    let cut = preview("dataset=customers&cut=", b"external_id,name\n1,Ann\n2,\"B").await;
    assert!(
        cut.contains("Ann") && !cut.contains("role=\"alert\""),
        "{cut}"
    );
    for (name, content) in [
        ("empty.csv", &b""[..]),
        ("x.xlsx", b"PK\x03\x04zip"),
        ("a.csv", b"\x00\x01\x02"),
    ] {
        let page = preview("dataset=customers", content).await;
        assert!(page.contains("role=\"alert\""), "{name}: {page}");
    }
    for (setting, shown) in [
        ("drop", "left out: no field knows it"),
        ("reject", "rows with a value here are refused"),
    ] {
        let settings = json!({"unknown_columns": setting}).to_string();
        let path = "/v1/organization/settings";
        let token = Some(stack.token(1));
        let changed = stack
            .send(Method::PATCH, path, token.as_deref(), Some(settings), &[])
            .await;
        assert_eq!(changed.status, 200);
        let page = preview("dataset=customers", csv).await;
        assert!(page.contains(shown), "{setting}: {page}");
        assert!(!page.contains("<code>custom</code>"), "{setting}: {page}");
    }
    assert_eq!(stack.get("/v1/jobs").await.body["jobs"], json!([]));

    let stranger = stack.stranger();
    let answer = stranger
        .upload(
            "/console/import/preview?dataset=customers",
            "text/csv",
            csv.to_vec(),
        )
        .await;
    let page = answer.html;
    assert!(
        page.contains("id=\"token\"") && !page.contains("Ann"),
        "{page}"
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_may_put_its_file_where_the_api_says() {
    let stack = Stack::start().await;
    let user = stack.visitor_with(stack.token(1));
    let form = [
        ("dataset", "customers"),
        ("source", "generic"),
        ("filename", "a.csv"),
        ("mode", "write"),
    ];
    let answer = user.post("/fr/console/import/upload", &form).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), "no-store");
    let upload: serde_json::Value = answer.json();
    assert!(
        upload["url"]
            .as_str()
            .unwrap()
            .starts_with(&stack.local.endpoints.s3)
    );
    assert!(
        upload["page"]
            .as_str()
            .unwrap()
            .starts_with("/fr/console/jobs/")
    );

    let refused = user
        .post("/console/import/upload", &[("dataset", "customers")])
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let told: serde_json::Value = refused.json();
    assert!(!told["message"].as_str().unwrap().is_empty());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_may_look_at_jobs_and_not_stop_them() {
    let stack = Stack::start().await;
    let token = stack.token_with(|request| request.scope = "records:read".to_owned());
    let user = stack.visitor_with(token.clone());
    let form = [
        ("dataset", "customers"),
        ("filename", "a.csv"),
        ("mode", "write"),
    ];
    let owner = stack.visitor_with(stack.token(1));
    let upload: serde_json::Value = owner.post("/console/import/upload", &form).await.json();
    let page = upload["page"].as_str().unwrap();
    let shown = user.get(page).await.html;
    assert!(
        shown.contains("Waiting") && !shown.contains("Stop this job"),
        "{shown}"
    );
    let answer = user.post(&format!("{page}/cancel"), &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let shown = answer.html;
    assert!(shown.contains("You may not do this"), "{shown}");

    let answer = owner.post(&format!("{page}/cancel"), &[]).await;
    assert_eq!(answer.header("location"), page);
    // A second click finds it stopped.
    let answer = owner.post(&format!("{page}/cancel"), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let shown = owner.get(page).await.html;
    assert!(shown.contains("Cancelled"), "{shown}");

    let earlier = owner.get("/console/jobs?before=1").await.html;
    assert!(earlier.contains("nothing on this page"), "{earlier}");
    let other = stack.visitor_with(stack.token(2));
    for path in [
        page.to_owned(),
        format!("{page}/rejected.csv"),
        format!("{page}/report.json"),
    ] {
        assert_eq!(
            other.get(&path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    stack.stop().await;
}
