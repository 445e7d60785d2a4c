//! Numbers for new records, in datasets that count theirs.

use super::{Provenance, transaction::Joining, unit::Unit};
use crate::{
    dataset::{Dataset, Field},
    store::{Store, StoreError},
};

/// The field with a record's number, if the dataset counts its records.
pub(super) fn sequence(dataset: &Dataset) -> Option<&Field> {
    dataset.fields().iter().find(|field| field.sequence)
}

impl Store {
    /// Gives numbers to the records that are about to be inserted, in the order of their rows and
    /// by one call. A number stays with its record however often the insertion is tried.
    pub(super) async fn number(
        &self,
        joins: &[Joining],
        units: &mut [Unit],
        provenance: &Provenance,
    ) -> Result<(), StoreError> {
        let mut new: Vec<usize> = joins
            .iter()
            .filter(|joining| joining.update.is_none())
            .map(|joining| joining.unit)
            .collect();
        new.retain(|index| units.get(*index).is_some_and(lacks_number));
        new.sort_unstable();
        // The rows of a batch are of one dataset, but those of meters write customers too.
        let dataset = new.first().and_then(|index| units.get(*index));
        let Some(dataset) = dataset.map(|unit| unit.record.dataset().clone()) else {
            return Ok(());
        };
        let Some(field) = sequence(&dataset) else {
            return Ok(());
        };
        let counter = format!("{}.{}", dataset.name(), field.name);
        let first = self
            .take_numbers(provenance.organization, &counter, new.len() as u64)
            .await?;
        for (index, number) in new.into_iter().zip(first..) {
            if let Some(unit) = units.get_mut(index) {
                unit.number = Some(number);
            }
        }
        Ok(())
    }
}

fn lacks_number(unit: &Unit) -> bool {
    unit.number.is_none() && sequence(unit.record.dataset()).is_some()
}
