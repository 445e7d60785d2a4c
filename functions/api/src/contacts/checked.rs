//! Contacts on their way to the store: checked and protected, or refused.

use std::{collections::HashSet, sync::Arc};

use clientele::{
    Registry,
    decode::{MAX_COLUMNS, MAX_ROW_BYTES, json_row},
    identity::OrganizationId,
    import::{Rules, survey::MAX_HEADER_BYTES},
    protection::{CipherError, ProtectedRecord, Protector},
    record::{IdSeed, MAX_RECORD_BYTES, MAX_STORED_BYTES, RawRecord, Record},
    store::{GroupId, jobs::Mode},
    web::Problem,
};
use serde_json::Value;

use super::{
    Place,
    body::Contacts,
    detail::{Detail, of_row},
};

/// What an organisation's contacts are checked against, and the group that they join.
pub(super) struct Checks {
    pub(super) rules: Rules,
    pub(super) group: GroupId,
}

impl Checks {
    pub(super) async fn of(
        registry: &Registry,
        organization: OrganizationId,
        place: Place,
    ) -> Result<Self, Problem> {
        let settings = registry.store.organization(organization).await?;
        let rules = Rules {
            organization,
            dataset: place.dataset,
            origin: place.origin,
            settings: settings.unwrap_or_default(),
            keys: registry.keys.for_writing(organization).await?,
        };
        let group = place.group;
        Ok(Self { rules, group })
    }

    /// The contacts as records with identifiers of a seed, or everything that is wrong with them.
    pub(super) fn records(
        &self,
        contacts: &Contacts<'_>,
        ids: IdSeed,
    ) -> Result<Result<Vec<ProtectedRecord>, Vec<Detail>>, CipherError> {
        let validator = self.rules.validator(Mode::AllOrNothing);
        let mut validator = validator.with_ids_from(ids).with_strict_texts();
        let protector = self.rules.protector();
        let (mut records, mut details) = (Vec::new(), Vec::new());
        let mut names: HashSet<Arc<str>> = HashSet::new();
        for (index, text) in contacts.texts.iter().enumerate() {
            let place = contacts.place_of(index);
            let raw = match row(text, index, &place) {
                Ok(raw) => raw,
                Err(detail) => {
                    details.push(detail);
                    continue;
                }
            };
            names.extend(raw.values.iter().map(|(name, _)| Arc::clone(name)));
            match validator.validate(raw) {
                Ok(record) => match protect(&protector, record)? {
                    Some(record) => records.push(record),
                    None => details.push(too_large(&place)),
                },
                Err(refused) => details.extend(of_row(&place, &refused, &mut validator)),
            }
        }
        if names.len() > MAX_COLUMNS {
            let msg = format!("there are more than {MAX_COLUMNS} different names of members");
            details.push(Detail::value_error(&contacts.place(), msg));
        }
        Ok(match details.is_empty() {
            true => Ok(records),
            false => Err(details),
        })
    }
}

/// A contact as a row. What an import of it would refuse as a file is refused here.
fn row(text: &str, index: usize, place: &[Value]) -> Result<RawRecord, Detail> {
    if text.len() > MAX_ROW_BYTES {
        return Err(too_large(place));
    }
    let raw = json_row(text, index as u64 + 1);
    let has_long_name = |raw: &RawRecord| {
        let mut names = raw.values.iter().map(|(name, _)| name);
        names.any(|name| name.len() > MAX_HEADER_BYTES)
    };
    match has_long_name(&raw) {
        true => {
            let msg = format!("the name of a member is longer than {MAX_HEADER_BYTES} bytes");
            Err(Detail::value_error(place, msg))
        }
        false => Ok(raw),
    }
}

/// A record, unless it would be too large to be stored.
fn protect(protector: &Protector, record: Record) -> Result<Option<ProtectedRecord>, CipherError> {
    let record = protector.protect(record)?;
    Ok((record.size() <= MAX_STORED_BYTES).then_some(record))
}

fn too_large(place: &[Value]) -> Detail {
    let limit = MAX_RECORD_BYTES / 1024;
    Detail::value_error(place, format!("a contact takes at most {limit} KiB"))
}
