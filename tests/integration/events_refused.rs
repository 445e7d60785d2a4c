//! What is wrong with CUSTOMER events, and what is merely odd.

use http::Method;
use serde_json::{Value, json};

use crate::{
    customer_events::{event, same, statuses},
    stack::Stack,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_events_is_said_where_it_is() {
    let stack = Stack::start().await;
    let good = event("C-1", "2026-02-01T10:00:00Z", same);
    let bad = event("C-2", "2026-02-01T10:00:00Z", |event| {
        event["body"]["addresses"][0]
            .as_object_mut()
            .unwrap()
            .remove("zipCode");
        event["body"]["dateOfBirth"] = "23/04/1990".into();
        event["body"]["dateofbirth"] = "1990-04-23".into();
    });
    let wrong = [
        "/body/addresses/0/zipCode required",
        "/body/dateOfBirth type_date",
    ];
    let told = |errors: &Value| -> Vec<String> {
        let errors = errors.as_array().unwrap().iter();
        let told = |e: &Value| {
            format!(
                "{} {}",
                e["path"].as_str().unwrap(),
                e["code"].as_str().unwrap()
            )
        };
        let mut told: Vec<_> = errors.map(told).collect();
        told.sort();
        told
    };

    let answer = stack.push(&bad).await;
    assert_eq!(answer.status, 422);
    assert_eq!(told(&answer.body["errors"]), wrong);
    assert!(!answer.body.to_string().contains("1990-04-23\""));
    let answer = stack.push(&json!([bad, good, 7, bad])).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.body["accepted"], 1);
    assert_eq!(
        answer.body["results"],
        json!([{"index": 1, "status": "created"}])
    );
    let rejected = answer.body["rejected"].as_array().unwrap();
    let places: Vec<_> = rejected
        .iter()
        .map(|event| event["index"].as_u64().unwrap())
        .collect();
    assert_eq!(places, [0, 2, 3]);
    assert_eq!(told(&rejected[0]["errors"]), wrong);
    assert_eq!(told(&rejected[1]["errors"]), [" not_an_object"]);

    // Another spelling of a field that is known would be a loss.
    let misspelt = event("C-2", "2026-02-01T10:00:00Z", |event| {
        event["body"]["DateOfBirth"] = event["body"]["dateOfBirth"].take();
        event["body"].as_object_mut().unwrap().remove("dateOfBirth");
    });
    let answer = stack.push(&misspelt).await;
    assert_eq!(
        told(&answer.body["errors"]),
        ["/body/DateOfBirth near_miss"]
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_odd_are_taken_in_or_refused_with_a_reason() {
    let stack = Stack::start().await;
    let at = "2026-02-01T10:00:00Z";
    type Change = fn(&mut Value);
    let table: [(&str, Change, &[&str]); 13] = [
        (
            "members of elements that look like nothing else",
            |event| {
                for name in ["x", "y", "2", "n"] {
                    event["body"]["addresses"][0][name] = json!(51.5);
                }
            },
            &[],
        ),
        (
            "a slip in a list",
            |event| {
                event["body"]["addresses"][0]["ZipCode"] = "LS1".into();
            },
            &["/body/addresses/0/ZipCode near_miss"],
        ),
        (
            "a street by another name, and one more line of it",
            |event| {
                event["body"]["addresses"][0]["street"] = "1 High Street".into();
                event["body"]["dependents"][0]["line3"] = "Flat".into();
                event["body"]["Zip Code"] = "LS1".into();
                event["body"]["birthday"] = "1990-04-23".into();
            },
            &[
                "/body near_miss",
                "/body/addresses/0/street near_miss",
                "/body/birthday near_miss",
            ],
        ),
        (
            "data beside the body",
            |event| event["data"] = json!([]),
            &[],
        ),
        (
            "data that looks like rows",
            |event| event["data"] = json!([{}]),
            &[],
        ),
        (
            "an element too many",
            |event| {
                let address = event["body"]["addresses"][0].clone();
                event["body"]["addresses"] = vec![address; 101].into();
            },
            &["/body/addresses too_many_elements"],
        ),
        (
            "a hundred elements",
            |event| {
                let address = event["body"]["addresses"][0].clone();
                event["body"]["addresses"] = vec![address; 100].into();
            },
            &[],
        ),
        (
            "a blank of another kind",
            |event| {
                event["body"]["addresses"][0]["city"] = "\u{85}".into();
            },
            &["/body/addresses/0/city required"],
        ),
        (
            "an id of such blanks",
            |event| {
                event["body"]["customerId"] = "\u{85}".into();
            },
            &["/body/customerId required"],
        ),
        (
            "a control character in an id",
            |event| {
                event["body"]["customerId"] = "C\u{7}1".into();
            },
            &["/body/customerId control_character"],
        ),
        (
            "a name that goes on and on",
            |event| {
                event["body"][format!("d{}ateOfBirth", "-".repeat(50_000))] = json!(1);
            },
            &["/body near_miss"],
        ),
        (
            "a name that is somebody's",
            |event| {
                event["body"]["jane@example.com"] = json!(1);
            },
            &[],
        ),
        (
            "more nanoseconds than there are",
            |event| {
                event["body"]["updatedAt"] = "2026-02-01T10:00:00.1234567891Z".into();
            },
            &["/body/updatedAt type_datetime"],
        ),
    ];
    for (number, (what, change, wrong)) in table.into_iter().enumerate() {
        let odd = event(&format!("C-{number}"), at, change);
        let answer = stack.push(&odd).await;
        let errors = answer.body["errors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let told = |e: &Value| {
            format!(
                "{} {}",
                e["path"].as_str().unwrap(),
                e["code"].as_str().unwrap()
            )
        };
        let told: Vec<_> = errors.iter().map(told).collect();
        assert_eq!(told, wrong, "{what}: {}", answer.body);
        assert_eq!(
            answer.status,
            if wrong.is_empty() { 202 } else { 422 },
            "{what}"
        );
        // As the only line of a file.
        let job = stack
            .import_events(&format!("{number}.json"), &format!("{odd:#}"))
            .await;
        let counts = (job.counts.rejected, job.counts.unchanged);
        assert_eq!(
            counts,
            if wrong.is_empty() { (0, 1) } else { (1, 0) },
            "{what} {:?}",
            job.error
        );
    }

    let refuse = json!({"unknown_columns": "reject"}).to_string();
    let token = stack.token(1);
    let path = "/v1/organization/settings";
    stack
        .send(Method::PATCH, path, Some(&token), Some(refuse), &[])
        .await;
    let personal = event("C-1", at, |event| {
        event["body"]["jane@example.com"] = json!(1);
        event["body"]["addresses"][0]["label"] = "home".into();
    });
    let answer = stack.push(&personal).await;
    assert_eq!(answer.status, 422);
    let said = answer.body.to_string();
    assert!(
        !said.contains("jane") && said.contains("/body/addresses/0/label"),
        "{said}"
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_record_can_be_changed_and_many_of_them_stored_at_once() {
    let stack = Stack::start().await;
    let full = |customer: usize, second: usize| {
        event(
            &format!("C-{customer}"),
            &format!("2026-02-01T10:00:{second:02}Z"),
            |event| {
                let mut address = event["body"]["addresses"][0].clone();
                address["line1"] = "x".repeat(450).into();
                event["body"]["addresses"] = vec![address; 100].into();
            },
        )
    };
    for second in [1, 2] {
        let customers: Value = (0..50).map(|customer| full(customer, second)).collect();
        let answer = stack.push(&customers).await;
        assert_eq!(
            answer.body["accepted"], 50,
            "{}",
            answer.body["rejected"][0]
        );
    }
    // Two that are too large to be one: the first is taken in all the same.
    let noted = event("C-99", "2026-02-01T10:00:01Z", |event| {
        event["body"]["note"] = "x".repeat(55_000).into();
    });
    let many = event("C-99", "2026-02-01T10:00:02Z", |event| {
        let mut dependent = event["body"]["dependents"][0].clone();
        dependent["type"] = "x".repeat(400).into();
        event["body"]["dependents"] = vec![dependent; 90].into();
    });
    let answer = stack.push(&json!([noted, many])).await;
    assert_eq!(statuses(&answer), ["created"]);
    assert_eq!(answer.body["rejected"][0]["index"], 1);
    assert_eq!(
        answer.body["rejected"][0]["errors"][0]["code"],
        "record_too_large"
    );
    stack.assert_verified().await;
    stack.stop().await;
}
