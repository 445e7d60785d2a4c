//! Rows of a workspace, checked against the fields that its organization has defined.

use std::sync::Arc;

use jiff::civil::date;
use serde_json::{Value as Json, json};

use super::{
    Change, RawRecord, RawValue, RefusedRow, RowError, RowErrorCode, UnknownColumns, Validator,
};
use crate::{
    dataset::workspace::Definition,
    identity::{OrganizationId, UidPart},
    language::Language,
    protection::OrganizationKeys,
};

fn validator(fields: &Json) -> Validator {
    let fields: Vec<Box<serde_json::value::RawValue>> =
        serde_json::from_str(&fields.to_string()).unwrap();
    let dataset = Definition::parse(&fields).unwrap().to_dataset().unwrap();
    Validator::new(
        Arc::new(dataset),
        OrganizationId::new(1).unwrap(),
        "workspace".parse().unwrap(),
        OrganizationKeys::of_tests(),
        UnknownColumns::Keep,
        2026,
    )
}

fn row(values: Vec<(&str, RawValue)>) -> RawRecord {
    let values = values.into_iter();
    RawRecord {
        row: 1,
        line: None,
        values: values.map(|(name, raw)| (Arc::from(name), raw)).collect(),
        malformed: None,
    }
}

fn errors(result: Result<super::Record, RefusedRow>) -> Vec<RowError> {
    result.err().map_or_else(Vec::new, |refused| refused.errors)
}

/// What a field makes of a value: its JSON, `absent`, `unset`, or the error's code and hint.
fn outcome(field: &Json, raw: RawValue) -> String {
    let mut field = field.clone();
    field["name"] = json!("field");
    let id = json!({"name": "id", "field_type": "string", "unique_identifier": true});
    let mut validator = validator(&json!([id, field]));
    let cells = vec![("id", RawValue::Cell("1".into())), ("field", raw)];
    match validator.validate(row(cells)) {
        Ok(record) => match record.change("field") {
            None => "absent".to_owned(),
            Some(Change::Unset) => "unset".to_owned(),
            Some(Change::Set(value)) => value.to_json().to_string(),
        },
        Err(refused) => {
            let shown = |error: &RowError| match &error.hint {
                Some(hint) => format!("{}: {hint}", error.code),
                None => error.code.to_string(),
            };
            let errors: Vec<_> = refused.errors.iter().map(shown).collect();
            errors.join(", ")
        }
    }
}

fn cell(text: &str) -> RawValue {
    RawValue::Cell(text.to_owned())
}

#[test]
fn every_type_reads_cells_json_and_spreadsheets_alike() {
    let midnight = RawValue::CellDate(date(2021, 1, 31).at(0, 0, 0, 0));
    let noon = RawValue::CellDate(date(2021, 1, 31).at(12, 0, 0, 0));
    let string = json!({"field_type": "string"});
    let number = json!({"field_type": "number"});
    let boolean = json!({"field_type": "boolean"});
    let born = json!({"field_type": "date", "field_format": "dd/MM/yyyy"});
    let debt = json!({"field_type": "currency", "field_format": "ZMW"});
    let secret = json!({"field_type": "currency", "field_format": "ZMW", "is_pii": true});
    let code = json!({"field_type": "string", "pattern": "[A-Z]{2}[0-9]+"});
    let plan = json!({"field_type": "enum", "values": [{"value": "b", "name": "Basic plan"}, "p"]});
    let answer = json!({"field_type": "enum", "values": ["1", "2", "true"]});
    let not_a_date = "type_date: 31/01/2021 (dd/MM/yyyy)";
    let table: Vec<(&Json, RawValue, &str)> = vec![
        (&string, cell(" Zoe\u{308} "), "\"Zo\u{eb}\""),
        (&string, cell(" "), "absent"),
        (&string, RawValue::Null, "unset"),
        (&string, json!(7).into(), "\"7\""),
        (&string, json!(true).into(), "type_string"),
        (&string, json!(["a"]).into(), "type_string"),
        (&number, cell("12.50"), "12.5"),
        (&number, json!(-3).into(), "-3"),
        (&number, RawValue::CellNumber(0.1), "0.1"),
        (&number, cell("12,5"), "decimal_comma: 12.5"),
        (&number, cell("1e3"), "type_float"),
        (&number, cell("twelve"), "type_float"),
        (&boolean, cell("Yes"), "true"),
        (&boolean, RawValue::CellNumber(0.0), "false"),
        (&boolean, json!(true).into(), "true"),
        (&boolean, cell("oui"), "type_boolean"),
        (&born, cell("31/01/2021"), "\"2021-01-31\""),
        (&born, json!("31/1/2021").into(), "\"2021-01-31\""),
        (&born, json!("2021-01-31").into(), "\"2021-01-31\""),
        (&born, midnight, "\"2021-01-31\""),
        (&born, noon, not_a_date),
        (&born, cell("01/31/2021"), not_a_date),
        (&born, json!(44_227).into(), not_a_date),
        (&debt, cell("130000"), "130000"),
        (&debt, cell("ZMW 5"), "type_float"),
        (&debt, cell("1,500.00"), "decimal_comma"),
        (&secret, cell("7,25"), "decimal_comma: 12.5"),
        (&code, cell(" UG12 "), "\"UG12\""),
        (&code, cell("UG12x"), "pattern"),
        (&code, cell(""), "absent"),
        (&code, RawValue::Null, "unset"),
        (&plan, cell("B"), "\"b\""),
        (&plan, cell("basic PLAN"), "\"b\""),
        (&plan, json!("P").into(), "\"p\""),
        (&plan, cell("Premium"), "not_in_enum: b, p"),
        (&plan, cell("unknown"), "not_in_enum: b, p"),
        (&plan, RawValue::Null, "unset"),
        (&answer, json!(1).into(), "\"1\""),
        (&answer, RawValue::CellNumber(2.0), "\"2\""),
        (&answer, RawValue::Boolean(true), "\"true\""),
        (&answer, json!(1.5).into(), "not_in_enum: 1, 2, true"),
    ];
    for (field, raw, expected) in table {
        let shown = format!("{field} {:?}", raw.clone().into_cell());
        assert_eq!(outcome(field, raw), expected, "{shown}");
    }
}

#[test]
fn all_dates_of_a_format_read_and_are_kept_as_iso() {
    for format in crate::dataset::DateFormat::all() {
        let field = json!({"field_type": "date", "field_format": format.as_str()});
        assert_eq!(
            outcome(&field, cell(&format.example())),
            "\"2021-01-31\"",
            "{format:?}"
        );
        let hint = format!("type_date: {} ({})", format.example(), format.as_str());
        assert_eq!(outcome(&field, cell("31 01 2021")), hint);
    }
}

#[test]
fn a_long_list_of_values_is_cut_in_messages() {
    let values: Vec<_> = (0..1_000).map(|n| format!("value {n}")).collect();
    let field = json!({"field_type": "enum", "values": values});
    let shown = outcome(&field, cell("x"));
    assert!(shown.ends_with(", …") && shown.len() < 250, "{shown}");
}

#[test]
fn required_fields_must_be_there_and_stay() {
    let mut validator = validator(&json!([
        {"name": "Customer No", "field_type": "string", "unique_identifier": true},
        {"name": "name", "field_type": "string", "required": true, "is_pii": true},
    ]));
    let codes = |result| {
        let shown = |e: &RowError| format!("{} {}", e.column.as_deref().unwrap_or("-"), e.code);
        errors(result).iter().map(shown).collect::<Vec<_>>()
    };
    type Case<'c> = (Vec<(&'c str, RawValue)>, &'c [&'c str]);
    let table: [Case<'_>; 5] = [
        (vec![("customer_no", cell("7")), ("NAME", cell("Ann"))], &[]),
        (
            vec![("customer_no", cell("7")), ("name", cell(" "))],
            &["name required"],
        ),
        (
            vec![("customer_no", cell("7")), ("name", RawValue::Null)],
            &["name required_unset"],
        ),
        (
            vec![("customer_no", RawValue::Null), ("name", cell("Ann"))],
            &["Customer No required_unset"],
        ),
        (vec![], &["Customer No required", "name required"]),
    ];
    for (cells, expected) in table {
        assert_eq!(codes(validator.validate(row(cells))), expected);
    }
}

#[test]
fn a_personal_identifier_is_in_no_uid_and_no_error() {
    let fields = |is_pii: bool| json!([{"name": "nin", "field_type": "string", "unique_identifier": true, "is_pii": is_pii}]);
    let uid = |is_pii: bool, id: &str| {
        let record = validator(&fields(is_pii)).validate(row(vec![("nin", cell(id))]));
        record.unwrap().id().to_string()
    };
    assert_eq!(uid(false, " CM-7 "), "1-workspace-CM-7");
    let digest = OrganizationKeys::of_tests().external_id(&UidPart::parse("CM-7").unwrap());
    assert_eq!(
        uid(true, " CM-7 "),
        format!("1-workspace-{}", digest.as_str())
    );
    assert_eq!(digest.as_str().len(), 64);
    assert_ne!(uid(true, "CM-7"), uid(true, "CM-07"));
    // Damage and length are looked for in what was written, and the value stays unsaid.
    let long = "x".repeat(256);
    let table = [
        ("2.56E+11", RowErrorCode::SpreadsheetDamage),
        ("256712345678.0", RowErrorCode::SpreadsheetDamage),
        (long.as_str(), RowErrorCode::KeyTooLong),
        ("CM\u{7}", RowErrorCode::ControlCharacter),
    ];
    for (id, code) in table {
        for is_pii in [false, true] {
            let refused = validator(&fields(is_pii)).validate(row(vec![("nin", cell(id))]));
            let errors = errors(refused);
            assert_eq!(errors[0].code, code, "{id}");
            let messages = [Language::English, Language::French].map(|l| errors[0].message(l));
            assert!(messages.iter().all(|message| !message.contains(id)));
        }
    }
}

#[test]
fn a_mistyped_personal_column_is_refused_and_generated_ones_are_left_out() {
    let mut validator = validator(&json!([
        {"name": "id", "field_type": "string", "unique_identifier": true},
        {"name": "phone number", "field_type": "string", "is_pii": true},
    ]));
    let near = row(vec![("id", cell("1")), ("phone numbr", cell("+256"))]);
    let refused = errors(validator.validate(near));
    assert_eq!(refused[0].code, RowErrorCode::NearMiss);
    assert_eq!(refused[0].hint.as_deref(), Some("phone number"));
    let generated = row(vec![
        ("id", cell("1")),
        ("uid", cell("x")),
        ("shoe", cell("42")),
    ]);
    let record = validator.validate(generated).unwrap();
    assert_eq!((record.changes.len(), record.custom.len()), (1, 1));
}
