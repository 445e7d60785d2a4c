//! Requests to upload or change customers that cannot be read.

use std::io::Write as _;

use http::Method;
use serde_json::{Value, json};

use crate::{
    customers::{BOUNDARY, code, file_form, form},
    stack::{Stack, customers},
};

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_cannot_be_read_say_what_is_wrong() {
    let stack = Stack::with_group("vip").await;
    let fields = json!({"id": "staff", "name": "Staff", "dataset": "workspace"});
    assert_eq!(stack.post("/v1/groups", &fields).await.status, 201);
    let before = stack.everything().await;
    let csv = b"external_id\n1\n";
    let group: (&str, Option<&str>, &[u8]) = ("customer_group_id", None, b"vip");
    let a_file: (&str, Option<&str>, &[u8]) = ("file", Some("a.csv"), csv);
    let multipart = format!("multipart/form-data; boundary={BOUNDARY}");
    let (multipart, json_type) = (multipart.as_str(), "application/json");
    let mut cut = form(&[group, a_file]);
    cut.truncate(cut.len() - 12);
    let json = |value: Value| value.to_string().into_bytes();
    let many: Vec<_> = std::iter::repeat_n(("other", None, b"x".as_slice()), 20).collect();
    // Expands a thousandfold.
    let bomb = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(b"external_id,note\n").unwrap();
        for n in 0..400 {
            writeln!(gzip, "{n},{}", "x".repeat(50_000)).unwrap();
        }
        gzip.finish().unwrap()
    };
    let table: Vec<(&str, Vec<u8>, u16, &str)> = vec![
        ("text/csv", csv.to_vec(), 415, "unsupported_media_type"),
        (
            "multipart/mixed; boundary=x",
            form(&[group, a_file]),
            415,
            "unsupported_media_type",
        ),
        (
            "multipart/form-data",
            form(&[group, a_file]),
            400,
            "invalid_multipart",
        ),
        (
            "multipart/form-data; boundary=other",
            form(&[group, a_file]),
            400,
            "invalid_multipart",
        ),
        (multipart, cut, 400, "invalid_multipart"),
        (multipart, Vec::new(), 400, "invalid_multipart"),
        (multipart, form(&many), 400, "invalid_multipart"),
        (multipart, form(&[group]), 400, "missing_fields"),
        (multipart, form(&[a_file]), 400, "missing_fields"),
        (
            multipart,
            form(&[group, group, a_file]),
            400,
            "invalid_multipart",
        ),
        (multipart, form(&[group, a_file, a_file]), 400, "two_files"),
        (
            multipart,
            form(&[group, a_file, ("customers", None, b"[]")]),
            400,
            "file_and_customers",
        ),
        (
            multipart,
            form(&[("customer_group_id", None, &[b'g'; 1025]), a_file]),
            400,
            "field_too_long",
        ),
        (
            multipart,
            form(&[("customer_group_id", None, b"\xff"), a_file]),
            400,
            "invalid_multipart",
        ),
        (
            multipart,
            form(&[group, ("file", Some(&"x".repeat(256)), csv)]),
            400,
            "invalid_filename",
        ),
        (
            multipart,
            form(&[group, ("file", Some("a.csv"), b"")]),
            400,
            "empty_file",
        ),
        (
            multipart,
            form(&[group, ("file", Some("a.csv"), b"external_id\n")]),
            400,
            "row_count",
        ),
        (
            multipart,
            form(&[group, ("file", Some("a.pdf"), b"%PDF-1.7")]),
            400,
            "unsupported_format",
        ),
        (
            multipart,
            form(&[group, ("file", Some("a.csv"), b"Telephon\n1\n")]),
            400,
            "missing_column",
        ),
        (
            multipart,
            form(&[group, ("file", Some("a.csv.gz"), &bomb)]),
            400,
            "gzip_too_large",
        ),
        (
            multipart,
            file_form("nowhere", "a.csv", csv),
            401,
            "no_customers",
        ),
        (
            multipart,
            file_form("staff", "a.csv", csv),
            400,
            "missing_workspace",
        ),
        (
            json_type,
            b"{\"customer_group_id\": \"vip\", \"customers\": [".to_vec(),
            400,
            "invalid_body",
        ),
        (
            json_type,
            json(json!(["vip", [{"external_id": 1}]])),
            400,
            "invalid_body",
        ),
        (
            json_type,
            json(json!({"customer_group_id": "vip", "customers": {"external_id": 1}})),
            400,
            "invalid_body",
        ),
        (
            json_type,
            json(json!({"customer_group_id": 7, "customers": []})),
            400,
            "invalid_body",
        ),
        (
            json_type,
            json(json!({"customer_group_id": "vip", "customers": []})),
            400,
            "row_count",
        ),
        (
            json_type,
            json(json!({"customer_group_id": "vip"})),
            400,
            "missing_fields",
        ),
        (
            json_type,
            json(json!({"customers": [{"external_id": 1}]})),
            400,
            "missing_fields",
        ),
        (
            json_type,
            json(json!({"customer_group_id": "vip", "customers": [], "file": "x"})),
            400,
            "file_and_customers",
        ),
        (
            json_type,
            json(json!({"customer_group_id": "VIP!", "customers": [{"external_id": 1}]})),
            401,
            "no_customers",
        ),
        (
            json_type,
            json(json!({"customer_group_id": "vip", "customers": [1, {"external_id": 1}]})),
            400,
            "rows_refused",
        ),
        (
            json_type,
            json(json!({"customer_group_id": "vip", "customers": [{"Telephon": 1}]})),
            400,
            "near_miss",
        ),
    ];
    for (method, path) in [
        (Method::POST, "/v1/customer/check"),
        (Method::PATCH, "/v1/customer"),
    ] {
        for (content_type, body, status, expected) in &table {
            let shown = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
            let answer = stack
                .send_as(method.clone(), path, content_type, body.clone())
                .await;
            let found = (answer.status.as_u16(), code(&answer));
            assert_eq!(
                found,
                (*status, *expected),
                "{method} {content_type} {shown}: {}",
                answer.body
            );
        }
    }
    for (query, expected) in [
        ("?dry_run=maybe", "invalid_query"),
        ("?source=external", "reserved_source"),
        ("?source=Shop", "invalid_source"),
    ] {
        let answer = stack
            .check_rows(query, "vip", json!([{"external_id": "1"}]))
            .await;
        assert_eq!((answer.status.as_u16(), code(&answer)), (400, expected));
    }
    assert!(stack.everything().await == before);
    // A source's own group takes that source's customers.
    let path = "inbox/1/generic/customers/a.csv";
    stack.import_key(path, customers(0..1, "+2567")).await;
    let row = json!([{"external_id": "c5"}]);
    let other = stack
        .check_rows("?source=api", "customers.generic", row.clone())
        .await;
    assert_eq!(
        (other.status.as_u16(), code(&other)),
        (400, "group_of_other_source")
    );
    let own = stack.check_rows("", "customers.generic", row).await;
    assert_eq!(stack.ended_clean(&own).await["source"], "generic");
    stack.stop().await;
}
