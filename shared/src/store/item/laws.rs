//! Whatever order events arrive in, and however many come at once, the record ends up the same.

use std::sync::Arc;

use jiff::Timestamp;
use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value as Json, json};

use super::Content;
use crate::{
    dataset::Dataset,
    identity::OrganizationId,
    protection::{OrganizationKeys, ProtectedRecord, Protector, PseudonymMode},
    record::{RawRecord, UnknownColumns, Validator},
    store::{StoredRecord, layout},
};

const UID: &str = "1-events-C-1";

fn protected(event: &Json) -> ProtectedRecord {
    let mut validator = Validator::new(
        Dataset::builtin("profiles").unwrap(),
        OrganizationId::new(1).unwrap(),
        "events".parse().unwrap(),
        OrganizationKeys::of_tests(),
        UnknownColumns::Keep,
        2026,
    );
    let members = event.as_object().unwrap().clone();
    let raw = RawRecord {
        row: 1,
        line: None,
        values: members
            .into_iter()
            .map(|(name, v)| (name.into(), v.into()))
            .collect(),
        malformed: None,
    };
    let record = validator.validate(raw).unwrap();
    let protector = Protector::new(OrganizationKeys::of_tests(), PseudonymMode::Sha256);
    protector.protect(record).unwrap()
}

/// The content as it is read again after it was written.
fn stored(content: &Content) -> StoredRecord {
    let keys = OrganizationKeys::of_tests();
    let mut item = content.to_item();
    item.insert(
        layout::DATASET.to_owned(),
        super::AttributeValue::S("profiles".to_owned()),
    );
    item.insert(
        layout::DIGEST.to_owned(),
        super::bytes(&content.digest(&keys)),
    );
    for number in [
        layout::CREATED_AT,
        layout::UPDATED_AT,
        layout::SOURCE_ID,
        layout::IMPORT_ID,
        layout::LAST_SOURCE_ID,
        layout::LAST_IMPORT_ID,
    ] {
        item.insert(number.to_owned(), super::number(1));
    }
    StoredRecord::read(&item).unwrap()
}

/// Takes events in: those of a group at once, and what is stored read again after each group.
fn taken_in(groups: &[Vec<Json>]) -> Content {
    let keys = OrganizationKeys::of_tests();
    let mut content = Content::default();
    for group in groups {
        let mut events = group.iter().map(protected);
        let Some(mut record) = events.next() else {
            continue;
        };
        events.for_each(|event| record.join_event(event));
        content = content.merged(UID, &record, &keys).unwrap();
        content = stored(&content).content;
    }
    content
}

/// The record in clear, as it is shown.
fn shown(content: &Content) -> Map<String, Json> {
    let keys = OrganizationKeys::of_tests();
    let record = stored(content);
    let dataset = Dataset::builtin("profiles").unwrap();
    let fields = record.revealed(&dataset, UID, &keys).unwrap();
    let custom = record
        .custom()
        .map(|custom| keys.open_custom(UID, custom).unwrap());
    let custom = custom.map(|columns| ("custom".to_owned(), columns.into_iter().collect()));
    fields.into_iter().chain(custom).collect()
}

fn time(second: i64) -> String {
    Timestamp::from_second(1_700_000_000 + second)
        .unwrap()
        .to_string()
}

fn address(id: &str) -> Json {
    json!({"addressId": id, "line1": format!("{id} High Street"), "city": "Leeds",
           "zipCode": "LS1", "countryCode": "GB"})
}

/// An address with a member that the dataset does not know.
fn labelled(id: &str, label: &str) -> Json {
    let mut address = address(id);
    address["label"] = label.into();
    address
}

/// An event that speaks of some fields, at one of a few seconds so that there are ties.
fn event() -> impl Strategy<Value = Json> {
    let absent = || Just(None::<Json>);
    let birth = prop_oneof![
        absent(),
        select(vec![
            Some(json!("1990-04-23")),
            Some(json!("1991-01-01")),
            Some(json!(null))
        ]),
    ];
    let status = select(vec![None, Some(json!("ACTIVE")), Some(json!("DELETED"))]);
    let answers = || {
        select(vec![
            None,
            Some(json!(true)),
            Some(json!(false)),
            Some(json!(null)),
        ])
    };
    let dependent =
        |name: &str| json!({"dependentId": name, "type": "cat", "dateOfBirth": "2020-01-01"});
    let dependents = select(vec![
        None,
        Some(json!(null)),
        Some(json!([])),
        Some(json!([dependent("a")])),
        Some(json!([dependent("b"), dependent("a")])),
    ]);
    let addresses = select(vec![
        json!([]),
        json!([address("A")]),
        json!([address("B"), address("A")]),
        json!([labelled("A", "home")]),
        json!([labelled("A", "work"), address("B")]),
    ]);
    let tier = select(vec![None, Some(json!("gold")), Some(json!({"level": 2}))]);
    let action = select(vec!["CREATED", "UPDATED"]);
    let members = (
        birth,
        status,
        answers(),
        answers(),
        dependents,
        addresses,
        tier,
    );
    (action, 0..6_i64, members).prop_map(|(action, second, members)| {
        let (birth, status, marketing, sms, dependents, addresses, tier) = members;
        let mut body = json!({"customerId": "C-1", "addresses": addresses,
                              "createdAt": time(0), "updatedAt": time(second)});
        for (name, value) in [
            ("dateOfBirth", birth),
            ("status", status),
            ("marketingOptIn", marketing),
            ("smsOptIn", sms),
            ("dependents", dependents),
            ("tier", tier),
        ] {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        json!({"eventType": "CUSTOMER", "eventAction": action, "version": 1.0, "body": body})
    })
}

/// The value of a field in the newest event that speaks of it, where no two are of one moment.
fn newest_said(events: &[Json], field: &str) -> Option<Json> {
    let speaking = events
        .iter()
        .filter(|event| event["body"].get(field).is_some());
    let newest = speaking.max_by_key(|event| event["body"]["updatedAt"].as_str().unwrap())?;
    Some(newest["body"][field].clone()).filter(|value| !value.is_null())
}

proptest! {
    #[test]
    fn the_order_of_arrival_does_not_matter(
        events in proptest::collection::vec(event(), 1..9)
            .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
        cuts in proptest::collection::vec(1..4_usize, 9),
    ) {
        let (in_order, mut shuffled) = events;
        let keys = OrganizationKeys::of_tests();
        let one_by_one: Vec<_> = in_order.iter().map(|event| vec![event.clone()]).collect();
        let expected = taken_in(&one_by_one);
        let mut groups = Vec::new();
        for cut in cuts {
            let rest = shuffled.split_off(cut.min(shuffled.len()));
            groups.push(std::mem::replace(&mut shuffled, rest));
        }
        let found = taken_in(&groups);
        prop_assert_eq!(shown(&found), shown(&expected));
        prop_assert_eq!(found.digest(&keys), expected.digest(&keys));
        // All of it once more.
        prop_assert!(taken_in(&[groups.concat(), groups.concat()]).digest(&keys) == expected.digest(&keys));
    }

    #[test]
    fn each_field_is_as_the_newest_event_that_speaks_of_it_has_it(
        events in proptest::collection::vec(event(), 1..7).prop_shuffle(),
    ) {
        let mut events = events;
        for (second, event) in events.iter_mut().enumerate() {
            event["body"]["updatedAt"] = time(second as i64).into();
        }
        let arrived: Vec<_> = events.iter().rev().map(|event| vec![event.clone()]).collect();
        let record = shown(&taken_in(&arrived));
        for field in ["dateOfBirth", "status", "marketingOptIn", "smsOptIn"] {
            prop_assert_eq!(record.get(field).cloned(), newest_said(&events, field), "{}", field);
        }
        let ids = |list: Option<&Json>| list.map(|list| {
            let elements = list.as_array().unwrap().iter();
            elements.map(|e| e["addressId"].clone()).collect::<Vec<_>>()
        });
        prop_assert_eq!(
            ids(record.get("addresses")),
            ids(newest_said(&events, "addresses").as_ref())
        );
    }
}

#[test]
fn an_older_event_changes_nothing_that_a_newer_one_said() {
    let event = |second: i64, status: &str, street: &str| {
        let mut address = address("A");
        address["line1"] = street.into();
        json!({"eventType": "CUSTOMER", "eventAction": "UPDATED", "version": 1.0, "body": {
            "customerId": "C-1", "status": status, "addresses": [address],
            "createdAt": time(0), "updatedAt": time(second)}})
    };
    let newer = taken_in(&[vec![event(2, "DELETED", "New Road")]]);
    let both = taken_in(&[
        vec![event(2, "DELETED", "New Road")],
        vec![event(1, "ACTIVE", "Old Road")],
    ]);
    assert_eq!(shown(&both), shown(&newer));
    assert_eq!(
        both.digest(&OrganizationKeys::of_tests()),
        newer.digest(&OrganizationKeys::of_tests())
    );
}

#[test]
fn a_list_keeps_the_bytes_of_what_is_encrypted_in_it_as_long_as_it_is_the_same() {
    let event = |second: i64, ids: &[&str]| {
        let addresses: Vec<_> = ids.iter().map(|id| address(id)).collect();
        json!({"eventType": "CUSTOMER", "eventAction": "UPDATED", "version": 1.0, "body": {
            "customerId": "C-1", "addresses": addresses,
            "createdAt": time(0), "updatedAt": time(second)}})
    };
    // What an element takes over from the event would differ as well.
    let streets = |content: &Content| {
        let paths = content.value_digests.keys().cloned();
        let of = |path: String| (super::at(&content.profile, &path).cloned(), path);
        paths.map(of).collect::<Vec<_>>()
    };
    let before = taken_in(&[vec![event(1, &["A", "B"])]]);
    let same = taken_in_after(&before, &event(2, &["A", "B"]));
    assert_eq!(streets(&same), streets(&before));
    let shorter = taken_in_after(&before, &event(2, &["A"]));
    assert_eq!(streets(&shorter), streets(&before)[..2]);
    let none = taken_in_after(&before, &event(2, &[]));
    assert!(streets(&none).is_empty());
}

fn taken_in_after(content: &Content, event: &Json) -> Content {
    let keys: Arc<_> = OrganizationKeys::of_tests();
    content.merged(UID, &protected(event), &keys).unwrap()
}
