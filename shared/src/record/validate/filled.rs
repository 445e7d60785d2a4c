//! What a new record has although its row does not say so: defaults, and an identifier.

use super::Validator;
use crate::{
    dataset::Identity,
    record::{Change, Value},
};

impl Validator {
    /// Adds that to what a row says.
    pub(super) fn fill_in(&self, row: u64, changes: &mut Vec<(usize, Change<Value>)>) {
        if self.of_changes {
            return;
        }
        for (index, default) in &self.defaults {
            match changes.iter_mut().find(|(position, _)| position == index) {
                Some((_, Change::Set(_))) => {}
                Some((_, unset)) => *unset = default.clone(),
                None => changes.push((*index, default.clone())),
            }
        }
        if let Some(index) = self.dataset.identity_field(Identity::ExternalId)
            && self.dataset.makes_identifiers()
        {
            let id = self.ids.external_id(row);
            changes.push((index, Change::Set(Value::Text(id))));
        }
    }
}
