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
    detail::{Detail, MAX_DETAILS, of_row},
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

    /// The contacts as records with identifiers of a seed, or what is wrong with them.
    pub(super) fn records(
        &self,
        contacts: &Contacts<'_>,
        ids: IdSeed,
    ) -> Result<Result<Vec<ProtectedRecord>, Vec<Detail>>, CipherError> {
        let rows = match rows(contacts) {
            Ok(rows) => rows,
            Err(detail) => return Ok(Err(vec![detail])),
        };
        let validator = self.rules.validator(Mode::AllOrNothing);
        let mut validator = validator.with_ids_from(ids).with_strict_texts();
        let protector = self.rules.protector();
        let (mut records, mut details) = (Vec::new(), Vec::new());
        for (index, row) in rows.into_iter().enumerate() {
            if details.len() >= MAX_DETAILS {
                break;
            }
            let raw = match row {
                Ok(raw) => raw,
                Err(detail) => {
                    details.push(detail);
                    continue;
                }
            };
            let place = contacts.place_of(index);
            match validator.validate(raw) {
                Ok(record) => match protect(&protector, record)? {
                    Some(record) => records.push(record),
                    None => details.push(too_large(&place)),
                },
                Err(refused) => details.extend(of_row(&place, &refused, &mut validator)),
            }
        }
        Ok(match details.is_empty() {
            true => Ok(records),
            false => Err(details),
        })
    }
}

/// The contacts as rows, unless their members have more names than a file may have columns. Names
/// are counted before any is compared with those of fields, which takes far longer.
fn rows(contacts: &Contacts<'_>) -> Result<Vec<Result<RawRecord, Detail>>, Detail> {
    let mut names: HashSet<Arc<str>> = HashSet::new();
    let mut rows = Vec::with_capacity(contacts.texts.len());
    for (index, text) in contacts.texts.iter().enumerate() {
        let row = row(text, index, &contacts.place_of(index));
        if let Ok(raw) = &row {
            names.extend(raw.values.iter().map(|(name, _)| Arc::clone(name)));
        }
        if names.len() > MAX_COLUMNS {
            let msg = format!("there are more than {MAX_COLUMNS} different names of members");
            return Err(Detail::value_error(&contacts.place(), msg));
        }
        rows.push(row);
    }
    Ok(rows)
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
