//! One row: a JSON object's members, with every digit and every key.

use std::{collections::HashSet, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue as RawJson};

use super::{MAX_DEPTH, number};
use crate::record::{Malformed, RawRecord, RawValue};

/// Makes a row of a JSON value's text.
pub(super) fn read(text: &str, row: u64, line: u64) -> RawRecord {
    let (values, malformed) = match values(text) {
        Ok(values) => (values, None),
        Err(malformed) => (Vec::new(), Some(malformed)),
    };
    RawRecord {
        row,
        line: Some(line),
        values,
        malformed,
    }
}

/// An object's members in their order, as they are written.
pub(super) fn members(text: &str) -> Result<Vec<(String, &RawJson)>, Malformed> {
    if !text.trim_start().starts_with('{') {
        return match serde_json::from_str::<&RawJson>(text) {
            Ok(_) => Err(Malformed::NotAnObject),
            Err(error) => Err(broken(text, &error)),
        };
    }
    // An escape that is no character is all that can be wrong with JSON that a first look,
    // which decodes nothing, found in order.
    let members: Members =
        serde_json::from_str(text).map_err(|error| {
            match serde_json::from_str::<&RawJson>(text) {
                Ok(_) => Malformed::LoneSurrogate,
                Err(_) => broken(text, &error),
            }
        })?;
    // A key that stands twice says more about the row than what is wrong with a value.
    match members.1 {
        true => Err(Malformed::DuplicateKey),
        false => Ok(members.0),
    }
}

fn values(text: &str) -> Result<Vec<(Arc<str>, RawValue)>, Malformed> {
    let values = members(text)?.into_iter().map(|(key, member)| {
        let value = match number::of(member.get()) {
            Some(number) => number,
            None => nested(member, MAX_DEPTH - 1)?.into(),
        };
        Ok((key.into(), value))
    });
    values.collect()
}

fn broken(text: &str, error: &serde_json::Error) -> Malformed {
    let before = text.get(..error.column().saturating_sub(1));
    Malformed::InvalidJson {
        column: before.map_or(error.column(), |before| before.chars().count() + 1),
    }
}

/// A value whose objects and arrays may have so many levels.
fn nested(json: &RawJson, levels: usize) -> Result<Value, Malformed> {
    let text = json.get();
    let lone_surrogate = |_| Malformed::LoneSurrogate;
    if let Some(number) = number::of(text) {
        return Ok(number.into_json());
    }
    match text.as_bytes().first() {
        Some(b'{' | b'[') if levels == 0 => Err(Malformed::TooDeep),
        Some(b'{') => {
            let members: Members = serde_json::from_str(text).map_err(lone_surrogate)?;
            if members.1 {
                return Err(Malformed::DuplicateKey);
            }
            let value = |(key, member)| Ok((key, nested(member, levels - 1)?));
            let object: Result<Map<_, _>, _> = members.0.into_iter().map(value).collect();
            object.map(Value::Object)
        }
        Some(b'[') => {
            let elements: Vec<&RawJson> = serde_json::from_str(text).map_err(lone_surrogate)?;
            let elements = elements.into_iter();
            elements
                .map(|element| nested(element, levels - 1))
                .collect()
        }
        _ => serde_json::from_str(text).map_err(lone_surrogate),
    }
}

/// An object's members in their order, and whether a key is there twice.
struct Members<'a>(Vec<(String, &'a RawJson)>, bool);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                let mut keys = HashSet::with_capacity(members.len());
                let twice = members
                    .iter()
                    .any(|(key, _): &(String, _)| !keys.insert(key.as_str()));
                Ok(Members(members, twice))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}
