//! Which record a row is about.

use std::sync::Arc;

use super::{RowErrors, Validator};
use crate::{
    dataset::{Dataset, Identity, Target},
    identity::{CustomerUid, DeviceUid, RecordId, UidPart},
    record::{Change, RawRecord, Record, Value, read::read},
};

impl Validator {
    /// Which record a row is about, as far as its identifiers can be read. Tells nothing of the
    /// rest of the row.
    pub fn id_of(&mut self, raw: &RawRecord) -> Option<RecordId> {
        let dataset = Arc::clone(&self.dataset);
        if dataset.event().is_some() {
            return self.id_in_event(raw);
        }
        let mut changes = Vec::new();
        for (header, value) in &raw.values {
            let Target::Field(index) = self.target(header) else {
                continue;
            };
            if let Some(field) = dataset.field(index).filter(|field| field.is_identifier())
                && let Ok(Some(change)) = read(field, value, self.this_year)
            {
                changes.push((index, change));
            }
        }
        let mut errors = RowErrors {
            row: raw.row,
            line: raw.line,
            errors: Vec::new(),
        };
        self.fill_in(raw.row, &mut changes);
        self.identify(&changes, &mut errors)
    }

    /// The uid, when every part of it was read.
    pub(super) fn identify(
        &self,
        changes: &[(usize, Change<Value>)],
        errors: &mut RowErrors,
    ) -> Option<RecordId> {
        let mut part = |identity: Identity| -> Option<Option<UidPart>> {
            let Some(index) = self.dataset.identity_field(identity) else {
                return Some(None);
            };
            let change = changes.iter().find(|(position, _)| *position == index);
            let Some((_, Change::Set(Value::Text(text)))) = change else {
                return Some(None);
            };
            let field = self.dataset.field(index)?;
            match UidPart::parse(text) {
                Ok(part) if field.is_personal() => Some(Some(self.keys.external_id(&part))),
                Ok(part) => Some(Some(part)),
                Err(error) => {
                    errors.add(Some(&field.name), error);
                    None
                }
            }
        };
        let external_id = part(Identity::ExternalId);
        let serial_number = part(Identity::SerialNumber);
        let manufacturer = part(Identity::Manufacturer);
        // Parts of no record's uid, but of the account's and the grid's.
        let others = [Identity::Device, Identity::Account, Identity::Grid].map(&mut part);
        if others.iter().any(Option::is_none) {
            return None;
        }
        let customer = CustomerUid::new(self.organization, self.origin.clone(), external_id??);
        if !self.dataset.is_of_devices() {
            return Some(RecordId::Customer(customer));
        }
        let device = DeviceUid::new(self.organization, manufacturer??.as_str(), serial_number??);
        match device.and_then(|device| RecordId::meter(customer, device)) {
            Ok(id) => Some(id),
            Err(error) => {
                let index = self.dataset.identity_field(Identity::Manufacturer)?;
                let name = self.dataset.field(index).map(|field| field.name.as_str());
                errors.add(name, error);
                None
            }
        }
    }

    pub(super) fn customer_of_meter(
        &self,
        id: &RecordId,
        changes: &[(usize, Change<Value>)],
    ) -> Option<Box<Record>> {
        let RecordId::Meter(customer, _) = id else {
            return None;
        };
        let customers = Dataset::customers();
        let of_customer = changes.iter().filter_map(|(index, change)| {
            let name = self.dataset.field(*index)?.customer_field.as_deref()?;
            Some((customers.index_of(name)?, change.clone()))
        });
        Some(Box::new(Record {
            changes: of_customer.collect(),
            dataset: Arc::clone(&customers),
            id: RecordId::Customer(customer.clone()),
            custom: Vec::new(),
            customer: None,
            moment: None,
        }))
    }
}
