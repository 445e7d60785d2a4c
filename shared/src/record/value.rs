//! A checked value, still in clear.

use std::fmt;

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
}

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
        }
    }
}

/// A decimal as a JSON number; whole numbers are written without a fraction.
pub(crate) fn decimal_to_json(number: Decimal) -> serde_json::Value {
    let text = number.normalize().to_string();
    match text.parse::<i64>() {
        Ok(integer) => integer.into(),
        Err(_) => text.parse::<f64>().map_or(text.into(), Into::into),
    }
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
