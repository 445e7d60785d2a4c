//! Field values as attributes, and as they are shown.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value as Json;

use super::Profile;
use crate::{
    dataset::{Field, FieldType, Protection},
    protection::{CipherError, OrganizationKeys, Protected, Pseudonym},
    record::Value,
};

/// Keyed digests of encrypted values by their paths: the field's name, and in a list
/// `{list}/{0-based place}/{field}`.
pub(in crate::store) type Digests = BTreeMap<String, [u8; 16]>;

pub(in crate::store) fn bytes(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(bytes.to_vec().into())
}

pub(in crate::store) fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// What is stored at a place, for a value that comes to the same place.
#[derive(Clone, Copy)]
pub(super) struct Stored<'s> {
    pub(super) value: Option<&'s AttributeValue>,
    pub(super) digests: &'s Digests,
}

impl Stored<'_> {
    fn within(self, index: usize, name: &str) -> Self {
        let elements = self.value.and_then(|value| value.as_l().ok());
        let element = elements.and_then(|elements| elements.get(index)?.as_m().ok());
        Self {
            value: element.and_then(|element| element.get(name)),
            ..self
        }
    }
}

/// A value as an attribute. The digests of what is encrypted in it are added to `digests`.
pub(super) fn to_attribute(
    path: &str,
    value: &Protected,
    stored: Stored<'_>,
    digests: &mut Digests,
) -> AttributeValue {
    match value {
        Protected::Clear(value) => clear(value),
        Protected::Pseudonym(pseudonym) => bytes(&pseudonym.to_bytes()),
        Protected::Sealed(sealed) => {
            digests.insert(path.to_owned(), sealed.digest);
            // The same value has other bytes each time it is encrypted.
            match (stored.value, stored.digests.get(path)) {
                (Some(kept @ AttributeValue::B(_)), Some(digest)) if *digest == sealed.digest => {
                    kept.clone()
                }
                _ => bytes(&sealed.bytes),
            }
        }
        Protected::List(elements) => {
            let mut list = Vec::with_capacity(elements.len());
            for (index, element) in elements.iter().enumerate() {
                let mut attribute = |(name, value): (&String, &Protected)| {
                    let path = path_within(path, index, name);
                    let stored = stored.within(index, name);
                    (name.clone(), to_attribute(&path, value, stored, digests))
                };
                list.push(AttributeValue::M(
                    element.iter().map(&mut attribute).collect(),
                ));
            }
            AttributeValue::L(list)
        }
    }
}

fn clear(value: &Value) -> AttributeValue {
    match value {
        Value::Text(text) => AttributeValue::S(text.clone()),
        Value::Integer(integer) => number(integer),
        Value::Decimal(decimal) => number(decimal.normalize()),
        Value::Boolean(boolean) => AttributeValue::Bool(*boolean),
        Value::Date(date) => AttributeValue::S(date.to_string()),
        Value::DateTime(time) => AttributeValue::S(time.to_string()),
        Value::Json(json) => AttributeValue::S(json.to_string()),
        // Protection takes lists apart.
        list @ Value::List(_) => AttributeValue::S(list.to_json().to_string()),
    }
}

fn path_within(list: &str, index: usize, name: &str) -> String {
    format!("{list}/{index}/{name}")
}

/// Whether a path leads into a list.
pub(super) fn is_within(path: &str, list: &str) -> bool {
    path.strip_prefix(list)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The value at a path.
pub(in crate::store) fn at<'p>(profile: &'p Profile, path: &str) -> Option<&'p AttributeValue> {
    if let Some(value) = profile.get(path) {
        return Some(value);
    }
    let (list, index, name) = parts(path)?;
    profile
        .get(list)?
        .as_l()
        .ok()?
        .get(index)?
        .as_m()
        .ok()?
        .get(name)
}

/// The same to be replaced.
pub(in crate::store) fn at_mut<'p>(
    profile: &'p mut Profile,
    path: &str,
) -> Option<&'p mut AttributeValue> {
    if profile.contains_key(path) {
        return profile.get_mut(path);
    }
    let (list, index, name) = parts(path)?;
    let AttributeValue::L(elements) = profile.get_mut(list)? else {
        return None;
    };
    match elements.get_mut(index)? {
        AttributeValue::M(element) => element.get_mut(name),
        _ => None,
    }
}

fn parts(path: &str) -> Option<(&str, usize, &str)> {
    let (list, rest) = path.split_once('/')?;
    let (index, name) = rest.split_once('/')?;
    Some((list, index.parse().ok()?, name))
}

/// About how many bytes a value takes.
pub(super) fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(elements) => elements.iter().map(size).sum(),
        AttributeValue::M(members) => members.iter().map(|(name, v)| name.len() + size(v)).sum(),
        _ => 1,
    }
}

/// Hands on the parts that a value consists of, so that equal values, and no others, have equal
/// parts. Encrypted ones go by their digests.
pub(super) fn parts_of(
    path: &str,
    value: &AttributeValue,
    digests: &Digests,
    part: &mut impl FnMut(&[u8]),
) {
    match (digests.get(path), value) {
        (Some(digest), _) => part(digest),
        (None, AttributeValue::S(text)) => part(&[b"S", text.as_bytes()].concat()),
        (None, AttributeValue::N(number)) => part(&[b"N", number.as_bytes()].concat()),
        (None, AttributeValue::Bool(value)) => part(&[b'B', u8::from(*value)]),
        (None, AttributeValue::B(bytes)) => part(bytes.as_ref()),
        (None, AttributeValue::L(elements)) => {
            part(&[b"L", elements.len().to_string().as_bytes()].concat());
            for (index, element) in elements.iter().enumerate() {
                let members: BTreeMap<_, _> = element.as_m().into_iter().flatten().collect();
                part(&[b"M", members.len().to_string().as_bytes()].concat());
                for (name, value) in members {
                    part(name.as_bytes());
                    parts_of(&path_within(path, index, name), value, digests, part);
                }
            }
        }
        (None, _) => part(&[]),
    }
}

/// A value as it may be shown: pseudonyms in their text form, encrypted values in base64.
pub(super) fn show(field: &Field, value: &AttributeValue) -> Json {
    match (value, field.protection) {
        (AttributeValue::S(text), _) if field.r#type == FieldType::Json => {
            serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())
        }
        (AttributeValue::S(text), _) => text.as_str().into(),
        (AttributeValue::N(number), _) => show_number(number),
        (AttributeValue::Bool(boolean), _) => (*boolean).into(),
        (AttributeValue::B(stored), Protection::Pseudonym) => {
            Pseudonym::from_bytes(stored.as_ref())
                .map_or(Json::Null, |pseudonym| pseudonym.to_string().into())
        }
        (AttributeValue::B(stored), _) => data_encoding::BASE64.encode(stored.as_ref()).into(),
        (AttributeValue::L(elements), _) => {
            let element = |element: &AttributeValue| {
                let members = element.as_m().ok();
                let member = |field: &Field| {
                    let value = members?.get(&field.name)?;
                    Some((field.name.clone(), show(field, value)))
                };
                field.fields.iter().filter_map(member).collect::<Json>()
            };
            elements.iter().map(element).collect()
        }
        _ => Json::Null,
    }
}

fn show_number(number: &str) -> Json {
    match number.parse::<rust_decimal::Decimal>() {
        Ok(decimal) => Value::Decimal(decimal).to_json(),
        Err(_) => number.into(),
    }
}

/// Decrypts the values of one record.
pub(super) struct Opener<'o> {
    pub(super) uid: &'o str,
    pub(super) keys: &'o OrganizationKeys,
    pub(super) digests: &'o Digests,
}

impl Opener<'_> {
    /// Puts what is encrypted in a value in clear where it is shown.
    pub(super) fn reveal(
        &self,
        path: &str,
        value: &AttributeValue,
        shown: &mut Json,
    ) -> Result<(), CipherError> {
        match (value, shown) {
            (AttributeValue::B(sealed), shown) if self.digests.contains_key(path) => {
                let clear = self.keys.open(self.uid, path, sealed.as_ref())?;
                *shown = serde_json::from_slice(&clear).map_err(|_| CipherError::Format)?;
            }
            (AttributeValue::L(elements), Json::Array(shown)) => {
                for (index, (element, shown)) in elements.iter().zip(shown).enumerate() {
                    let (Ok(element), Json::Object(members)) = (element.as_m(), shown) else {
                        continue;
                    };
                    for (name, shown) in members {
                        if let Some(value) = element.get(name) {
                            self.reveal(&path_within(path, index, name), value, shown)?;
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
