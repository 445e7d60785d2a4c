//! Checks a raw record against its dataset.

mod event;
mod filled;
mod list;

use std::{collections::HashSet, fmt, sync::Arc};

use super::{
    Change, IdSeed, MAX_RECORD_BYTES, Malformed, RawRecord, RawValue, RefusedRow, RowError,
    RowErrorCode, Value,
    read::{Refused, read},
};
use crate::{
    dataset::{Dataset, Field, FieldType, HeaderMapping, Identity, Target},
    event::Moment,
    identity::{
        CustomerUid, DataOrigin, DeviceUid, IdentityError, OrganizationId, RecordId, UidPart,
    },
    protection::OrganizationKeys,
};

/// A checked record, still in clear: what a row says about one customer or meter.
pub struct Record {
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) id: RecordId,
    /// Field positions and what the row does to them. Blank fields are not there.
    pub(crate) changes: Vec<(usize, Change<Value>)>,
    /// Columns that the dataset does not know, as they came.
    pub(crate) custom: Vec<(Arc<str>, Change<serde_json::Value>)>,
    /// What a meter's row says about the customer that the meter is at.
    pub(crate) customer: Option<Box<Record>>,
    /// Of an event: when it happened.
    pub(crate) moment: Option<Moment>,
}

impl Record {
    /// Which record the row is about.
    pub fn id(&self) -> &RecordId {
        &self.id
    }

    /// Whether it came in an event.
    pub(crate) fn is_event(&self) -> bool {
        self.moment.is_some()
    }

    /// What the row does to a field, by the field's name.
    pub fn change(&self, field: &str) -> Option<&Change<Value>> {
        let index = self.dataset.index_of(field)?;
        self.changes
            .iter()
            .find(|(position, _)| *position == index)
            .map(|(_, change)| change)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({:?}, {} fields)", self.id, self.changes.len())
    }
}

/// What becomes of columns that a dataset does not know: each organisation's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownColumns {
    /// They are kept, encrypted, in `custom`.
    #[default]
    Keep,
    /// They are left out.
    Drop,
    /// They are refused.
    Reject,
}

impl UnknownColumns {
    /// The choice with a name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Keep, Self::Drop, Self::Reject]
            .into_iter()
            .find(|choice| choice.as_str() == name)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::Reject => "reject",
        }
    }
}

/// Checks the raw records of one source and dataset.
pub struct Validator {
    dataset: Arc<Dataset>,
    organization: OrganizationId,
    origin: DataOrigin,
    /// Where the identifier is personal, the external id is its keyed digest.
    keys: Arc<OrganizationKeys>,
    unknown_columns: UnknownColumns,
    this_year: i16,
    /// Whether rows change records that exist.
    of_changes: bool,
    /// Whether a text must come as one.
    strict_texts: bool,
    /// What identifiers are made of, in a dataset whose rows have none.
    ids: IdSeed,
    /// What new records have where a row says nothing.
    defaults: Vec<(usize, Change<Value>)>,
    mapping: HeaderMapping,
}

/// The errors of one row, gathered while it is read.
struct RowErrors {
    row: u64,
    line: Option<u64>,
    errors: Vec<RowError>,
}

impl RowErrors {
    fn add(&mut self, column: Option<&str>, refused: impl Into<Refused>) {
        let Refused { code, hint } = refused.into();
        self.errors.push(RowError {
            row: self.row,
            line: self.line,
            column: column.map(str::to_owned),
            code,
            hint,
        });
    }
}

impl Validator {
    /// A validator for the records of one source. `this_year` bounds birth years.
    pub fn new(
        dataset: Arc<Dataset>,
        organization: OrganizationId,
        origin: DataOrigin,
        keys: Arc<OrganizationKeys>,
        unknown_columns: UnknownColumns,
        this_year: i16,
    ) -> Self {
        let fields = dataset.fields().iter().enumerate();
        let defaults = fields.filter_map(|(index, field)| {
            let default = RawValue::Cell(field.default.clone()?);
            Some((index, read(field, &default, this_year).ok()??))
        });
        Self {
            mapping: HeaderMapping::new(Arc::clone(&dataset)),
            defaults: defaults.collect(),
            dataset,
            organization,
            origin,
            keys,
            unknown_columns,
            this_year,
            of_changes: false,
            strict_texts: false,
            ids: IdSeed::random(),
        }
    }

    /// The same with identifiers from a seed, where the dataset's records get theirs here.
    pub fn with_ids_from(self, ids: IdSeed) -> Self {
        Self { ids, ..self }
    }

    /// The same for clients who know types: a number is not taken for the text of its digits.
    pub fn with_strict_texts(self) -> Self {
        Self {
            strict_texts: true,
            ..self
        }
    }

    /// The same for rows that change records which exist: of the required fields, they need
    /// only name the record. None can be unset.
    pub fn of_changes(self) -> Self {
        Self {
            of_changes: true,
            ..self
        }
    }

    /// Whether a row must have a field.
    pub fn requires(&self, field: &Field) -> bool {
        let names_records = matches!(
            field.identity,
            Some(Identity::ExternalId | Identity::SerialNumber | Identity::Manufacturer)
        );
        match self.of_changes {
            true => field.required && names_records,
            false => field.required && !field.autogenerated,
        }
    }

    /// The dataset that records are checked against.
    pub fn dataset(&self) -> &Arc<Dataset> {
        &self.dataset
    }

    /// What becomes of a column.
    pub fn target(&mut self, header: &str) -> Target {
        match self.mapping.target(header) {
            // Which record changes, the row must say, even if it had no say in the identifier.
            Target::Ignored(index) if self.of_changes && self.identifies(index) => {
                Target::Field(index)
            }
            target => target,
        }
    }

    fn identifies(&self, index: usize) -> bool {
        self.dataset.identity_field(Identity::ExternalId) == Some(index)
    }

    /// What this organisation's records do with columns that the dataset does not know.
    pub fn unknown_columns(&self) -> UnknownColumns {
        self.unknown_columns
    }

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

    /// Checks one row, or gives it back with everything that is wrong with it.
    pub fn validate(&mut self, mut raw: RawRecord) -> Result<Record, RefusedRow> {
        self.check(&mut raw)
            .map_err(|errors| RefusedRow { raw, errors })
    }

    /// Takes only the values of a row that is accepted.
    fn check(&mut self, raw: &mut RawRecord) -> Result<Record, Vec<RowError>> {
        let mut errors = RowErrors {
            row: raw.row,
            line: raw.line,
            errors: Vec::new(),
        };
        if let Some(malformed) = raw.malformed {
            errors.add(None, malformed);
            return Err(errors.errors);
        }
        if let Err(refused) = check_size(raw) {
            errors.add(None, refused);
            return Err(errors.errors);
        }
        if self.dataset.event().is_some() {
            return self.check_event(raw, errors);
        }
        let (mut changes, unknown) = self.read_values(&raw.values, &mut errors);
        self.fill_in(raw.row, &mut changes);
        self.check_required(&changes, &mut errors);
        let id = self.identify(&changes, &mut errors);
        match id {
            Some(id) if errors.errors.is_empty() => Ok(Record {
                customer: self.customer_of_meter(&id, &changes),
                dataset: Arc::clone(&self.dataset),
                id,
                changes,
                custom: take_custom(&mut raw.values, &unknown),
                moment: None,
            }),
            _ => Err(errors.errors),
        }
    }

    /// What the row does to fields, and the positions of its values for `custom`.
    fn read_values(
        &mut self,
        values: &[(Arc<str>, RawValue)],
        errors: &mut RowErrors,
    ) -> (Vec<(usize, Change<Value>)>, Vec<usize>) {
        let dataset = Arc::clone(&self.dataset);
        let mut changes = Vec::with_capacity(values.len());
        let mut unknown = Vec::new();
        let mut seen = HashSet::new();
        for (position, (header, value)) in values.iter().enumerate() {
            match self.target(header) {
                Target::Field(index) => {
                    let Some(field) = dataset.field(index) else {
                        continue;
                    };
                    if !seen.insert(index) {
                        errors.add(
                            Some(header),
                            Refused {
                                code: RowErrorCode::DuplicateColumn,
                                hint: Some(field.name.clone()),
                            },
                        );
                        continue;
                    }
                    if self.strict_texts && is_number_for_text(field, value) {
                        errors.add(Some(header), RowErrorCode::TypeString);
                        continue;
                    }
                    match read(field, value, self.this_year) {
                        Ok(Some(change)) => changes.push((index, change)),
                        Ok(None) => {}
                        Err(refused) => errors.add(Some(header), refused),
                    }
                }
                Target::NearMiss { field, header: at } => {
                    let name = dataset.field(field).and_then(|field| field.header(at));
                    errors.add(
                        Some(header),
                        Refused {
                            code: RowErrorCode::NearMiss,
                            hint: name.map(str::to_owned),
                        },
                    );
                }
                Target::Custom => match self.unknown_columns {
                    UnknownColumns::Keep => unknown.push(position),
                    UnknownColumns::Drop => {}
                    UnknownColumns::Reject => {
                        errors.add(Some(header), RowErrorCode::UnknownColumn);
                    }
                },
                Target::Ignored(_) | Target::Unnamed => {}
            }
        }
        (changes, unknown)
    }

    fn check_required(&self, changes: &[(usize, Change<Value>)], errors: &mut RowErrors) {
        let required = |(index, field): &(usize, &Field)| {
            field.required && (!field.autogenerated || self.of_changes && self.identifies(*index))
        };
        for (index, field) in self.dataset.fields().iter().enumerate().filter(required) {
            let change = changes.iter().find(|(position, _)| *position == index);
            let reported = |error: &RowError| {
                error
                    .column
                    .as_deref()
                    .is_some_and(|column| field.answers_to(column))
            };
            match change {
                Some((_, Change::Set(_))) => {}
                Some((_, Change::Unset)) => {
                    errors.add(Some(&field.name), RowErrorCode::RequiredUnset);
                }
                None if !self.requires(field) || errors.errors.iter().any(reported) => {}
                None => errors.add(Some(&field.name), RowErrorCode::Required),
            }
        }
    }

    /// The uid, when every part of it was read.
    fn identify(
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

    fn customer_of_meter(
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

impl Field {
    /// Whether a header means this field.
    fn answers_to(&self, header: &str) -> bool {
        use crate::dataset::simplify;
        let simple = simplify(header);
        std::iter::once(&self.name)
            .chain(&self.aliases)
            .any(|name| simplify(name) == simple)
    }

    /// The field's name (0) or one of its aliases.
    pub(crate) fn header(&self, at: usize) -> Option<&str> {
        std::iter::once(&self.name)
            .chain(&self.aliases)
            .nth(at)
            .map(String::as_str)
    }
}

fn is_number_for_text(field: &Field, value: &RawValue) -> bool {
    let is_number = matches!(value, RawValue::Number(_) | RawValue::LongNumber(_));
    field.r#type == FieldType::String && is_number
}

/// Moves the values of unknown columns out of a row.
fn take_custom(
    values: &mut [(Arc<str>, RawValue)],
    unknown: &[usize],
) -> Vec<(Arc<str>, Change<serde_json::Value>)> {
    let take = |position: &usize| {
        let (header, value) = values.get_mut(*position)?;
        custom_value(Arc::clone(header), std::mem::replace(value, RawValue::Null))
    };
    unknown.iter().filter_map(take).collect()
}

/// A value of an unknown column: kept untouched, blank cells left out.
fn custom_value(
    header: Arc<str>,
    value: RawValue,
) -> Option<(Arc<str>, Change<serde_json::Value>)> {
    let json = match value {
        RawValue::Cell(text) | RawValue::Text(text) if text.trim().is_empty() => return None,
        RawValue::Null => return Some((header, Change::Unset)),
        value => value.into_json(),
    };
    Some((header, Change::Set(json)))
}

fn check_size(raw: &RawRecord) -> Result<(), Refused> {
    if raw.size() <= MAX_RECORD_BYTES {
        return Ok(());
    }
    Err(Refused {
        code: RowErrorCode::RecordTooLarge,
        hint: Some((MAX_RECORD_BYTES / 1024).to_string()),
    })
}

impl From<Malformed> for Refused {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Ragged { expected, found } => Self {
                code: RowErrorCode::RaggedRow,
                hint: Some(format!("{found} ≠ {expected}")),
            },
            Malformed::NotAnObject => RowErrorCode::NotAnObject.into(),
            Malformed::DuplicateKey => RowErrorCode::DuplicateKey.into(),
            Malformed::InvalidJson { column } => Self {
                code: RowErrorCode::InvalidJsonLine,
                hint: Some(column.to_string()),
            },
            Malformed::TooDeep => RowErrorCode::JsonTooDeep.into(),
            Malformed::LoneSurrogate => RowErrorCode::LoneSurrogate.into(),
        }
    }
}

impl From<IdentityError> for Refused {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::TooLong(limit) => Self {
                code: RowErrorCode::KeyTooLong,
                hint: Some(limit.to_string()),
            },
            IdentityError::Empty => RowErrorCode::Required.into(),
            _ => RowErrorCode::ControlCharacter.into(),
        }
    }
}

#[cfg(test)]
mod tests;
