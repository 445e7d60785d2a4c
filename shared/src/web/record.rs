//! Records as clients of the dataset API see them.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    dataset::{Dataset, Identity},
    identity::{DeviceUid, RecordId},
    protection::{CipherError, OrganizationKeys},
    store::StoredRecord,
};

/// A record with all its fields, those without a value as null. Unknown columns are left out
/// without the organisation's keys.
pub fn record_body(
    dataset: &Arc<Dataset>,
    keys: Option<&OrganizationKeys>,
    id: &RecordId,
    record: &StoredRecord,
) -> Result<Map<String, Value>, CipherError> {
    let mut body = with_generated(dataset, id, record, record.shown(dataset));
    if let Some(keys) = keys {
        insert_custom(&mut body, keys, &id.to_string(), record)?;
    }
    Ok(body)
}

/// The same with encrypted fields in clear.
pub fn revealed_body(
    dataset: &Arc<Dataset>,
    keys: &OrganizationKeys,
    id: &RecordId,
    record: &StoredRecord,
) -> Result<Map<String, Value>, CipherError> {
    let uid = id.to_string();
    let revealed = record.revealed(dataset, &uid, keys)?;
    let mut body = with_generated(dataset, id, record, revealed);
    insert_custom(&mut body, keys, &uid, record)?;
    Ok(body)
}

fn insert_custom(
    body: &mut Map<String, Value>,
    keys: &OrganizationKeys,
    uid: &str,
    record: &StoredRecord,
) -> Result<(), CipherError> {
    if let Some(custom) = record.custom() {
        let columns = keys.open_custom(uid, custom)?;
        body.insert("custom".to_owned(), columns.into_iter().collect());
    }
    Ok(())
}

/// Fields with a value, those that the registry fills, and the others as null.
fn with_generated(
    dataset: &Dataset,
    id: &RecordId,
    record: &StoredRecord,
    values: Vec<(String, Value)>,
) -> Map<String, Value> {
    let fields = dataset.fields().iter();
    let mut body: Map<String, Value> = fields
        .map(|field| (field.name.clone(), Value::Null))
        .collect();
    body.extend(values);
    body.extend(generated(dataset, id, record, &body));
    body
}

/// The fields that the registry fills.
fn generated(
    dataset: &Dataset,
    id: &RecordId,
    record: &StoredRecord,
    body: &Map<String, Value>,
) -> Vec<(String, Value)> {
    let customer = id.customer();
    let mut fields: Vec<(&str, Value)> = vec![
        ("uid", id.to_string().into()),
        ("organization_id", customer.organization().get().into()),
        ("data_origin", customer.origin().as_str().into()),
        // Always with three digits of the second: many clients read times by a fixed pattern.
        ("created_at", format!("{:.3}", record.created_at).into()),
        ("updated_at", format!("{:.3}", record.updated_at).into()),
        ("time_created", format!("{:.3}", record.created_at).into()),
        ("time_updated", format!("{:.3}", record.updated_at).into()),
        ("source_id", record.source_id.into()),
        ("import_id", record.import_id.into()),
        ("last_source_id", record.last_source_id.into()),
        ("last_import_id", record.last_import_id.into()),
    ];
    if let RecordId::Meter(customer, device) = id {
        fields.push(("customer_uid", customer.to_string().into()));
        fields.push(("device_uid", DeviceUid::to_string(device).into()));
        // Accounts and grids are named within their source, as customers are.
        for (uid, part) in [
            ("account_uid", Identity::Account),
            ("grid_uid", Identity::Grid),
        ] {
            let field = dataset
                .identity_field(part)
                .and_then(|index| dataset.field(index));
            let named = field.and_then(|field| body.get(&field.name)?.as_str());
            if let Some(name) = named {
                let (organization, origin) = (customer.organization(), customer.origin());
                fields.push((uid, format!("{organization}-{origin}-{name}").into()));
            }
        }
    }
    let known = |(name, _): &(&str, Value)| dataset.index_of(name).is_some();
    let named = |(name, value): (&str, Value)| (name.to_owned(), value);
    fields.into_iter().filter(known).map(named).collect()
}
