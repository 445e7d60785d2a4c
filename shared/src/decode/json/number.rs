//! JSON numbers, none of whose digits may be lost.
//!
//! JSON sets no limit to a number's digits (RFC 8259, section 6), a machine's numbers do.

use serde_json::Number;

use crate::record::RawValue;

/// A JSON value's text as a number, if it is one.
pub(super) fn of(json: &str) -> Option<RawValue> {
    if !json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    Some(match machine_number(json) {
        Some(number) => RawValue::Number(number),
        None => RawValue::LongNumber(json.to_owned()),
    })
}

/// The number as an integer of 64 bits, or else as the float that is written with the same digits.
fn machine_number(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    let number = Number::from_f64(text.parse().ok()?)?;
    let written = number.to_string();
    let kept = written == text || Digits::of(&written) == Digits::of(text);
    kept.then_some(number)
}

/// A number's sign, its digits without zeros on either side, and the power of ten they are
/// multiplied with.
#[derive(PartialEq, Eq)]
struct Digits(bool, String, i64);

impl Digits {
    /// Nothing when the exponent is beyond all measure.
    fn of(text: &str) -> Option<Self> {
        let negative = text.starts_with('-');
        let text = text.trim_start_matches('-');
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let significant = digits.trim_end_matches('0');
        let trailing = i64::try_from(digits.len() - significant.len()).ok()?;
        let places = i64::try_from(fraction.len()).ok()?;
        let exponent = exponent.parse::<i64>().ok()?.checked_add(trailing)?;
        Some(match significant.trim_start_matches('0') {
            "" => Self(negative, String::new(), 0),
            significant => Self(
                negative,
                significant.to_owned(),
                exponent.checked_sub(places)?,
            ),
        })
    }
}
