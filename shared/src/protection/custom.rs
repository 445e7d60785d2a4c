//! Unknown columns, which are encrypted together since nobody knows what is in them.

use std::{collections::BTreeMap, sync::Arc};

use super::{CipherError, OrganizationKeys, Protector, Sealed, cipher::Place};
use crate::record::Change;

/// The field that unknown columns go to.
pub(super) const CUSTOM: &str = "custom";

type Columns = BTreeMap<String, serde_json::Value>;

/// What a row says about `custom`: its unknown columns, encrypted as one JSON object in which a
/// null takes a column away.
#[derive(Debug, Clone)]
pub struct CustomChange {
    sealed: Sealed,
    takes_away: bool,
}

impl CustomChange {
    /// How many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.sealed.bytes.len()
    }

    /// The unknown columns that an event has, in place of others. The same ones keep their bytes.
    pub(crate) fn in_place_of(&self, stored: Option<&Sealed>) -> Sealed {
        match stored {
            Some(stored) if stored.digest == self.sealed.digest => stored.clone(),
            _ => self.sealed.clone(),
        }
    }
}

impl Protector {
    pub(super) fn protect_custom(
        &self,
        uid: &str,
        columns: Vec<(Arc<str>, Change<serde_json::Value>)>,
    ) -> Result<Option<CustomChange>, CipherError> {
        if columns.is_empty() {
            return Ok(None);
        }
        let value = |change| match change {
            Change::Set(value) => value,
            Change::Unset => serde_json::Value::Null,
        };
        let columns: Columns = columns
            .into_iter()
            .map(|(header, change)| (header.to_string(), value(change)))
            .collect();
        let takes_away = columns.values().any(serde_json::Value::is_null);
        Ok(Some(CustomChange {
            sealed: seal_columns(self.keys(), uid, &columns)?,
            takes_away,
        }))
    }
}

impl OrganizationKeys {
    /// What `custom` becomes: nothing when no column is left. `None` for `change` keeps it.
    pub(crate) fn merge_custom(
        &self,
        uid: &str,
        stored: Option<&Sealed>,
        change: Option<&CustomChange>,
    ) -> Result<Option<Sealed>, CipherError> {
        let Some(change) = change else {
            return Ok(stored.cloned());
        };
        let unchanged = stored.is_some_and(|stored| stored.digest == change.sealed.digest);
        if unchanged && !change.takes_away {
            return Ok(stored.cloned());
        }
        if stored.is_none() && !change.takes_away {
            return Ok(Some(change.sealed.clone()));
        }
        let before = match stored {
            Some(sealed) => self.open_custom(uid, &sealed.bytes)?,
            None => Columns::new(),
        };
        let mut after = before.clone();
        after.extend(self.open_custom(uid, &change.sealed.bytes)?);
        after.retain(|_, value| !value.is_null());
        if after == before {
            return Ok(stored.cloned());
        }
        match after.is_empty() {
            true => Ok(None),
            false => seal_columns(self, uid, &after).map(Some),
        }
    }

    /// What `custom` becomes when a change only adds columns that are not there.
    pub(crate) fn fill_custom(
        &self,
        uid: &str,
        stored: Option<&Sealed>,
        change: Option<&CustomChange>,
    ) -> Result<Option<Sealed>, CipherError> {
        let (Some(stored), Some(added)) = (stored, change) else {
            return self.merge_custom(uid, stored, change);
        };
        let before = self.open_custom(uid, &stored.bytes)?;
        let mut after = self.open_custom(uid, &added.sealed.bytes)?;
        after.retain(|_, value| !value.is_null());
        after.extend(before.clone());
        match after == before {
            true => Ok(Some(stored.clone())),
            false => seal_columns(self, uid, &after).map(Some),
        }
    }

    /// Decrypts a record's unknown columns.
    pub fn open_custom(&self, uid: &str, sealed: &[u8]) -> Result<Columns, CipherError> {
        let plaintext = self.open(uid, CUSTOM, sealed)?;
        serde_json::from_slice(&plaintext).map_err(|_| CipherError::Format)
    }
}

/// Encrypts unknown columns. Columns that are taken away have no part in the digest, so that
/// it equals that of the stored columns when nothing changes.
fn seal_columns(
    keys: &OrganizationKeys,
    uid: &str,
    columns: &Columns,
) -> Result<Sealed, CipherError> {
    let place = Place { uid, field: CUSTOM };
    let json = |columns: &BTreeMap<&String, &serde_json::Value>| {
        serde_json::to_vec(columns)
            .map(zeroize::Zeroizing::new)
            .map_err(|_| CipherError::Format)
    };
    let all = json(&columns.iter().collect())?;
    let kept = json(&columns.iter().filter(|(_, v)| !v.is_null()).collect())?;
    keys.seal(place, &all, &kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protection::PseudonymMode;

    const UID: &str = "1-generic-1";

    fn protector() -> Protector {
        Protector::new(OrganizationKeys::of_tests(), PseudonymMode::Sha256)
    }

    fn change(columns: serde_json::Value) -> CustomChange {
        let change = |value: &serde_json::Value| match value.is_null() {
            true => Change::Unset,
            false => Change::Set(value.clone()),
        };
        let columns = columns.as_object().unwrap();
        let columns = columns
            .iter()
            .map(|(k, v)| (Arc::from(k.as_str()), change(v)))
            .collect();
        protector().protect_custom(UID, columns).unwrap().unwrap()
    }

    #[test]
    fn unknown_columns_are_merged_one_by_one() {
        use serde_json::json;
        let table = [
            (json!(null), json!({"a": 1}), json!({"a": 1})),
            (json!({"a": 1}), json!({"b": 2}), json!({"a": 1, "b": 2})),
            (json!({"a": 1}), json!({"a": 2}), json!({"a": 2})),
            (json!({"a": 1, "b": 2}), json!({"a": null}), json!({"b": 2})),
            (json!({"a": 1}), json!({"a": null}), json!(null)),
            (json!(null), json!({"a": null, "b": 1}), json!({"b": 1})),
        ];
        let keys = OrganizationKeys::of_tests();
        for (before, row, after) in table {
            let shown = format!("{before} + {row}");
            let stored = before.is_object().then(|| change(before).sealed);
            let merged = keys
                .merge_custom(UID, stored.as_ref(), Some(&change(row)))
                .unwrap();
            let opened = merged.map(|sealed| keys.open_custom(UID, &sealed.bytes).unwrap());
            assert_eq!(serde_json::to_value(opened).unwrap(), after, "{shown}");
        }
    }

    #[test]
    fn the_same_columns_keep_the_stored_bytes() {
        use serde_json::json;
        let keys = OrganizationKeys::of_tests();
        let stored = change(json!({"a": 1, "b": 2})).sealed;
        for row in [json!({"b": 2, "a": 1}), json!({"a": 1}), json!({"c": null})] {
            let merged = keys
                .merge_custom(UID, Some(&stored), Some(&change(row)))
                .unwrap();
            assert_eq!(merged.as_ref(), Some(&stored));
        }
    }
}
