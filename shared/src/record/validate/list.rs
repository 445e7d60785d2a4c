//! Reads a list of objects with fields of their own.

use serde_json::{Map, Value as Json};

use super::{
    RowErrors,
    event::{Unknown, pointer},
};
use crate::{
    dataset::Field,
    record::{Change, Element, RawValue, RowErrorCode, Value, read::read},
};

/// Reads lists of one record.
pub(super) struct ListReader<'a> {
    /// The record that the list is of, for what its elements take over.
    pub(super) parent: &'a Map<String, Json>,
    pub(super) this_year: i16,
    pub(super) errors: &'a mut RowErrors,
    /// Members of elements that the dataset does not know.
    pub(super) unknown: Vec<Unknown>,
}

impl ListReader<'_> {
    /// Reads a list at a JSON pointer (RFC 6901). What is wrong goes to the row's errors.
    pub(super) fn read(&mut self, field: &Field, at: &str, json: &Json) -> Option<Change<Value>> {
        let elements = match json {
            Json::Null => return Some(Change::Unset),
            Json::Array(elements) => elements,
            _ => {
                self.errors.add(Some(at), RowErrorCode::TypeList);
                return None;
            }
        };
        let mut read = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let at = format!("{at}/{index}");
            match element {
                Json::Object(members) => {
                    read.push(self.element(field, &at, members));
                    self.keep_unknown(field, index, members);
                }
                _ => self.errors.add(Some(&at), RowErrorCode::TypeObject),
            }
        }
        Some(Change::Set(Value::List(read)))
    }

    fn element(&mut self, list: &Field, at: &str, members: &Map<String, Json>) -> Element {
        let mut element = Element::new();
        for field in &list.fields {
            let own = members.get(&field.name).filter(|value| !value.is_null());
            let parents = self.parent.get(&field.name).filter(|_| field.of_parent);
            let Some(json) = own.or(parents) else {
                continue;
            };
            match read(field, &RawValue::from(json.clone()), self.this_year) {
                Ok(Some(Change::Set(value))) => drop(element.insert(field.name.clone(), value)),
                Ok(_) if field.required => {
                    self.errors
                        .add(Some(&pointer(at, &field.name)), RowErrorCode::Required);
                }
                Ok(_) => {}
                // What is wrong with the parent's value is said of the parent.
                Err(_) if own.is_none() => {}
                Err(refused) => self.errors.add(Some(&pointer(at, &field.name)), refused),
            }
        }
        element
    }

    fn keep_unknown(&mut self, list: &Field, index: usize, members: &Map<String, Json>) {
        let is_known = |name: &str| list.fields.iter().any(|field| field.name == name);
        for (name, json) in members.iter().filter(|(name, _)| !is_known(name)) {
            self.unknown.push(Unknown {
                element: Some((list.name.clone(), index)),
                name: name.clone(),
                json: json.clone(),
            });
        }
    }
}
