//! The form's rows: from what is stored, from what was sent, and to what the API takes.

use std::collections::HashMap;

use super::{
    enum_values,
    stored::{Stored, StoredField},
};
use crate::site::Page;

/// The most fields of a workspace, which is as many rows as the form has.
const MAX_ROWS: usize = 200;
/// The types of fields.
pub(super) const TYPES: [&str; 6] = ["string", "number", "boolean", "date", "currency", "enum"];

/// The form as it is filled in.
#[derive(Debug, Default)]
pub(super) struct FieldsForm {
    pub(super) rows: Vec<Row>,
    /// The row that is the unique identifier.
    pub(super) unique: Option<usize>,
    /// The version that the form was made from.
    pub(super) version: u64,
    /// The row whose name has the focus.
    pub(super) focus: Option<usize>,
}

/// A field as it is filled in.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) field_type: String,
    /// Of a date.
    pub(super) date_format: String,
    /// Of an amount.
    pub(super) currency: String,
    /// Of a text.
    pub(super) pattern: String,
    /// Of an enum, one on a line.
    pub(super) values: String,
    pub(super) required: bool,
    pub(super) is_pii: bool,
}

impl FieldsForm {
    pub(super) fn of_stored(stored: Stored) -> Self {
        Self {
            unique: stored.fields.iter().position(|f| f.unique_identifier),
            rows: stored.fields.into_iter().map(Row::of_stored).collect(),
            version: stored.version,
            focus: None,
        }
    }

    /// Reads a form's body.
    pub(super) fn of_request(body: &[u8]) -> Self {
        let mut sent: HashMap<String, String> =
            url::form_urlencoded::parse(body).into_owned().collect();
        let number = |name: &str| sent.get(name).and_then(|text| text.parse::<usize>().ok());
        let count = number("count").unwrap_or(0).min(MAX_ROWS);
        let unique = number("unique").filter(|place| *place < count);
        let version = number("version").unwrap_or(0) as u64;
        let mut text = |name: &str, place: usize| {
            let text = sent.remove(&format!("{name}-{place}"));
            text.unwrap_or_default()
        };
        let rows = (0..count).map(|place| Row {
            name: text("name", place).trim().to_owned(),
            field_type: text("type", place),
            date_format: text("date", place),
            currency: text("currency", place).trim().to_uppercase(),
            pattern: text("pattern", place),
            values: text("values", place),
            required: !text("required", place).is_empty(),
            is_pii: !text("pii", place).is_empty(),
        });
        Self {
            rows: rows.collect(),
            unique,
            version,
            focus: None,
        }
    }

    /// What a button other than "save" does: `add`, `example`, or `remove`, `up`, `down` with a
    /// row's place.
    pub(super) fn change(&mut self, wanted: &str, page: &Page) {
        let (what, place) = wanted.split_once('-').unwrap_or((wanted, ""));
        let place: usize = place.parse().unwrap_or(usize::MAX);
        match what {
            "add" if self.rows.len() < MAX_ROWS => {
                self.rows.push(Row::empty());
                self.focus = Some(self.rows.len() - 1);
            }
            "example" => *self = self.example(page),
            "remove" if place < self.rows.len() => {
                self.rows.remove(place);
                self.unique = match self.unique {
                    Some(unique) if unique == place => None,
                    Some(unique) if unique > place => Some(unique - 1),
                    unique => unique,
                };
                self.focus = self.rows.len().checked_sub(1).map(|last| place.min(last));
            }
            "up" if place > 0 && place < self.rows.len() => self.swap(place, place - 1),
            "down" if place.saturating_add(1) < self.rows.len() => self.swap(place, place + 1),
            _ => {}
        }
    }

    fn swap(&mut self, place: usize, other: usize) {
        self.rows.swap(place, other);
        self.unique = self.unique.map(|unique| match unique {
            unique if unique == place => other,
            unique if unique == other => place,
            unique => unique,
        });
        self.focus = Some(other);
    }

    /// Fields that most workspaces have, to begin with.
    fn example(&self, page: &Page) -> Self {
        let row = |name: &str, field_type: &str| Row {
            name: page.say(name),
            field_type: field_type.to_owned(),
            ..Row::empty()
        };
        let personal = |row: Row| Row {
            is_pii: true,
            ..row
        };
        let number = Row {
            required: true,
            ..row("example-number", "string")
        };
        let name = Row {
            required: true,
            ..personal(row("example-name", "string"))
        };
        let phone = Row {
            pattern: r"\+[0-9]{8,15}".to_owned(),
            ..personal(row("example-phone", "string"))
        };
        let born = Row {
            date_format: "dd/MM/yyyy".to_owned(),
            ..personal(row("example-born", "date"))
        };
        let tier = Row {
            values: page.say("example-tiers"),
            ..row("example-tier", "enum")
        };
        Self {
            rows: vec![number, name, phone, born, tier],
            unique: Some(0),
            version: self.version,
            focus: Some(0),
        }
    }

    /// Whether the row at a place is the unique identifier.
    pub(super) fn is_unique(&self, place: &usize) -> bool {
        self.unique == Some(*place)
    }

    /// Whether the row at a place has the focus.
    pub(super) fn has_focus(&self, place: &usize) -> bool {
        self.focus == Some(*place)
    }

    /// The fields as the API takes them.
    pub(super) fn to_fields(&self) -> Vec<StoredField> {
        let rows = self.rows.iter().enumerate();
        rows.map(|(place, row)| row.to_field(self.unique == Some(place)))
            .collect()
    }
}

impl Row {
    fn empty() -> Self {
        Self {
            field_type: "string".to_owned(),
            ..Self::default()
        }
    }

    fn of_stored(field: StoredField) -> Self {
        let format = |r#type: &str| match field.field_type == r#type {
            true => field.field_format.clone().unwrap_or_default(),
            false => String::new(),
        };
        Self {
            date_format: format("date"),
            currency: format("currency"),
            name: field.name,
            field_type: field.field_type,
            pattern: field.pattern.unwrap_or_default(),
            values: enum_values::written(&field.values),
            required: field.required,
            is_pii: field.is_pii,
        }
    }

    /// Of what is filled in, what belongs to the type.
    fn to_field(&self, unique_identifier: bool) -> StoredField {
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let is = |r#type: &str| self.field_type == r#type;
        StoredField {
            name: self.name.clone(),
            field_type: self.field_type.clone(),
            field_format: match self.field_type.as_str() {
                "date" => filled(&self.date_format),
                "currency" => filled(&self.currency),
                _ => None,
            },
            values: match is("enum") {
                true => enum_values::read(&self.values),
                false => Vec::new(),
            },
            required: self.required,
            is_pii: self.is_pii,
            pattern: filled(&self.pattern).filter(|_| is("string")),
            unique_identifier,
        }
    }
}
