//! A checked value, still in clear.

use std::{collections::BTreeMap, fmt};

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

/// A value of a field's type.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Trimmed text in NFC.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A decimal number, without trailing zeros.
    Decimal(Decimal),
    /// True or false.
    Boolean(bool),
    /// A calendar date.
    Date(Date),
    /// A point in time.
    DateTime(Timestamp),
    /// Any JSON value.
    Json(serde_json::Value),
    /// Objects with fields of their own.
    List(Vec<Element>),
}

/// An element of a list: its values by field name.
pub type Element = BTreeMap<String, Value>;

impl Value {
    /// The value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::Decimal(number) => decimal_to_json(*number),
            Self::Boolean(boolean) => (*boolean).into(),
            Self::Date(date) => date.to_string().into(),
            Self::DateTime(time) => time.to_string().into(),
            Self::Json(json) => json.clone(),
            Self::List(elements) => elements.iter().map(element_to_json).collect(),
        }
    }
}

fn element_to_json(element: &Element) -> serde_json::Value {
    let member = |(name, value): (&String, &Value)| (name.clone(), value.to_json());
    element.iter().map(member).collect()
}

/// A decimal as a JSON number; whole numbers are written without a fraction. One with more digits
/// than 64 bits hold is written as text, so that none gets lost.
pub(crate) fn decimal_to_json(number: Decimal) -> serde_json::Value {
    let text = number.normalize().to_string();
    if let Ok(integer) = text.parse::<i64>() {
        return integer.into();
    }
    match text.parse::<f64>() {
        Ok(float) if read_back(float) == Some(number.normalize()) => float.into(),
        _ => text.into(),
    }
}

/// The decimal that a JSON number is read as.
fn read_back(float: f64) -> Option<Decimal> {
    let text = serde_json::to_string(&float).ok()?;
    let exact = Decimal::from_str_exact(&text);
    let number = exact.or_else(|_| Decimal::from_scientific(&text));
    number.ok().map(|number| number.normalize())
}

impl fmt::Debug for Value {
    /// Values may be personal, so only their kind is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::Integer(_) => "Integer(…)",
            Self::Decimal(_) => "Decimal(…)",
            Self::Boolean(_) => "Boolean(…)",
            Self::Date(_) => "Date(…)",
            Self::DateTime(_) => "DateTime(…)",
            Self::Json(_) => "Json(…)",
            Self::List(_) => "List(…)",
        })
    }
}

/// What a row does to a field that it mentions. Fields that it leaves blank keep their value.
#[derive(Clone, PartialEq, Debug)]
pub enum Change<T> {
    /// The field gets this value.
    Set(T),
    /// The field loses its value (a JSON null).
    Unset,
}

impl<T> Change<T> {
    /// Changes the value, if there is one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Set(value) => Change::Set(f(value)),
            Self::Unset => Change::Unset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_every_digit() {
        use serde_json::json;
        let table = [
            ("7", json!(7)),
            ("7.0", json!(7)),
            ("12.5", json!(12.5)),
            ("-0.001", json!(-0.001)),
            ("89254021064184318734", json!("89254021064184318734")),
            ("0.1234567890123456789", json!("0.1234567890123456789")),
            ("9007199254740993", json!(9_007_199_254_740_993_i64)),
        ];
        for (text, expected) in table {
            let number = Decimal::from_str_exact(text).unwrap();
            assert_eq!(decimal_to_json(number), expected, "{text}");
        }
    }
}
