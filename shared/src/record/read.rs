//! Reads one raw value as a field's type.
//!
//! Sources send everything as text, as JSON types or as spreadsheet cells; all give the same value.

#[cfg(test)]
mod tests;

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use rust_decimal::Decimal;

use super::{
    Change, MAX_TEXT_CHARS, RawValue, RowErrorCode, Value,
    raw::{DAMAGED_CELL, SIXTEEN_DIGITS, iso_text},
};
use crate::{
    dataset::{Field, FieldType, Format, Protection},
    identity::normalize,
};

/// The largest integer that every JSON reader keeps.
pub(crate) const MAX_JSON_INTEGER: u64 = 1 << 53;

/// Why a value was refused, with a hint that holds nothing personal.
#[derive(Debug, PartialEq)]
pub(super) struct Refused {
    pub(super) code: RowErrorCode,
    pub(super) hint: Option<String>,
}

impl From<RowErrorCode> for Refused {
    fn from(code: RowErrorCode) -> Self {
        Self { code, hint: None }
    }
}

fn refused(code: RowErrorCode, hint: impl Into<String>) -> Refused {
    Refused {
        code,
        hint: Some(hint.into()),
    }
}

/// Reads a raw value: nothing when it is blank, [`Change::Unset`] when it is null.
pub(super) fn read(
    field: &Field,
    raw: &RawValue,
    this_year: i16,
) -> Result<Option<Change<Value>>, Refused> {
    if let RawValue::Null = raw {
        return Ok(Some(Change::Unset));
    }
    if let RawValue::Cell(text) | RawValue::Text(text) | RawValue::LongNumber(text) = raw {
        if text.trim().is_empty() {
            return Ok(None);
        }
        if text.chars().count() > MAX_TEXT_CHARS {
            return Err(refused(RowErrorCode::TooLong, MAX_TEXT_CHARS.to_string()));
        }
        if text.contains('\0') {
            return Err(RowErrorCode::ControlCharacter.into());
        }
    }
    if let Some(error) = shown_error(raw) {
        return Err(refused(RowErrorCode::SpreadsheetError, error));
    }
    if let RawValue::CellError(error) = raw {
        return Err(refused(RowErrorCode::SpreadsheetError, error));
    }
    let change = match field.r#type {
        FieldType::String => Change::Set(Value::Text(string(field, raw)?)),
        FieldType::Integer => Change::Set(Value::Integer(integer(field, raw, this_year)?)),
        FieldType::Float => Change::Set(Value::Decimal(float(field, raw, this_year)?)),
        FieldType::Boolean => Change::Set(Value::Boolean(boolean(raw)?)),
        FieldType::Date => Change::Set(Value::Date(date(field, raw)?)),
        FieldType::Datetime => Change::Set(Value::DateTime(datetime(raw)?)),
        FieldType::Enum => enumerated(field, raw)?,
        FieldType::Json => Change::Set(Value::Json(raw.clone().into_json())),
        // Their elements are read field by field.
        FieldType::List => return Err(RowErrorCode::TypeList.into()),
    };
    Ok(Some(change))
}

/// What spreadsheets show where a formula failed, and write into a csv as if it were a value.
const SHOWN_ERRORS: [&str; 10] = [
    "#N/A",
    "#REF!",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#SPILL!",
    "#CALC!",
    "#GETTING_DATA",
];

/// The error that a csv's cell holds instead of a value.
fn shown_error(raw: &RawValue) -> Option<&'static str> {
    let RawValue::Cell(text) = raw else {
        return None;
    };
    let text = text.trim();
    if text.starts_with(DAMAGED_CELL) {
        return Some(DAMAGED_CELL);
    }
    SHOWN_ERRORS.into_iter().find(|error| *error == text)
}

/// A value's text, if it is one.
fn text_of(raw: &RawValue) -> Option<String> {
    match raw {
        RawValue::Cell(text) | RawValue::Text(text) => Some(normalize(text)),
        _ => None,
    }
}

fn string(field: &Field, raw: &RawValue) -> Result<String, Refused> {
    let keeps_digits = field.is_identifier() || field.protection == Protection::Pseudonym;
    let text = match raw {
        RawValue::Number(number) if keeps_digits => whole_number(number)?,
        RawValue::LongNumber(_) if keeps_digits => {
            return Err(RowErrorCode::IdentifierNumber.into());
        }
        RawValue::Number(number) => number.to_string(),
        RawValue::LongNumber(number) => number.clone(),
        RawValue::CellNumber(number) if keeps_digits => whole_cell(*number)?,
        RawValue::CellNumber(number) => number.to_string(),
        // An id such as `1-2` becomes a date in a spreadsheet.
        RawValue::CellDate(_) if keeps_digits => {
            return Err(RowErrorCode::SpreadsheetDamage.into());
        }
        RawValue::CellDate(time) => iso_text(*time),
        _ => text_of(raw).ok_or(RowErrorCode::TypeString)?,
    };
    if keeps_digits && is_spreadsheet_damage(field, raw, &text) {
        return Err(RowErrorCode::SpreadsheetDamage.into());
    }
    if let Some(pattern) = &field.pattern
        && !pattern.matches(&text)
    {
        return Err(RowErrorCode::Pattern.into());
    }
    match field.format {
        Some(Format::Country) => country(&text),
        Some(Format::Currency) => currency(&text),
        None => Ok(text),
    }
}

/// A JSON number as the text of an identifier: `7` is, `7.0` and 10^300 are not.
fn whole_number(number: &serde_json::Number) -> Result<String, Refused> {
    let magnitude = number
        .as_u64()
        .or_else(|| number.as_i64().map(i64::unsigned_abs));
    match magnitude {
        Some(magnitude) if magnitude <= MAX_JSON_INTEGER => Ok(number.to_string()),
        _ => Err(RowErrorCode::IdentifierNumber.into()),
    }
}

/// A spreadsheet's number as the text of an identifier, unless digits may be lost.
fn whole_cell(number: f64) -> Result<String, Refused> {
    match number.fract() == 0.0 && number.abs() < SIXTEEN_DIGITS {
        true => Ok(number.to_string()),
        false => Err(RowErrorCode::SpreadsheetDamage.into()),
    }
}

/// Whether a spreadsheet wrote digits as a number: `2.56E+11`, `256712345678.0`.
///
/// A JSON string such as `"7.0"` was written by a program and is an identifier as it
/// stands; in a csv cell, and for every pseudonym, it is what a spreadsheet leaves of `7`.
fn is_spreadsheet_damage(field: &Field, raw: &RawValue, text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if let Some((mantissa, exponent)) = unsigned.split_once(['E', 'e']) {
        let mantissa = mantissa.replacen([',', '.'], "", 1);
        // Without a sign, `12E5` may well be a serial number.
        return is_digits(&mantissa) && exponent.strip_prefix('+').is_some_and(is_digits);
    }
    let may_be_damaged =
        matches!(raw, RawValue::Cell(_)) || field.protection == Protection::Pseudonym;
    may_be_damaged
        && unsigned
            .split_once('.')
            .is_some_and(|(whole, zeros)| is_digits(whole) && zeros == "0")
}

fn country(text: &str) -> Result<String, Refused> {
    let code = text.to_ascii_uppercase();
    match celes::Country::from_alpha2(&code) {
        Ok(country) if code.len() == 2 => Ok(country.alpha2.to_owned()),
        _ => Err(RowErrorCode::UnknownCountry.into()),
    }
}

fn currency(text: &str) -> Result<String, Refused> {
    match iso_currency::Currency::from_code(&text.to_ascii_uppercase()) {
        Some(currency) => Ok(currency.code().to_owned()),
        None => Err(RowErrorCode::UnknownCurrency.into()),
    }
}

fn integer(field: &Field, raw: &RawValue, this_year: i16) -> Result<i64, Refused> {
    let number = number(field, raw, RowErrorCode::TypeInteger)?;
    let whole: i64 = match number.fract().is_zero() {
        true => number
            .trunc()
            .try_into()
            .map_err(|_| RowErrorCode::TypeInteger)?,
        false => return Err(RowErrorCode::TypeInteger.into()),
    };
    within_range(field, number, this_year)?;
    Ok(whole)
}

fn float(field: &Field, raw: &RawValue, this_year: i16) -> Result<Decimal, Refused> {
    let number = number(field, raw, RowErrorCode::TypeFloat)?;
    within_range(field, number, this_year)?;
    Ok(number.normalize())
}

fn number(field: &Field, raw: &RawValue, otherwise: RowErrorCode) -> Result<Decimal, Refused> {
    let text = match raw {
        RawValue::Number(number) => number.to_string(),
        RawValue::LongNumber(number) => number.clone(),
        RawValue::CellNumber(number) => number.to_string(),
        _ => text_of(raw).ok_or(otherwise)?,
    };
    if text.contains(',') {
        return Err(Refused {
            code: RowErrorCode::DecimalComma,
            hint: without_comma(field, &text),
        });
    }
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().any(|b| b.is_ascii_digit());
    match (plain, raw) {
        // Digits that do not fit are refused, not rounded away.
        (true, _) => Decimal::from_str_exact(&text).map_err(|_| otherwise.into()),
        // JSON writes large and small numbers with an exponent.
        (false, RawValue::Number(_) | RawValue::LongNumber(_)) => {
            Decimal::from_scientific(&text).map_err(|_| otherwise.into())
        }
        (false, _) => Err(otherwise.into()),
    }
}

/// The corrected number, where it is plain what was meant; an example for personal fields.
fn without_comma(field: &Field, text: &str) -> Option<String> {
    if field.is_personal() {
        return Some("12.5".to_owned());
    }
    let thousands = |text: &str| {
        let mut groups = text.split(',');
        let first = groups
            .next()
            .is_some_and(|group| (1..=3).contains(&group.len()));
        first && groups.all(|group| group.len() == 3)
    };
    let is_integer = field.r#type == FieldType::Integer;
    let corrected = match text.matches(',').count() {
        1 if !is_integer => text.replacen(',', ".", 1),
        _ if thousands(text) => text.replace(',', ""),
        _ => return None,
    };
    let digits = corrected.trim_start_matches(['+', '-']);
    let is_number = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (is_number && corrected.parse::<Decimal>().is_ok()).then_some(corrected)
}

fn within_range(field: &Field, number: Decimal, this_year: i16) -> Result<(), Refused> {
    let range = field.range(this_year);
    let hint = match (range.min, range.max) {
        (Some(min), _) if number < min => range
            .min
            .zip(range.max)
            .map_or_else(|| format!("≥ {min}"), |(min, max)| format!("{min} … {max}")),
        (_, Some(max)) if number > max => range
            .min
            .zip(range.max)
            .map_or_else(|| format!("≤ {max}"), |(min, max)| format!("{min} … {max}")),
        _ => return Ok(()),
    };
    Err(refused(RowErrorCode::Range, hint))
}

fn boolean(raw: &RawValue) -> Result<bool, Refused> {
    if let RawValue::Boolean(boolean) = raw {
        return Ok(*boolean);
    }
    let text = match raw {
        RawValue::Number(number) => number.to_string(),
        RawValue::CellNumber(number) => number.to_string(),
        _ => text_of(raw).ok_or(RowErrorCode::TypeBoolean)?,
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(RowErrorCode::TypeBoolean.into()),
    }
}

fn date(field: &Field, raw: &RawValue) -> Result<Date, Refused> {
    let format = field.date_format;
    let found = match raw {
        RawValue::CellDate(time) => (time.time() == Time::midnight()).then(|| time.date()),
        _ => text_of(raw).and_then(|text| format.parse(&text)),
    };
    found.ok_or_else(|| {
        let hint = format!("{} ({})", format.example(), format.as_str());
        refused(RowErrorCode::TypeDate, hint)
    })
}

fn datetime(raw: &RawValue) -> Result<Timestamp, Refused> {
    let in_utc = |time: DateTime| time.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    if let RawValue::CellDate(time) = raw {
        return in_utc(*time).map_err(|_| RowErrorCode::TypeDatetime.into());
    }
    let text = text_of(raw).ok_or(RowErrorCode::TypeDatetime)?;
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    DateTime::strptime("%Y-%m-%d %H:%M:%S", &text)
        .and_then(in_utc)
        .map_err(|_| RowErrorCode::TypeDatetime.into())
}

fn enumerated(field: &Field, raw: &RawValue) -> Result<Change<Value>, Refused> {
    let not_in_enum = || refused(RowErrorCode::NotInEnum, field.listed_values());
    let lower = word_of(raw).ok_or_else(not_in_enum)?.to_lowercase();
    if field.unset_values.contains(&lower) {
        return Ok(Change::Unset);
    }
    field
        .value_named(&lower)
        .map(|value| Change::Set(Value::Text(value.to_owned())))
        .ok_or_else(not_in_enum)
}

/// An enum's value as it is written: values such as `1` and `true` lose their quotes in JSON and
/// spreadsheets.
fn word_of(raw: &RawValue) -> Option<String> {
    match raw {
        RawValue::Number(number) => Some(number.to_string()),
        RawValue::CellNumber(number) => Some(number.to_string()),
        RawValue::Boolean(boolean) => Some(boolean.to_string()),
        _ => text_of(raw),
    }
}
