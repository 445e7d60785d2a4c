use serde_json::json;

use super::{full, told, with};
use crate::record::MAX_TEXT_CHARS;

#[test]
fn what_is_allowed() {
    let table = [
        ("every field", full()),
        ("an action", with("/eventAction", Some(json!("CREATED")))),
        ("version 1 is 1.0", with("/version", Some(json!(1)))),
        ("no addresses", with("/body/addresses", Some(json!([])))),
        ("no dependents", with("/body/dependents", Some(json!([])))),
        (
            "dependents null",
            with("/body/dependents", Some(json!(null))),
        ),
        ("dependents absent", with("/body/dependents", None)),
        ("opt-in null", with("/body/smsOptIn", Some(json!(null)))),
        ("opt-in absent", with("/body/smsOptIn", None)),
        ("status null", with("/body/status", Some(json!(null)))),
        ("status ended", with("/body/status", Some(json!("DELETED")))),
        (
            "birth date null",
            with("/body/dateOfBirth", Some(json!(null))),
        ),
        (
            "leap day",
            with("/body/dateOfBirth", Some(json!("2024-02-29"))),
        ),
        (
            "line2 null",
            with("/body/addresses/0/line2", Some(json!(null))),
        ),
        (
            "line2 empty",
            with("/body/addresses/0/line2", Some(json!(""))),
        ),
        (
            "nested time absent",
            with("/body/addresses/0/createdAt", None),
        ),
        (
            "nested time null",
            with("/body/addresses/0/updatedAt", Some(json!(null))),
        ),
        (
            "lower-case t and z",
            with("/body/updatedAt", Some(json!("2026-02-01t10:00:00z"))),
        ),
        (
            "an offset",
            with("/body/updatedAt", Some(json!("2026-02-01T10:00:00+05:45"))),
        ),
        (
            "nanoseconds",
            with(
                "/body/updatedAt",
                Some(json!("2026-02-01T10:00:00.123456789Z")),
            ),
        ),
        (
            "a leap second",
            with("/body/updatedAt", Some(json!("2016-12-31T23:59:60Z"))),
        ),
        (
            "a member nobody knows",
            with("/body/tier", Some(json!({"a": [1]}))),
        ),
        ("another one", with("/traceId", Some(json!(7)))),
        (
            "and in a list",
            with("/body/addresses/0/floor", Some(json!(7))),
        ),
        (
            "the longest text",
            with(
                "/body/addresses/0/line1",
                Some(json!("é".repeat(MAX_TEXT_CHARS))),
            ),
        ),
        (
            "the longest id",
            with("/body/customerId", Some(json!("x".repeat(255)))),
        ),
    ];
    for (rule, event) in table {
        assert_eq!(told(&event), [""; 0], "{rule}");
    }
}

#[test]
fn the_times_that_are_allowed_are_read() {
    let table = [
        ("2026-02-01t10:00:00z", "2026-02-01T10:00:00Z"),
        ("2026-02-01T10:00:00+05:45", "2026-02-01T04:15:00Z"),
        ("2026-02-01T10:00:00-00:00", "2026-02-01T10:00:00Z"),
        (
            "2026-02-01T10:00:00.123456789Z",
            "2026-02-01T10:00:00.123456789Z",
        ),
        // The clock that knows no leap second stands still.
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ];
    for (sent, read) in table {
        let event = with("/body/updatedAt", Some(json!(sent)));
        assert_eq!(told(&event), [""; 0], "{sent}");
        let time: jiff::Timestamp = sent.parse().unwrap();
        assert_eq!(time.to_string(), read, "{sent}");
    }
    // What a schema cannot say is left to the record's own check.
    for sent in ["2026-02-01T10:00:00.1234567890Z", "9999-12-31T23:59:59Z"] {
        assert_eq!(told(&with("/body/updatedAt", Some(json!(sent)))), [""; 0]);
        assert!(sent.parse::<jiff::Timestamp>().is_err(), "{sent}");
    }
}
