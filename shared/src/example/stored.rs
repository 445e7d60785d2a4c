//! What is stored of each field's example.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value as Json};
use thiserror::Error;
use uuid::Uuid;

use super::rows::{in_envelope, typed};
use crate::{
    dataset::{Dataset, Field, FieldType, HeaderMapping, Target},
    identity::{DataOrigin, IdentityError, OrganizationId},
    protection::{CipherError, OrganizationKeys, Protector, PseudonymMode},
    record::{
        IdSeed, RawRecord, RawValue, RefusedRow, RowError, RowErrorCode, UnknownColumns, Validator,
        Value, read_one,
    },
    store::{Provenance, StoredRecord},
    web::record_body,
};

/// The source of examples in datasets that have none of their own.
const SOURCE: &str = "generic";
/// The name of what gathers unknown columns.
const CUSTOM: &str = "custom";

/// Why a dataset's examples have no stored form.
#[derive(Debug, Error)]
pub enum ExampleError {
    /// They are no record: these columns are refused.
    #[error("the examples are refused: {0:?}")]
    Refused(Vec<(Option<String>, RowErrorCode)>),
    /// They could not be encrypted.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// Whose they are cannot be said.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// The record that the examples of a dataset's fields make, as it is stored in organization 1:
/// pseudonyms in hex, encrypted values in base64, and what the registry fills.
///
/// Pseudonyms are SHA-256. The encryption key is one that everybody may know; ciphertexts differ each
/// time, as they do in the table.
#[derive(Debug, Clone)]
pub struct StoredExamples(Map<String, Json>);

impl StoredExamples {
    /// Leads the examples of a dataset's fields along the path of every record.
    pub fn of(dataset: &Arc<Dataset>) -> Result<Self, ExampleError> {
        let keys = OrganizationKeys::of_examples().ok_or(CipherError::KeyVersion(1))?;
        let provenance = Provenance {
            organization: OrganizationId::new(1)?,
            source_id: 1,
            import_id: 1,
            at: time(dataset, &["created_at", "time_created"]),
            group: None,
            updates_only: false,
        };
        let mut validator = validator(dataset, &keys, &provenance)?;
        let record = validator.validate(row(dataset)).map_err(refused)?;
        let protector = Protector::new(Arc::clone(&keys), PseudonymMode::Sha256);
        let record = protector.protect(record)?;
        let mut stored = StoredRecord::of_new(&record, &keys, &provenance)?;
        stored.updated_at = time(dataset, &["updated_at", "time_updated"]);
        stored.last_source_id = number(dataset, "last_source_id");
        stored.last_import_id = number(dataset, "last_import_id");
        let mut body = record_body(dataset, None, record.id(), &stored)?;
        if let Some(custom) = stored.custom() {
            let custom = data_encoding::BASE64.encode(custom);
            body.insert(CUSTOM.to_owned(), custom.into());
        }
        for field in dataset.fields().iter().filter(|field| field.sequence) {
            body.insert(field.name.clone(), number(dataset, &field.name).into());
        }
        Ok(Self(body))
    }

    /// What is stored of a field's example.
    pub fn get(&self, field: &Field) -> Option<&Json> {
        self.0.get(&field.name).filter(|value| !value.is_null())
    }

    /// What is stored of the example of a field of a list's elements.
    pub fn get_within(&self, list: &Field, field: &Field) -> Option<&Json> {
        self.0.get(&list.name)?.get(0)?.get(&field.name)
    }
}

fn validator(
    dataset: &Arc<Dataset>,
    keys: &Arc<OrganizationKeys>,
    provenance: &Provenance,
) -> Result<Validator, IdentityError> {
    let origin: DataOrigin = match dataset.source() {
        Some(own) => own.clone(),
        None => SOURCE.parse()?,
    };
    let validator = Validator::new(
        Arc::clone(dataset),
        provenance.organization,
        origin,
        Arc::clone(keys),
        UnknownColumns::Keep,
        provenance.at.to_zoned(TimeZone::UTC).year(),
    )
    .with_ids_from(IdSeed::new(provenance.at, Uuid::from_u128(1)));
    // A field of an organization's own may have a pattern for which there is no example.
    Ok(match dataset.is_workspace() {
        true => validator.of_changes(),
        false => validator,
    })
}

/// A row with every example.
fn row(dataset: &Arc<Dataset>) -> RawRecord {
    let mut mapping = HeaderMapping::new(Arc::clone(dataset));
    let mut members = members(dataset.fields());
    // An organization's own fields may be such that the unknown columns look like one of them.
    let mut unknown = unknown(dataset.fields());
    unknown.retain(|name, _| mapping.target(name) == Target::Custom);
    members.extend(unknown);
    let values = match dataset.event() {
        Some(event) => in_envelope(event, members)
            .into_iter()
            .map(|value| (value.column.into(), value.value.into()))
            .collect(),
        None => members
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
    };
    RawRecord {
        row: 1,
        line: None,
        values,
        malformed: None,
    }
}

/// The examples of some fields, each list with one element of its fields' own examples.
fn members(fields: &[Field]) -> Map<String, Json> {
    let mut members = Map::new();
    for field in fields.iter().filter(|field| !field.autogenerated) {
        let example = match field.r#type {
            FieldType::List => {
                let mut element = self::members(&field.fields);
                element.extend(unknown(&field.fields));
                vec![element].into()
            }
            _ => typed(field, &field.example),
        };
        if !example.is_null() {
            members.insert(field.name.clone(), example);
        }
    }
    members
}

/// The unknown columns that the example of `custom` has.
fn unknown(fields: &[Field]) -> Map<String, Json> {
    let custom = fields.iter().find(|field| field.name == CUSTOM);
    match custom.map(|field| typed(field, &field.example)) {
        Some(Json::Object(unknown)) => unknown,
        _ => Map::new(),
    }
}

fn refused(row: RefusedRow) -> ExampleError {
    let told = |error: RowError| (error.column, error.code);
    ExampleError::Refused(row.errors.into_iter().map(told).collect())
}

/// The example of one of these fields, as it is read.
fn read_example(dataset: &Dataset, name: &str) -> Option<Value> {
    let field = dataset.field(dataset.index_of(name)?)?;
    read_one(field, &RawValue::Cell(field.example.clone())).ok()?
}

fn time(dataset: &Dataset, names: &[&str]) -> Timestamp {
    let times = names.iter().find_map(|name| read_example(dataset, name));
    match times {
        Some(Value::DateTime(time)) => time,
        _ => Timestamp::UNIX_EPOCH,
    }
}

fn number(dataset: &Dataset, name: &str) -> u64 {
    match read_example(dataset, name) {
        Some(Value::Integer(number)) => number.try_into().unwrap_or(1),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Protection;

    fn stored(dataset: &str, path: &str) -> String {
        let dataset = Dataset::builtin(dataset).unwrap();
        let stored = StoredExamples::of(&dataset).unwrap();
        let field = |fields: &[Field], name: &str| {
            let found = fields.iter().find(|field| field.name == name);
            found.unwrap_or_else(|| panic!("no {name}")).clone()
        };
        let value = match path.split_once('.') {
            Some((list, name)) => {
                let list = field(dataset.fields(), list);
                stored
                    .get_within(&list, &field(&list.fields, name))
                    .cloned()
            }
            None => stored.get(&field(dataset.fields(), path)).cloned(),
        };
        value.unwrap_or(Json::Null).to_string()
    }

    #[test]
    fn examples_are_stored_as_every_record_is() {
        let table = [
            (
                "meters",
                "customer_id_number",
                "\"6a099e5c63f0138de7b3dfa7e03c17e551ea23e53c6399a2f0d490d5d87457de\"",
            ),
            ("meters", "customer_latitude", "12.124"),
            ("meters", "is_locked", "false"),
            ("meters", "uid", "\"1-generic-1-1-hop-A1233754345JL\""),
            ("meters", "device_uid", "\"1-hop-A1233754345JL\""),
            ("meters", "grid_uid", "\"1-generic-X98679862w\""),
            ("customers", "uid", "\"1-generic-6574\""),
            ("customers", "birth_year", "2000"),
            (
                "customers",
                "identification_number",
                "\"7b1a3d34a3fcbad23308a5da7b49f9f3f7a67d2d\"",
            ),
            ("customers", "created_at", "\"2021-05-03T06:23:55.000Z\""),
            ("customers", "last_import_id", "337"),
            ("contacts", "id", "17"),
            (
                "contacts",
                "customer_id",
                "\"CUS-01KF0CD6T0JWYWC7JE12VFJ8C0\"",
            ),
            ("profiles", "uid", "\"1-events-C-1001\""),
            ("profiles", "addresses.city", "\"Leeds\""),
        ];
        for (dataset, path, expected) in table {
            assert_eq!(stored(dataset, path), expected, "{dataset} {path}");
        }
    }

    #[test]
    fn every_example_has_a_stored_form_and_no_personal_one_is_in_it() {
        for dataset in Dataset::all_builtin() {
            let stored = StoredExamples::of(dataset).unwrap();
            for field in dataset.fields() {
                let at = format!("{}.{}", dataset.name(), field.name);
                let value = stored.get(field).unwrap_or_else(|| panic!("{at}"));
                if field.protection != Protection::None {
                    let given = field.passthrough_hex.contains(&field.example.len());
                    assert_eq!(value == field.example.as_str(), given, "{at}");
                }
                for inner in &field.fields {
                    let value = stored.get_within(field, inner);
                    let value = value.unwrap_or_else(|| panic!("{at}.{}", inner.name));
                    let is_clear = value == inner.example.as_str();
                    let is_text = inner.protection == Protection::None;
                    assert_eq!(is_clear, is_text, "{at}.{}", inner.name);
                }
            }
        }
    }

    #[test]
    fn an_encrypted_example_opens_with_the_key_for_examples() {
        let sealed = stored("contacts", "name");
        let sealed = data_encoding::BASE64
            .decode(sealed.trim_matches('"').as_bytes())
            .unwrap();
        let uid = stored("contacts", "uid");
        let keys = OrganizationKeys::of_examples().unwrap();
        let clear = keys.open(uid.trim_matches('"'), "name", &sealed).unwrap();
        assert_eq!(clear.as_slice(), br#""Amina Yusuf""#);
    }
}
