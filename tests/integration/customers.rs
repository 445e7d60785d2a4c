//! Checking and uploading customers of a group over HTTP.

use std::{fmt::Write as _, io::Write as _, time::Instant};

use http::Method;
use serde_json::{Value, json};

use crate::{
    snapshot::Snapshot,
    stack::{Answer, Stack, customers, file},
};

pub(crate) const BOUNDARY: &str = "8d0c2f";

/// A form of fields: a name, a file's name, and the content.
pub(crate) fn form(fields: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, filename, content) in fields {
        let filename = filename.map_or(String::new(), |name| format!("; filename=\"{name}\""));
        write!(
            body,
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"{filename}\r\n\r\n"
        )
        .unwrap();
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    write!(body, "--{BOUNDARY}--\r\n").unwrap();
    body
}

pub(crate) fn file_form(group: &str, filename: &str, content: &[u8]) -> Vec<u8> {
    form(&[
        ("customer_group_id", None, group.as_bytes()),
        ("file", Some(filename), content),
    ])
}

impl Stack {
    pub(crate) async fn with_group(id: &str) -> Self {
        let stack = Self::start().await;
        let group = json!({"id": id, "name": id, "dataset": "customers"});
        assert_eq!(stack.post("/v1/groups", &group).await.status, 201);
        stack
    }

    pub(crate) async fn send_as(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Answer {
        let url = format!("{}{path}", self.local.endpoints.http);
        let request = reqwest::Client::new()
            .request(method, url)
            .bearer_auth(self.token(1))
            .header("content-type", content_type);
        let response = request.body(body).send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.json().await.unwrap();
        Answer {
            status,
            headers,
            body,
        }
    }

    pub(crate) async fn check_form(&self, path: &str, body: Vec<u8>) -> Answer {
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        self.send_as(Method::POST, path, &content_type, body).await
    }

    pub(crate) async fn check_rows(&self, query: &str, group: &str, rows: Value) -> Answer {
        let body = json!({"customer_group_id": group, "customers": rows});
        let path = format!("/v1/customer/check{query}");
        self.post(&path, &body).await
    }

    pub(crate) async fn patch(&self, query: &str, group: &str, rows: Value) -> Answer {
        let body = json!({"customer_group_id": group, "customers": rows});
        let path = format!("/v1/customer{query}");
        let body = serde_json::to_vec(&body).unwrap();
        self.send_as(Method::PATCH, &path, "application/json", body)
            .await
    }

    /// The job that an answer has started, once it has ended.
    pub(crate) async fn ended_clean(&self, answer: &Answer) -> Value {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["message"], "Data is clean to upload");
        self.job_at(answer.body["job"].as_str().unwrap()).await
    }

    /// All that is stored for organization 1: things in the table and objects in the bucket.
    pub(crate) async fn everything(&self) -> Snapshot {
        Snapshot::of_first(&self.local.registry, &self.local.clients).await
    }
}

pub(crate) fn code(answer: &Answer) -> &str {
    let kind = answer.body["type"].as_str().unwrap_or_default();
    kind.rsplit('/').next().unwrap_or_default()
}

fn rows(range: std::ops::Range<usize>) -> Vec<Value> {
    let row = |n| json!({"external_id": format!("c{n}"), "name": format!("Person {n}"), "birth_year": 1950 + n % 60});
    range.map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_rows_are_checked_in_one_request_and_one_more_is_too_many() {
    let stack = Stack::with_group("vip").await;
    let began = Instant::now();
    let checked = stack.check_rows("", "vip", rows(0..10_000).into()).await;
    println!("10,000 new rows as JSON: {:?}", began.elapsed());
    assert_eq!(checked.body["rows"], 10_000, "{}", checked.body);
    let long_id = checked.body["job_id"].as_str().unwrap();
    assert!(long_id.contains("/1/upload_customers/"), "{long_id}");
    let job = stack.ended_clean(&checked).await;
    assert_eq!(job["state"], "completed");
    assert_eq!(
        (&job["created"], &job["group"]),
        (&json!(10_000), &json!("vip"))
    );
    assert_eq!(job["id"], long_id.rsplit('/').next().unwrap());
    assert_eq!(stack.members("vip").await, 10_000);
    assert_eq!(stack.members("customers.api").await, 10_000);

    // The same as a file, of other customers of another source.
    let csv = customers(0..10_000, "+2567");
    let began = Instant::now();
    let path = "/v1/customer/check?source=shop";
    let checked = stack
        .check_form(path, file_form("vip", "all.csv", csv.as_bytes()))
        .await;
    println!("10,000 new rows as csv: {:?}", began.elapsed());
    assert_eq!(stack.ended_clean(&checked).await["created"], 10_000);
    let began = Instant::now();
    let again = stack
        .check_form(path, file_form("vip", "all.csv", csv.as_bytes()))
        .await;
    println!("10,000 known rows as csv: {:?}", began.elapsed());
    let job = stack.ended_clean(&again).await;
    assert_eq!(
        (&job["unchanged"], &job["updated"]),
        (&json!(10_000), &json!(0))
    );

    let before = stack.everything().await;
    let many = stack.check_rows("", "vip", rows(0..10_001).into()).await;
    let csv = customers(0..10_001, "+2567");
    let many_of_file = stack
        .check_form(path, file_form("vip", "all.csv", csv.as_bytes()))
        .await;
    for refused in [many, many_of_file] {
        assert_eq!(
            (refused.status.as_u16(), code(&refused)),
            (400, "too_many_rows")
        );
        assert_eq!(
            refused.body["message"],
            "File cannot be larger than 10000 rows"
        );
    }
    assert!(stack.everything().await == before);
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_row_of_many_and_nothing_at_all_is_written() {
    let stack = Stack::with_group("vip").await;
    let before = stack.everything().await;
    let items = stack.items().await.len();
    let mut all = rows(0..2_000);
    all[1_500]["birth_year"] = json!(1850);
    let refused = stack.check_rows("", "vip", all.clone().into()).await;
    assert_eq!(
        (refused.status.as_u16(), code(&refused)),
        (400, "rows_refused")
    );
    assert_eq!(refused.body["errors"].as_array().unwrap().len(), 1);
    let error = &refused.body["errors"][0];
    assert_eq!(
        (&error["row"], &error["code"]),
        (&json!(1_501), &json!("range"))
    );
    assert_eq!(error["line"], Value::Null);
    assert_eq!(
        (&refused.body["errors_total"], &refused.body["rows"]),
        (&json!(1), &json!(2_000))
    );
    // Errors beyond the first thousand are counted.
    let mut csv = String::from("external_id,name,birth_year\n");
    for n in 0..1_300 {
        writeln!(csv, "c{n},Person {n},never").unwrap();
    }
    let refused = stack
        .check_form(
            "/v1/customer/check",
            file_form("vip", "a.csv", csv.as_bytes()),
        )
        .await;
    assert_eq!(refused.body["errors"].as_array().unwrap().len(), 1_000);
    assert_eq!(refused.body["errors_total"], 1_300);
    assert_eq!(refused.body["errors"][999]["line"], 1_001);
    // In French, and without anybody's values.
    let body = json!({"customer_group_id": "vip", "customers": [{"external_id": "1", "phone": "2.56E+11"}]});
    let french = stack
        .send(
            Method::POST,
            "/v1/customer/check",
            Some(&stack.token(1)),
            Some(body.to_string()),
            &[("accept-language", "fr")],
        )
        .await;
    let message = french.body["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("un tableur a transformé phone"),
        "{message}"
    );
    assert!(!french.body.to_string().contains("2.56E+11"));

    assert!(stack.everything().await == before);
    assert_eq!(stack.items().await.len(), items);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_predicts_and_every_format_is_read() {
    let stack = Stack::with_group("vip").await;
    stack.import("customers", customers(0..3, "+2567")).await;
    let before = stack.everything().await;
    let query = "?source=generic&dry_run=true";
    let predicted = stack
        .check_rows(
            query,
            "vip",
            json!([
                {"external_id": "c0", "profession": "baker"},
                {"external_id": "c1"},
                {"external_id": "new", "name": "a"},
                {"external_id": "new", "name": "b"},
                {"external_id": "newer", "uid": "x", "village": "Kumi"},
            ]),
        )
        .await;
    assert_eq!(predicted.status, 200, "{}", predicted.body);
    for (count, expected) in [
        ("rows", 5),
        ("created", 2),
        ("updated", 1),
        ("unchanged", 1),
        ("duplicates", 1),
    ] {
        assert_eq!(predicted.body[count], expected, "{count}");
    }
    let codes = predicted.body["warnings"].as_array().unwrap().iter();
    let codes: Vec<_> = codes
        .map(|warning| warning["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["autogenerated", "duplicate_in_file"]);
    assert_eq!(predicted.body["job"], Value::Null);

    let gzip = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"external_id\n1\n2\n").unwrap();
        gzip.finish().unwrap()
    };
    let table: [(&str, Vec<u8>, u64); 6] = [
        ("a.csv", b"external_id;name\n1;Ann\n".to_vec(), 1),
        ("a.csv", b"external_id;name\n1;Andr\xe9\n".to_vec(), 1),
        ("customers.xlsx", file("customers.xlsx"), 250),
        ("a.json", br#"{"data": [{"external_id": 1}]}"#.to_vec(), 1),
        (
            "a.ndjson",
            b"{\"external_id\": 1}\n{\"external_id\": 2}\n".to_vec(),
            2,
        ),
        ("a.csv.gz", gzip, 2),
    ];
    for (name, content, rows) in table {
        let path = "/v1/customer/check?dry_run=true";
        let checked = stack
            .check_form(path, file_form("vip", name, &content))
            .await;
        assert_eq!(
            (checked.status.as_u16(), &checked.body["rows"]),
            (200, &json!(rows)),
            "{name}: {}",
            checked.body
        );
    }
    assert!(stack.everything().await == before);
    stack.stop().await;
}
