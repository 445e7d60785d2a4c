//! What every kind of source writes, and what becomes of it.

use serde_json::json;

use super::*;
use crate::dataset::Dataset;

fn outcome(dataset: &str, field: &str, raw: RawValue) -> String {
    let dataset = Dataset::builtin(dataset).unwrap();
    let field = &dataset.fields()[dataset.index_of(field).unwrap()];
    match read(field, &raw, 2026) {
        Ok(None) => "absent".to_owned(),
        Ok(Some(Change::Unset)) => "unset".to_owned(),
        Ok(Some(Change::Set(value))) => value.to_json().to_string(),
        Err(Refused { code, hint: None }) => code.to_string(),
        Err(Refused {
            code,
            hint: Some(hint),
        }) => format!("{code}: {hint}"),
    }
}

#[test]
fn text_cells_read_as_their_type() {
    let table = [
        ("customers", "birth_year", "2000", "2000"),
        (
            "customers",
            "birth_year",
            "#REF!",
            "spreadsheet_error: #REF!",
        ),
        ("customers", "name", " #N/A", "spreadsheet_error: #N/A"),
        ("customers", "name", "#N/A or so", "\"#N/A or so\""),
        (
            "customers",
            "phone",
            "#CELL! 2020-01-02",
            "spreadsheet_error: #CELL!",
        ),
        ("customers", "birth_year", " 2000.0 ", "2000"),
        ("customers", "birth_year", "+2000", "2000"),
        ("customers", "birth_year", "2000.5", "type_integer"),
        ("customers", "birth_year", "MM", "type_integer"),
        ("customers", "birth_year", "1899", "range: 1900 … 2026"),
        ("customers", "birth_year", "2027", "range: 1900 … 2026"),
        ("customers", "household_size", "-1", "range: ≥ 0"),
        ("customers", "household_size", "3,5", "decimal_comma"),
        ("customers", "birth_year", "1,990", "decimal_comma: 1990"),
        (
            "customers",
            "household_size",
            "9999999999999999999999",
            "type_integer",
        ),
        ("customers", "household_size", "", "absent"),
        ("customers", "gender", "m", "\"M\""),
        ("customers", "gender", "Female", "\"F\""),
        ("customers", "gender", "unknown", "unset"),
        ("customers", "gender", "X", "not_in_enum: M, F, O"),
        ("customers", "country", "ug", "\"UG\""),
        ("customers", "country", "XX", "unknown_country"),
        ("customers", "country", "UGA", "unknown_country"),
        ("customers", "external_id", "007", "\"007\""),
        ("customers", "external_id", "7.0", "spreadsheet_damage"),
        ("customers", "external_id", "2.56E+11", "spreadsheet_damage"),
        ("customers", "external_id", "12E5", "\"12E5\""),
        ("customers", "phone", "2,56E+11", "spreadsheet_damage"),
        ("customers", "phone", "256712345678.0", "spreadsheet_damage"),
        ("customers", "phone", "+256712345678", "\"+256712345678\""),
        ("customers", "name", "a\0b", "control_character"),
        ("meters", "total_price", "130000", "130000"),
        ("meters", "total_price", "1e3", "type_float"),
        ("meters", "total_price", "12,5", "decimal_comma: 12.5"),
        (
            "meters",
            "total_price",
            "1,234,567",
            "decimal_comma: 1234567",
        ),
        ("meters", "total_price", "1,2,3", "decimal_comma"),
        (
            "meters",
            "customer_latitude",
            "1,23456",
            "decimal_comma: 12.5",
        ),
        ("meters", "customer_latitude", "91", "range: -90 … 90"),
        ("meters", "payment_plan_currency", "zmw", "\"ZMW\""),
        ("meters", "payment_plan_currency", "ZZZ", "unknown_currency"),
        (
            "meters",
            "installation_date",
            "2021-02-29",
            "type_date: 2021-01-31 (yyyy-MM-dd)",
        ),
        (
            "meters",
            "installation_date",
            "2020-02-29",
            "\"2020-02-29\"",
        ),
        (
            "meters",
            "installation_date",
            "01/02/2021",
            "type_date: 2021-01-31 (yyyy-MM-dd)",
        ),
        ("meters", "is_locked", "FALSE", "false"),
        ("meters", "is_locked", "Yes", "true"),
        ("meters", "is_locked", "maybe", "type_boolean"),
    ];
    for (dataset, field, text, expected) in table {
        let raw = RawValue::Cell(text.to_owned());
        assert_eq!(outcome(dataset, field, raw), expected, "{field} {text:?}");
    }
}

#[test]
fn json_types_read_as_their_type() {
    let table = [
        ("customers", "external_id", json!(7), "\"7\""),
        ("customers", "external_id", json!("7.0"), "\"7.0\""),
        ("customers", "external_id", json!(7.0), "identifier_number"),
        (
            "customers",
            "external_id",
            json!(9_007_199_254_740_993_u64),
            "identifier_number",
        ),
        ("customers", "external_id", json!(true), "type_string"),
        ("customers", "phone", json!("7.0"), "spreadsheet_damage"),
        (
            "customers",
            "phone",
            json!(256_712_345_678_u64),
            "\"256712345678\"",
        ),
        ("customers", "phone", json!(null), "unset"),
        ("customers", "birth_year", json!(2000), "2000"),
        ("customers", "birth_year", json!(2000.0), "2000"),
        ("customers", "birth_year", json!("2000"), "2000"),
        ("customers", "birth_year", json!([2000]), "type_integer"),
        ("meters", "total_price", json!(1e3), "1000"),
        ("meters", "total_price", json!(12.5), "12.5"),
        ("meters", "is_test", json!(1), "true"),
        ("meters", "firmware_version", json!(1.2), "\"1.2\""),
    ];
    for (dataset, field, value, expected) in table {
        let shown = value.to_string();
        assert_eq!(
            outcome(dataset, field, value.into()),
            expected,
            "{field} {shown}"
        );
    }
}

#[test]
fn spreadsheet_cells_read_as_their_type() {
    use RawValue::{Boolean, CellDate, CellError, CellNumber};
    let midnight = jiff::civil::date(2021, 1, 31).at(0, 0, 0, 0);
    let morning = jiff::civil::date(2021, 5, 3).at(6, 23, 55, 0);
    let customers = [
        ("birth_year", CellNumber(2000.0), "2000"),
        ("birth_year", CellNumber(2000.5), "type_integer"),
        ("birth_year", CellNumber(1e300), "type_integer"),
        ("birth_year", CellDate(midnight), "type_integer"),
        ("household_size", CellNumber(-1.0), "range: ≥ 0"),
        ("external_id", CellNumber(6574.0), "\"6574\""),
        (
            "external_id",
            CellNumber(999_999_999_999_999.0),
            "\"999999999999999\"",
        ),
        ("external_id", CellNumber(1e15), "spreadsheet_damage"),
        ("external_id", CellNumber(7.5), "spreadsheet_damage"),
        ("external_id", CellDate(midnight), "spreadsheet_damage"),
        (
            "external_id",
            CellError("#REF!".to_owned()),
            "spreadsheet_error: #REF!",
        ),
        ("phone", CellNumber(256_712_345_678.0), "\"256712345678\""),
        (
            "phone",
            CellNumber(2.567_123_456_78e17),
            "spreadsheet_damage",
        ),
        ("phone", CellDate(morning), "spreadsheet_damage"),
        (
            "phone",
            CellError("#N/A".to_owned()),
            "spreadsheet_error: #N/A",
        ),
        ("profession", CellNumber(2000.0), "\"2000\""),
        ("profession", CellNumber(1.5), "\"1.5\""),
        ("profession", CellDate(midnight), "\"2021-01-31\""),
        ("profession", CellDate(morning), "\"2021-05-03T06:23:55\""),
        ("profession", Boolean(true), "type_string"),
        ("gender", CellNumber(1.0), "not_in_enum: M, F, O"),
    ];
    for (field, raw, expected) in customers {
        assert_eq!(outcome("customers", field, raw), expected, "{field}");
    }
    let meters = [
        ("total_price", CellNumber(130_000.0), "130000"),
        ("total_price", CellNumber(0.1), "0.1"),
        ("customer_latitude", CellNumber(1.234_56), "1.23456"),
        ("installation_date", CellDate(midnight), "\"2021-01-31\""),
        (
            "installation_date",
            CellDate(morning),
            "type_date: 2021-01-31 (yyyy-MM-dd)",
        ),
        (
            "installation_date",
            CellNumber(44_197.0),
            "type_date: 2021-01-31 (yyyy-MM-dd)",
        ),
        ("is_locked", Boolean(false), "false"),
        ("is_locked", CellNumber(1.0), "true"),
        ("is_locked", CellNumber(2.0), "type_boolean"),
    ];
    for (field, raw, expected) in meters {
        assert_eq!(outcome("meters", field, raw), expected, "{field}");
    }
    assert_eq!(
        datetime(&CellDate(morning)),
        Ok("2021-05-03T06:23:55Z".parse().unwrap())
    );
}

#[test]
fn a_text_of_4096_characters_is_the_longest() {
    let cell = |length| RawValue::Cell("é".repeat(length));
    assert!(outcome("customers", "profession", cell(4_096)).starts_with('"'));
    assert_eq!(
        outcome("customers", "profession", cell(4_097)),
        "too_long: 4096"
    );
}

#[test]
fn json_numbers_of_many_digits_read_as_their_type() {
    let table = [
        (
            "customers",
            "external_id",
            "18446744073709551616",
            "identifier_number",
        ),
        (
            "customers",
            "external_id",
            "7.00000000000000000001",
            "identifier_number",
        ),
        (
            "customers",
            "phone",
            "18446744073709551616",
            "identifier_number",
        ),
        (
            "customers",
            "birth_year",
            "2000.0000000000000000000",
            "2000",
        ),
        ("customers", "birth_year", "1e400", "type_integer"),
        ("meters", "total_price", "12.50000000000000000000", "12.5"),
        ("meters", "total_price", "1e400", "type_float"),
        (
            "meters",
            "model",
            "0.1000000000000000055",
            "\"0.1000000000000000055\"",
        ),
        ("meters", "is_test", "18446744073709551616", "type_boolean"),
    ];
    for (dataset, field, number, expected) in table {
        let raw = RawValue::LongNumber(number.to_owned());
        assert_eq!(outcome(dataset, field, raw), expected, "{field} {number}");
    }
}
