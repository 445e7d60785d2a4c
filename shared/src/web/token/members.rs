//! A JSON object that names nothing twice.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Map, Value};

/// The members of a JSON object. RFC 7515 (section 4) and RFC 7519 (section 4) let a reader
/// refuse a name that comes twice, or take its last value; two readers of one token that
/// differ in this see two tokens, so it is refused.
pub(super) struct Members(Map<String, Value>);

impl Members {
    /// The members of the object that some bytes spell, and nothing after it.
    pub(super) fn parse(json: &[u8]) -> Option<Map<String, Value>> {
        let Self(members) = serde_json::from_slice(json).ok()?;
        Some(members)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object).map(Self)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = entries.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name comes twice"));
            }
        }
        Ok(members)
    }
}
