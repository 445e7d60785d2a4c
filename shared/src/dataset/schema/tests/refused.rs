use serde_json::{Value, json};

use super::{full, problems, told, with};
use crate::record::RowErrorCode;

#[test]
fn what_is_not_allowed() {
    let table = [
        // The envelope.
        ("/eventType", None, "required"),
        ("/eventType", Some(json!(null)), "required_unset"),
        ("/eventType", Some(json!("ORDER")), "not_in_enum [CUSTOMER]"),
        (
            "/eventType",
            Some(json!("customer")),
            "not_in_enum [CUSTOMER]",
        ),
        ("/eventType", Some(json!(5)), "not_in_enum [CUSTOMER]"),
        ("/eventAction", None, "required"),
        ("/eventAction", Some(json!(null)), "required_unset"),
        (
            "/eventAction",
            Some(json!("DELETED")),
            "not_in_enum [CREATED, UPDATED]",
        ),
        ("/version", None, "required"),
        ("/version", Some(json!(null)), "required_unset"),
        ("/version", Some(json!("1.0")), "type_float"),
        ("/version", Some(json!(2)), "not_in_enum [1.0]"),
        ("/version", Some(json!(1.5)), "not_in_enum [1.0]"),
        ("/body", None, "required"),
        ("/body", Some(json!(null)), "required_unset"),
        ("/body", Some(json!([])), "type_object"),
        ("/body", Some(json!("{}")), "type_object"),
        // Texts.
        ("/body/customerId", None, "required"),
        ("/body/customerId", Some(json!(null)), "required_unset"),
        ("/body/customerId", Some(json!("")), "required"),
        ("/body/customerId", Some(json!(" \t\u{a0}\n")), "required"),
        ("/body/customerId", Some(json!(1001)), "type_string"),
        ("/body/customerId", Some(json!(["C-1001"])), "type_string"),
        (
            "/body/customerId",
            Some(json!("x".repeat(256))),
            "key_too_long [255]",
        ),
        (
            "/body/customerId",
            Some(json!(" ".repeat(256))),
            "key_too_long [255]",
        ),
        (
            "/body/addresses/0/line1",
            Some(json!("x".repeat(4_097))),
            "too_long [4096]",
        ),
        (
            "/body/addresses/0/line2",
            Some(json!("x".repeat(4_097))),
            "too_long [4096]",
        ),
        ("/body/addresses/0/line2", Some(json!(2)), "type_string"),
        // Dates and times.
        (
            "/body/dateOfBirth",
            Some(json!("2023-02-29")),
            "type_date [1990-04-23 (yyyy-MM-dd)]",
        ),
        (
            "/body/dateOfBirth",
            Some(json!("23/04/1990")),
            "type_date [1990-04-23 (yyyy-MM-dd)]",
        ),
        (
            "/body/dateOfBirth",
            Some(json!("1990-04-23T00:00:00Z")),
            "type_date [1990-04-23 (yyyy-MM-dd)]",
        ),
        (
            "/body/dateOfBirth",
            Some(json!("")),
            "type_date [1990-04-23 (yyyy-MM-dd)]",
        ),
        (
            "/body/dateOfBirth",
            Some(json!(19_900_423)),
            "type_date [1990-04-23 (yyyy-MM-dd)]",
        ),
        ("/body/createdAt", None, "required"),
        ("/body/updatedAt", None, "required"),
        ("/body/updatedAt", Some(json!(null)), "required_unset"),
        ("/body/updatedAt", Some(json!("")), "type_datetime"),
        (
            "/body/updatedAt",
            Some(json!("2026-02-01T10:00:00")),
            "type_datetime",
        ),
        (
            "/body/updatedAt",
            Some(json!("2026-02-01 10:00:00Z")),
            "type_datetime",
        ),
        (
            "/body/updatedAt",
            Some(json!("2026-02-01")),
            "type_datetime",
        ),
        (
            "/body/updatedAt",
            Some(json!("2026-02-30T10:00:00Z")),
            "type_datetime",
        ),
        (
            "/body/updatedAt",
            Some(json!("2026-02-01T24:00:00Z")),
            "type_datetime",
        ),
        (
            "/body/updatedAt",
            Some(json!("2016-12-31T23:58:60Z")),
            "type_datetime",
        ),
        (
            "/body/updatedAt",
            Some(json!(1_769_940_000)),
            "type_datetime",
        ),
        (
            "/body/addresses/0/createdAt",
            Some(json!("yesterday")),
            "type_datetime",
        ),
        // Choices.
        (
            "/body/status",
            Some(json!("CLOSED")),
            "not_in_enum [ACTIVE, DELETED]",
        ),
        (
            "/body/status",
            Some(json!(true)),
            "not_in_enum [ACTIVE, DELETED]",
        ),
        ("/body/marketingOptIn", Some(json!("true")), "type_boolean"),
        ("/body/smsOptIn", Some(json!(1)), "type_boolean"),
        (
            "/body/addresses/0/countryCode",
            Some(json!("UK")),
            "unknown_country",
        ),
        (
            "/body/addresses/0/countryCode",
            Some(json!("gb")),
            "unknown_country",
        ),
        (
            "/body/addresses/0/countryCode",
            Some(json!("")),
            "unknown_country",
        ),
        (
            "/body/addresses/0/countryCode",
            Some(json!(826)),
            "unknown_country",
        ),
        (
            "/body/addresses/0/countryCode",
            Some(json!(null)),
            "required_unset",
        ),
        ("/body/addresses/0/countryCode", None, "required"),
        // Lists.
        ("/body/addresses", None, "required"),
        ("/body/addresses", Some(json!(null)), "required_unset"),
        ("/body/addresses", Some(json!({})), "type_list"),
        ("/body/dependents", Some(json!("[]")), "type_list"),
        ("/body/addresses/0/addressId", None, "required"),
        ("/body/addresses/0/line1", None, "required"),
        ("/body/addresses/0/city", Some(json!(" ")), "required"),
        (
            "/body/addresses/0/zipCode",
            Some(json!(14_193)),
            "type_string",
        ),
        ("/body/dependents/0/dependentId", None, "required"),
        ("/body/dependents/0/dateOfBirth", None, "required"),
        (
            "/body/dependents/0/dateOfBirth",
            Some(json!(null)),
            "required_unset",
        ),
        (
            "/body/dependents/0/dateOfBirth",
            Some(json!("1/9/2018")),
            "type_date [2018-09-01 (yyyy-MM-dd)]",
        ),
        (
            "/body/dependents/0/type",
            Some(json!(null)),
            "required_unset",
        ),
    ];
    for (path, value, expected) in table {
        let event = with(path, value.clone());
        assert_eq!(
            told(&event),
            [format!("{path} {expected}")],
            "{path}: {value:?}"
        );
    }
}

#[test]
fn what_is_no_object_is_told_where_it_is() {
    for event in [json!(null), json!([]), json!("CUSTOMER"), json!(1)] {
        assert_eq!(told(&event), [" type_object"], "{event}");
    }
    let event = with("/body/addresses", Some(json!([null, {}, "A-1"])));
    let expected = [
        "/body/addresses/0 type_object",
        "/body/addresses/1/addressId required",
        "/body/addresses/1/line1 required",
        "/body/addresses/1/city required",
        "/body/addresses/1/zipCode required",
        "/body/addresses/1/countryCode required",
        "/body/addresses/2 type_object",
    ];
    assert_eq!(told(&event), expected);
}

#[test]
fn every_problem_is_told_once_in_the_order_of_the_fields() {
    let event = json!({
        "version": "1", "eventType": "ORDER",
        "body": {
            "updatedAt": "now", "customerId": "", "marketingOptIn": "yes", "status": 4,
            "addresses": (0..12).map(|_| json!({"addressId": "A", "city": "Leeds", "line1": 3,
                "zipCode": "", "countryCode": "GB"})).collect::<Vec<_>>(),
        },
    });
    let told = told(&event);
    let (head, rest) = told.split_at(6);
    let expected = [
        "/eventType not_in_enum [CUSTOMER]",
        "/eventAction required",
        "/version type_float",
        "/body/customerId required",
        "/body/status not_in_enum [ACTIVE, DELETED]",
        "/body/marketingOptIn type_boolean",
    ];
    assert_eq!(head, expected);
    let (addresses, rest) = rest.split_at(24);
    let of_addresses = (0..12).flat_map(|index| {
        let at = format!("/body/addresses/{index}");
        [
            format!("{at}/line1 type_string"),
            format!("{at}/zipCode required"),
        ]
    });
    assert_eq!(addresses, of_addresses.collect::<Vec<_>>());
    assert_eq!(
        rest,
        ["/body/createdAt required", "/body/updatedAt type_datetime"]
    );
}

#[test]
fn a_body_that_no_record_may_have_is_told_as_that_alone() {
    let addresses = vec![json!(0); 100_000];
    let event = with("/body/addresses", Some(json!(addresses)));
    assert_eq!(told(&event), ["/body record_too_large [64]"]);
    let event = json!({"body": "x".repeat(70_000)});
    assert_eq!(told(&event), ["/body record_too_large [64]"]);
}

#[test]
fn of_many_problems_a_hundred_are_told() {
    let event = with("/body/addresses", Some(json!(vec![json!({}); 100])));
    assert_eq!(problems(&event).len(), 100);
    let event = with("/body/addresses", Some(json!(vec![0; 30_000])));
    assert_eq!(told(&event), ["/body/addresses too_many_elements [100]"]);
}

#[test]
fn no_problem_repeats_what_the_event_holds() {
    let secret = "Rumpelstiltskin";
    let mut event = full();
    replace_leaves(&mut event, secret);
    let problems = problems(&event);
    assert!(problems.iter().any(|p| p.code == RowErrorCode::TypeDate));
    let shown = format!("{problems:?}");
    assert!(!shown.contains(secret), "{shown}");
}

fn replace_leaves(value: &mut Value, text: &str) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|v| replace_leaves(v, text)),
        Value::Array(elements) => elements.iter_mut().for_each(|v| replace_leaves(v, text)),
        leaf => *leaf = Value::String(text.to_owned()),
    }
}
