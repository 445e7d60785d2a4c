//! JSON Schema (draft 2020-12) as a type: the keywords that are used, in the order in which people
//! read them, and members in the order in which they are given.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A schema, at any level.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "each field is the keyword of its name")]
pub struct Schema {
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub draft: Option<&'static str>,
    #[serde(rename = "$id", skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Cow<'static, str>>,
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<Schema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<Type>,
    #[serde(rename = "const", skip_serializing_if = "Option::is_none")]
    pub constant: Option<Value>,
    #[serde(rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Schema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Schema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_items: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<Vec<Cow<'static, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Members<Schema>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_properties: Option<Additional>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Box<RawValue>>,
    #[serde(rename = "$defs", skip_serializing_if = "Option::is_none")]
    pub definitions: Option<Members<Schema>>,
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Type {
    /// Of this kind.
    One(&'static str),
    /// Null says that there is no value, so what may be missing may be null.
    OrNull([&'static str; 2]),
    /// Of one of these.
    Several(&'static [&'static str]),
}

/// What an object's other members may be.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Additional {
    /// Anything, or not there at all.
    Allowed(bool),
    /// Of this schema.
    Of(Box<Schema>),
}

/// An object that keeps its order.
#[derive(Debug, Clone)]
pub struct Members<T>(pub Vec<(Cow<'static, str>, T)>);

impl<T> Default for Members<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Serialize> Serialize for Members<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Schema {
    /// A value of one kind: `string`, `integer`, `number`, `boolean`, `array`, `object`, `null`.
    pub fn of(kind: &'static str) -> Self {
        Self {
            r#type: Some(Type::One(kind)),
            ..Self::default()
        }
    }

    /// A text of a format, such as `date-time` or `uuid`.
    pub fn text_of(format: &'static str) -> Self {
        Self {
            format: Some(format),
            ..Self::of("string")
        }
    }

    /// A text that a pattern (ECMA-262) describes.
    pub fn text_like(pattern: impl Into<Cow<'static, str>>) -> Self {
        Self {
            pattern: Some(pattern.into()),
            ..Self::of("string")
        }
    }

    /// What another schema describes, by its address.
    pub fn at(reference: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reference: Some(reference.into()),
            ..Self::default()
        }
    }

    /// One of several values.
    pub fn choice<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        let values: Vec<Value> = values.into_iter().map(Into::into).collect();
        Self {
            // Said although the values say it: readers of documents look for it.
            r#type: values
                .iter()
                .all(Value::is_string)
                .then_some(Type::One("string")),
            values,
            ..Self::default()
        }
    }

    /// What one of several schemas describes.
    pub fn any(schemas: impl IntoIterator<Item = Self>) -> Self {
        Self {
            any_of: schemas.into_iter().collect(),
            ..Self::default()
        }
    }

    /// A list.
    pub fn list(items: Self) -> Self {
        Self {
            items: Some(Box::new(items)),
            ..Self::of("array")
        }
    }

    /// An object that has all of these members.
    pub fn object<N: Into<Cow<'static, str>>>(
        members: impl IntoIterator<Item = (N, Self)>,
    ) -> Self {
        let members: Vec<_> = members.into_iter().map(|(n, s)| (n.into(), s)).collect();
        Self {
            required: Some(members.iter().map(|(name, _)| name.clone()).collect()),
            properties: Some(Members(members)),
            ..Self::of("object")
        }
    }

    /// The same object, which may also have these members.
    pub fn with_optional<N: Into<Cow<'static, str>>>(
        mut self,
        members: impl IntoIterator<Item = (N, Self)>,
    ) -> Self {
        let known = self.properties.get_or_insert_default();
        known
            .0
            .extend(members.into_iter().map(|(n, s)| (n.into(), s)));
        self
    }

    /// The same object without other members.
    pub fn closed(mut self) -> Self {
        self.additional_properties = Some(Additional::Allowed(false));
        self
    }

    /// The same, or null.
    pub fn or_null(mut self) -> Self {
        match self.r#type {
            Some(Type::One(kind)) if self.constant.is_none() => {
                self.r#type = Some(Type::OrNull([kind, "null"]));
                if !self.values.is_empty() {
                    self.values.push(Value::Null);
                }
                self
            }
            Some(Type::OrNull(_) | Type::Several(_)) => self,
            None if !self.values.is_empty() => {
                self.values.push(Value::Null);
                self
            }
            None if !self.any_of.is_empty() => {
                self.any_of.push(Self::of("null"));
                self
            }
            _ => {
                let description = self.description.take();
                Self {
                    description,
                    ..Self::any([self, Self::of("null")])
                }
            }
        }
    }

    /// The same with a description.
    pub fn described(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The same with a title.
    pub fn titled(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same with an example. One that cannot be written is left out.
    pub fn example(mut self, example: impl Serialize) -> Self {
        self.examples.extend(raw(&example));
        self
    }

    /// A number within bounds, both included.
    pub fn between(mut self, min: impl Serialize, max: impl Serialize) -> Self {
        (self.minimum, self.maximum) = (raw(&min), raw(&max));
        self
    }

    /// A number that is not smaller.
    pub fn at_least(mut self, min: impl Serialize) -> Self {
        self.minimum = raw(&min);
        self
    }

    /// A text with so many characters, both bounds included.
    pub fn of_length(mut self, min: usize, max: usize) -> Self {
        (self.min_length, self.max_length) = (Some(min), Some(max));
        self
    }

    /// A list with so many elements, both bounds included.
    pub fn of_items(mut self, min: usize, max: usize) -> Self {
        (self.min_items, self.max_items) = (Some(min), Some(max));
        self
    }

    /// The same with what is meant when nothing is sent.
    pub fn with_default(mut self, default: impl Into<Value>) -> Self {
        self.default = Some(default.into());
        self
    }

    /// The same as a document of its own, named after a dataset. A name, not an address: every
    /// deployment serves it under its own.
    pub(in crate::dataset) fn document(mut self, dataset: &str) -> Self {
        self.draft = Some(DRAFT);
        self.id = Some(format!("urn:clientele:schema:{dataset}"));
        self
    }
}

fn raw(value: &impl Serialize) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(value).ok()
}
