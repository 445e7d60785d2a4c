//! What records consist of: a dataset is a named list of fields, and it is data.
//!
//! Each built-in dataset is one TOML file in `shared/datasets/`, compiled in.
//! Validation, header aliases, protection and documentation all come from it, so
//! adding a field means editing that file. The fields of [`workspace`] are each organisation's own.

mod date_format;
mod event;
mod field;
mod headers;
mod pattern;
pub mod schema;
pub mod workspace;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, LazyLock, OnceLock},
};

use serde::Deserialize;
use thiserror::Error;

pub use date_format::DateFormat;
pub use event::EventFormat;
pub use field::{Field, FieldType, Format, Identity, Protection, Range};
pub(crate) use headers::meant_by;
pub use headers::{HeaderMapping, Target, simplify};
pub use pattern::{Pattern, PatternError};
pub use schema::{EventSchema, EventSchemaError, SchemaProblem};

use crate::{identity::DataOrigin, language::Text};

/// A named list of fields.
pub struct Dataset {
    name: String,
    title: Text,
    description: Text,
    source: Option<DataOrigin>,
    event: Option<EventFormat>,
    event_schema: OnceLock<EventSchema>,
    fields: Vec<Field>,
    by_name: HashMap<String, usize>,
    /// Simplified names and aliases of the fields that input may fill.
    by_header: HashMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatasetFile {
    name: String,
    title: Text,
    description: Text,
    source: Option<DataOrigin>,
    event: Option<EventFormat>,
    field: Vec<Field>,
}

/// Why a dataset file is refused.
#[derive(Debug, Error)]
pub enum DatasetError {
    /// It is not TOML of the expected shape.
    #[error("a dataset file cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Two fields answer to one header.
    #[error("in the dataset {dataset}, the header {header:?} belongs to two fields")]
    AmbiguousHeader {
        /// The dataset.
        dataset: String,
        /// The header, as written.
        header: String,
    },
    /// A field that no record could be identified without.
    #[error("the dataset {0} has no required external_id")]
    NoExternalId(String),
    /// Events are ordered by a field that is none, or no required datetime.
    #[error("in the dataset {0}, events are ordered by no required datetime")]
    EventOrder(String),
    /// A date's format.
    #[error("there is no date format {0}")]
    DateFormat(String),
}

impl Dataset {
    /// Reads a dataset file.
    pub fn from_toml(text: &str) -> Result<Self, DatasetError> {
        let file: DatasetFile = toml::from_str(text)?;
        let dataset = Self::new(file.name, file.title, file.description, file.field)?;
        let ordered = |event: &EventFormat| {
            let field = dataset.fields.get(dataset.index_of(&event.ordered_by)?)?;
            (field.required && field.r#type == FieldType::Datetime).then_some(())
        };
        match &file.event {
            Some(event) if ordered(event).is_none() => Err(DatasetError::EventOrder(dataset.name)),
            _ => Ok(Self {
                event: file.event,
                source: file.source,
                ..dataset
            }),
        }
    }

    fn new(
        name: String,
        title: Text,
        description: Text,
        mut fields: Vec<Field>,
    ) -> Result<Self, DatasetError> {
        let mut by_name = HashMap::new();
        let mut by_header = HashMap::new();
        for (index, field) in fields.iter_mut().enumerate() {
            field.index_words();
            by_name.insert(field.name.clone(), index);
            for header in std::iter::once(&field.name).chain(&field.aliases) {
                if by_header.insert(simplify(header), index).is_some() {
                    return Err(DatasetError::AmbiguousHeader {
                        dataset: name,
                        header: header.clone(),
                    });
                }
            }
        }
        let identified = |field: &Field| field.identity == Some(Identity::ExternalId);
        if !fields.iter().any(|f| identified(f) && f.required) {
            return Err(DatasetError::NoExternalId(name));
        }
        Ok(Self {
            name,
            title,
            description,
            source: None,
            event: None,
            event_schema: OnceLock::new(),
            fields,
            by_name,
            by_header,
        })
    }

    /// A built-in dataset by its name.
    pub fn builtin(name: &str) -> Option<Arc<Self>> {
        let (_, dataset) = BUILTIN.iter().find(|(its, _)| *its == name)?;
        Some(Arc::clone(dataset))
    }

    /// The dataset of the customers that meters are at.
    pub fn customers() -> Arc<Self> {
        Arc::clone(&CUSTOMERS)
    }

    /// The built-in datasets.
    pub fn all_builtin() -> &'static [Arc<Self>] {
        &ALL_BUILTIN
    }

    /// The dataset's name in paths and keys.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The dataset's name for people.
    pub fn title(&self) -> &Text {
        &self.title
    }

    /// What the dataset is about.
    pub fn description(&self) -> &Text {
        &self.description
    }

    /// The one source that all its records come from, if there is only one.
    pub fn source(&self) -> Option<&DataOrigin> {
        self.source.as_ref()
    }

    /// How the events look that its records come in, if they come in events.
    pub fn event(&self) -> Option<&EventFormat> {
        self.event.as_ref()
    }

    /// The JSON Schema (draft 2020-12) of the events that its records come in, if they do: made when
    /// first asked for.
    #[allow(clippy::panic)] // As with the files: a test makes them all.
    pub fn event_schema(&self) -> Option<&EventSchema> {
        let event = self.event.as_ref()?;
        let make = || EventSchema::new(self, event).unwrap_or_else(|error| panic!("{error}"));
        Some(self.event_schema.get_or_init(make))
    }

    /// Every field, in the order of the file.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// A field by its position in [`fields`](Self::fields).
    pub fn field(&self, index: usize) -> Option<&Field> {
        self.fields.get(index)
    }

    /// A field's position by its name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The field that takes a part in uids.
    pub fn identity_field(&self, identity: Identity) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| field.identity == Some(identity))
    }

    /// Whether the registry makes the records' identifiers, so that every row is a record of its
    /// own.
    pub fn makes_identifiers(&self) -> bool {
        let index = self.identity_field(Identity::ExternalId);
        let field = index.and_then(|index| self.field(index));
        field.is_some_and(|field| field.autogenerated)
    }

    /// Whether a record is a device at a customer rather than a customer.
    pub fn is_of_devices(&self) -> bool {
        self.identity_field(Identity::SerialNumber).is_some()
    }
}

impl fmt::Debug for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dataset({})", self.name)
    }
}

static CUSTOMERS: LazyLock<Arc<Dataset>> =
    LazyLock::new(|| compiled_in(include_str!("../../datasets/customers.toml")));

/// By name, each read when it is first asked for: a function that starts needs one of them.
static BUILTIN: [(&str, LazyLock<Arc<Dataset>>); 4] = [
    ("customers", LazyLock::new(Dataset::customers)),
    (
        "meters",
        LazyLock::new(|| compiled_in(include_str!("../../datasets/meters.toml"))),
    ),
    (
        "contacts",
        LazyLock::new(|| compiled_in(include_str!("../../datasets/contacts.toml"))),
    ),
    (
        "profiles",
        LazyLock::new(|| compiled_in(include_str!("../../datasets/profiles.toml"))),
    ),
];

static ALL_BUILTIN: LazyLock<Vec<Arc<Dataset>>> = LazyLock::new(|| {
    let datasets = BUILTIN.iter().map(|(_, dataset)| Arc::clone(dataset));
    datasets.collect()
});

/// Compiled-in files are right or nothing starts: a test reads them all.
#[allow(clippy::panic)]
fn compiled_in(text: &str) -> Arc<Dataset> {
    Dataset::from_toml(text).map_or_else(|error| panic!("{error}"), Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_dataset_is_found_by_its_name() {
        for (name, dataset) in &BUILTIN {
            assert_eq!(dataset.name(), *name);
        }
    }

    #[test]
    fn every_builtin_dataset_is_complete() {
        for dataset in Dataset::all_builtin() {
            for field in dataset.fields() {
                let at = format!("{}.{}", dataset.name(), field.name);
                assert!(!field.example.is_empty() || field.autogenerated, "{at}");
                let rows = if field.autogenerated { 1 } else { 3 };
                assert_eq!(field.examples().count(), rows, "{at}");
                assert_eq!(
                    field.values.is_empty(),
                    field.r#type != FieldType::Enum,
                    "{at}"
                );
                for language in [
                    crate::language::Language::English,
                    crate::language::Language::French,
                ] {
                    assert!(!field.description.in_language(language).is_empty(), "{at}");
                }
            }
        }
    }

    #[test]
    fn a_reserved_source_belongs_to_one_dataset() {
        let sources = Dataset::all_builtin().iter().filter_map(|d| d.source());
        let sources: Vec<&str> = sources.map(DataOrigin::as_str).collect();
        assert_eq!(sources, ["external", "events"]);
        for source in sources {
            assert!(source.parse::<DataOrigin>().unwrap().is_reserved());
        }
    }

    #[test]
    fn every_customer_field_of_a_meter_exists_and_is_protected_alike() {
        let customers = Dataset::builtin("customers").unwrap();
        let meters = Dataset::builtin("meters").unwrap();
        let filled: Vec<_> = meters
            .fields()
            .iter()
            .filter_map(|f| Some((f, f.customer_field.as_deref()?)))
            .collect();
        assert_eq!(filled.len(), 14);
        for (field, name) in filled {
            let target = &customers.fields()[customers.index_of(name).unwrap()];
            assert_eq!(field.protection, target.protection, "{name}");
            assert_eq!(field.r#type, target.r#type, "{name}");
        }
    }

    #[test]
    fn a_header_of_two_fields_is_refused() {
        let text = r#"
            name = "d"
            title = { en = "d", fr = "d" }
            description = { en = "d", fr = "d" }
            [[field]]
            name = "external_id"
            type = "string"
            required = true
            identity = "external_id"
            example = "1"
            description = { en = "d", fr = "d" }
            [[field]]
            name = "phone"
            type = "string"
            example = "1"
            aliases = ["External-Id"]
            description = { en = "d", fr = "d" }
        "#;
        assert!(matches!(
            Dataset::from_toml(text),
            Err(DatasetError::AmbiguousHeader { .. })
        ));
    }
}
