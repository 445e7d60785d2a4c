//! What may change in a definition once there are records.

use super::{ChangeCode, Definition, FieldDefinition, WorkspaceType};

/// A change that stored records would contradict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeProblem {
    /// The field.
    pub field: String,
    /// What cannot change.
    pub code: ChangeCode,
    /// What cannot change, in words.
    pub message: String,
}

/// What in a new definition is at odds with records of the old one. A field may always be added,
/// and become required; patterns, date formats and display names may change, and enums may get
/// values.
pub fn changes_of_stored_values(old: &Definition, new: &Definition) -> Vec<ChangeProblem> {
    let mut problems = Vec::new();
    for field in &old.fields {
        match new.fields.iter().find(|other| other.name == field.name) {
            Some(other) => compare(field, other, &mut problems),
            None => problems.push(ChangeProblem {
                field: field.name.clone(),
                code: ChangeCode::FieldRemoved,
                message: "the field cannot be removed or renamed".to_owned(),
            }),
        }
    }
    // Its records would lack their identifier.
    let added = |field: &&FieldDefinition| !old.fields.iter().any(|o| o.name == field.name);
    let added = new.fields.iter().filter(added);
    for field in added.filter(|field| field.unique_identifier) {
        problems.push(identifier(field));
    }
    problems
}

fn compare(old: &FieldDefinition, new: &FieldDefinition, problems: &mut Vec<ChangeProblem>) {
    let mut add = |code, message: String| {
        problems.push(ChangeProblem {
            field: old.name.clone(),
            code,
            message,
        });
    };
    if old.field_type != new.field_type {
        let (old, new) = (old.field_type.as_str(), new.field_type.as_str());
        add(
            ChangeCode::TypeChanged,
            format!("it cannot turn from {old} to {new}"),
        );
    } else if old.field_type == WorkspaceType::Currency && old.field_format != new.field_format {
        let message = "amounts cannot change their currency; add a field for the other one";
        add(ChangeCode::CurrencyChanged, message.to_owned());
    }
    if old.is_pii != new.is_pii {
        let message = match old.is_pii {
            true => "its values are encrypted, and is_pii cannot be taken back",
            false => "its values are stored in clear, and cannot become is_pii",
        };
        add(ChangeCode::IsPiiChanged, message.to_owned());
    }
    if old.unique_identifier != new.unique_identifier {
        problems.push(identifier(old));
    }
    let gone = |value: &&str| !new.values.iter().any(|other| other.value() == *value);
    let gone: Vec<_> = old.values.iter().map(|v| v.value()).filter(gone).collect();
    if !gone.is_empty() && new.field_type == WorkspaceType::Enum {
        problems.push(ChangeProblem {
            field: old.name.clone(),
            code: ChangeCode::ValuesRemoved,
            message: format!("records may have its values {}", listed(&gone)),
        });
    }
}

fn identifier(field: &FieldDefinition) -> ChangeProblem {
    ChangeProblem {
        field: field.name.clone(),
        code: ChangeCode::IdentifierChanged,
        message: "the unique identifier cannot become another field".to_owned(),
    }
}

fn listed(values: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = values
        .iter()
        .take(SHOWN)
        .map(|v| format!("{v:?}"))
        .collect();
    match values.len() {
        0..=SHOWN => shown.join(", "),
        _ => format!("{}, …", shown.join(", ")),
    }
}
