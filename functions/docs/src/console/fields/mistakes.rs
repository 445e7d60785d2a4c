//! What the API refuses of a definition, at the inputs that it is about.

use serde::Deserialize;

use super::form::{FieldsForm, Row};
use crate::{
    console::{mistakes::Mistakes, stop::Refusal},
    site::Page,
};

/// An error as the API lists it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Listed {
    /// The field's place, from 1 on.
    row: Option<usize>,
    /// The field's name.
    column: Option<String>,
    code: String,
    message: String,
}

/// Everything that is wrong with a form.
pub(super) fn mistakes(page: &Page, form: &FieldsForm, refusal: &Refusal) -> Mistakes {
    let mut mistakes = Mistakes::none();
    // Its detail only counts the errors, or says the only one.
    if refusal.code != "invalid_fields" || refusal.listed.is_empty() {
        mistakes.add_refused(page, "", &refusal.code, &refusal.detail);
    }
    for error in &refusal.listed {
        let error = Listed::deserialize(error).unwrap_or_default();
        let input = input(form, &error);
        mistakes.add_refused_of(
            page,
            &input,
            error.column.as_deref(),
            &error.code,
            &error.message,
        );
    }
    mistakes
}

/// The id of the input that an error is about; empty if it is about none.
fn input(form: &FieldsForm, error: &Listed) -> String {
    let named = |name: &String| form.rows.iter().position(|row| row.name == *name);
    let place = match error.row {
        Some(row) => row.checked_sub(1),
        None => error.column.as_ref().and_then(named),
    };
    let of_identifier = ["no_unique_identifier", "several_unique_identifiers"];
    if of_identifier.contains(&error.code.as_str()) && !form.rows.is_empty() {
        return "unique-0".to_owned();
    }
    let row = place.and_then(|place| Some((place, form.rows.get(place)?)));
    row.map_or_else(String::new, |(place, row)| {
        format!("{}-{place}", part(row, &error.code))
    })
}

/// The input of a row that a code is about.
fn part(row: &Row, code: &str) -> &'static str {
    match code {
        "unknown_type" | "type_changed" => "type",
        "format_missing" | "unknown_format" | "unknown_currency" | "currency_changed" => {
            match row.field_type.as_str() {
                "date" => "date",
                _ => "currency",
            }
        }
        "invalid_pattern" | "pattern_not_allowed" => "pattern",
        "values_missing" | "invalid_value" | "value_duplicate" | "values_removed" => "values",
        "unique_identifier_type" | "unique_identifier_changed" => "unique",
        "is_pii_changed" => "pii",
        _ => "name",
    }
}
