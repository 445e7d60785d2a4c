//! Examples for fields that organizations define themselves, who define none.

use serde_json::value::RawValue;

use super::{Definition, FieldDefinition, WorkspaceType};
use crate::dataset::{Dataset, DateFormat, Field, simplify};

/// The definition that the documentation shows.
const DEFINITION: &str = include_str!("../../../datasets/workspace_example.json");

impl Definition {
    /// The fields of [`example`](Self::example) as an administrator would write them: a JSON array.
    pub const EXAMPLE: &str = DEFINITION;

    /// A definition with a field of every type, for the documentation; `None` is a mistake in its file,
    /// which a test reads.
    pub fn example() -> Option<Self> {
        let fields: Vec<Box<RawValue>> = serde_json::from_str(DEFINITION).ok()?;
        Self::parse(&fields).ok()
    }
}

impl FieldDefinition {
    /// Gives a field an example for each row of an example file, as far as one can be told that its
    /// pattern allows.
    pub(super) fn add_examples(&self, field: &mut Field) {
        let mut examples = self.examples();
        if let (true, Some(first)) = (self.required, examples.first().cloned()) {
            let blank = examples.iter_mut().filter(|text| text.is_empty());
            blank.for_each(|text| text.clone_from(&first));
        }
        let mut examples = examples.into_iter();
        let is_allowed = |text: &String| match &field.pattern {
            Some(pattern) => text.is_empty() || pattern.matches(text),
            None => true,
        };
        if examples.clone().all(|text| is_allowed(&text)) {
            field.example = examples.next().unwrap_or_default();
            field.more_examples = examples.collect();
        }
    }

    fn examples(&self) -> Vec<String> {
        let all = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
        match self.field_type {
            WorkspaceType::String if self.unique_identifier => all(["C-1001", "C-1002", "C-1003"]),
            WorkspaceType::String => self.of_customers().unwrap_or_else(|| {
                let shown = |n| format!("Example {n}");
                (1..=3).map(shown).collect()
            }),
            WorkspaceType::Number => all(["12.5", "3", "0"]),
            WorkspaceType::Currency => all(["1500", "99.5", "0"]),
            WorkspaceType::Boolean => all(["true", "false", "true"]),
            WorkspaceType::Enum => {
                let values = self.values.iter().cycle().take(3);
                values.map(|value| value.value().to_owned()).collect()
            }
            WorkspaceType::Date => {
                let format = self.field_format.as_deref().and_then(DateFormat::named);
                let example = format.unwrap_or_default().example();
                vec![example.clone(), example.clone(), example]
            }
        }
    }

    /// The examples of the field of customers that has this field's name among its headers.
    fn of_customers(&self) -> Option<Vec<String>> {
        let customers = Dataset::customers();
        let index = customers.by_header.get(&simplify(&self.name))?;
        let field = customers.field(*index)?;
        Some(field.examples().map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{dataset::FieldType, example::StoredExamples};

    #[test]
    fn the_definition_of_the_documentation_has_every_type_and_examples_for_all() {
        let definition = Definition::example().unwrap();
        for of_type in WorkspaceType::ALL {
            assert!(definition.fields.iter().any(|f| f.field_type == of_type));
        }
        let dataset = Arc::new(definition.to_dataset().unwrap());
        let stored = StoredExamples::of(&dataset).unwrap();
        for field in dataset.fields() {
            assert!(stored.get(field).is_some(), "{}", field.name);
        }
    }

    #[test]
    fn a_field_that_is_called_like_the_example_of_unknown_columns_has_its_own_example() {
        for (name, is_pii) in [("some", true), ("Some", false), ("somes", true)] {
            let fields = format!(
                r#"[{{"name": "id", "field_type": "string", "unique_identifier": true}},
                {{"name": "{name}", "field_type": "number", "is_pii": {is_pii}}}]"#
            );
            let fields: Vec<Box<RawValue>> = serde_json::from_str(&fields).unwrap();
            let definition = Definition::parse(&fields).unwrap();
            let dataset = Arc::new(definition.to_dataset().unwrap());
            let stored = StoredExamples::of(&dataset).unwrap();
            assert!(stored.get(&dataset.fields()[1]).is_some(), "{name}");
        }
    }

    #[test]
    fn a_pattern_without_a_known_example_leaves_the_others_theirs() {
        let fields = r#"[{"name": "id", "field_type": "string", "unique_identifier": true},
            {"name": "code", "field_type": "string", "required": true, "pattern": "[A-Z]{7}"},
            {"name": "Phone Number", "field_type": "string", "pattern": "\\+[0-9]+"}]"#;
        let fields: Vec<Box<RawValue>> = serde_json::from_str(fields).unwrap();
        let definition = Definition::parse(&fields).unwrap();
        let dataset = Arc::new(definition.to_dataset().unwrap());
        let stored = StoredExamples::of(&dataset).unwrap();
        let shown = |index: usize| stored.get(&dataset.fields()[index]).cloned();
        assert_eq!(shown(0).unwrap(), "C-1001");
        assert_eq!(shown(1), None);
        assert_eq!(shown(2).unwrap(), "+2560123456789");
        assert_eq!(dataset.fields()[1].r#type, FieldType::String);
    }
}
