//! From a checked record to a protected one.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    CipherError, CustomChange, OrganizationKeys, Pseudonym, PseudonymMode, Sealed, blur::blur,
    cipher::Place, custom::CUSTOM,
};
use crate::{
    dataset::{Dataset, Field, Protection},
    event::{Answer, Moment, Said},
    identity::RecordId,
    record::{Change, Element, Record, Value},
};

/// A record that may be stored.
pub struct ProtectedRecord {
    dataset: Arc<Dataset>,
    id: RecordId,
    changes: Vec<(usize, Change<ProtectedValue>)>,
    custom: Option<CustomChange>,
    customer: Option<Box<ProtectedRecord>>,
    /// Of events: which of them says what.
    said: Option<Said>,
    /// Whether no other row of the file is about the record.
    is_alone: bool,
}

/// A value that may be stored. Only this module makes one.
#[derive(Clone, PartialEq)]
pub struct ProtectedValue(Protected);

/// What a protected value is.
#[derive(Clone, PartialEq)]
pub enum Protected {
    /// Not personal, or blurred.
    Clear(Value),
    /// A pseudonym.
    Pseudonym(Pseudonym),
    /// Encrypted.
    Sealed(Sealed),
    /// Objects with fields of their own.
    List(Vec<BTreeMap<String, Protected>>),
}

impl ProtectedValue {
    fn size(&self) -> usize {
        self.0.size()
    }

    /// What the value is.
    pub(crate) fn inner(&self) -> &Protected {
        &self.0
    }
}

impl Protected {
    fn size(&self) -> usize {
        match self {
            Self::Clear(Value::Text(text)) => text.len(),
            Self::Clear(Value::Json(json)) => json.to_string().len(),
            Self::Clear(_) => 8,
            Self::Pseudonym(_) => 37,
            Self::Sealed(sealed) => sealed.bytes.len(),
            Self::List(elements) => elements
                .iter()
                .flatten()
                .map(|(name, value)| name.len() + value.size())
                .sum(),
        }
    }
}

impl ProtectedRecord {
    /// Which record it is.
    pub fn id(&self) -> &RecordId {
        &self.id
    }

    /// The dataset that it was checked against.
    pub fn dataset(&self) -> &Arc<Dataset> {
        &self.dataset
    }

    /// Field positions and what happens to them.
    pub(crate) fn changes(&self) -> &[(usize, Change<ProtectedValue>)] {
        &self.changes
    }

    /// What happens to the unknown columns.
    pub(crate) fn custom(&self) -> Option<&CustomChange> {
        self.custom.as_ref()
    }

    /// About how many bytes its values take when they are stored.
    pub fn size(&self) -> usize {
        let value = |change: &Change<ProtectedValue>| match change {
            Change::Set(value) => value.size(),
            Change::Unset => 0,
        };
        let fields: usize = self.changes.iter().map(|(_, change)| value(change)).sum();
        fields + self.custom.as_ref().map_or(0, |custom| custom.size())
    }

    /// Takes out what a meter's row says about its customer.
    pub(crate) fn take_customer(&mut self) -> Option<ProtectedRecord> {
        self.customer.take().map(|customer| *customer)
    }

    /// Of an event, or of several about one customer: which of them says what.
    pub(crate) fn said(&self) -> Option<&Said> {
        self.said.as_ref()
    }

    /// Whether no other row of its file is about the record, as far as anybody has looked.
    pub(crate) fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Notes that another row of the file is about the record as well.
    pub(crate) fn is_not_alone(&mut self) {
        self.is_alone = false;
    }

    /// Adds what another event says about the same customer: the newer event's fields win.
    pub(crate) fn join_event(&mut self, other: ProtectedRecord) {
        let (Some(mine), Some(theirs)) = (&mut self.said, &other.said) else {
            return;
        };
        let is_news = |name: &str| mine.of_field(name) < theirs.of_field(name);
        for (index, change) in other.changes {
            let field = self.dataset.field(index);
            match self.changes.iter_mut().find(|(known, _)| *known == index) {
                Some((_, known)) if field.is_some_and(|field| is_news(&field.name)) => {
                    *known = change;
                }
                Some(_) => {}
                None => self.changes.push((index, change)),
            }
        }
        if is_news(CUSTOM) {
            self.custom = other.custom;
        }
        mine.join(theirs);
    }

    /// Adds what a later row says about the same record: its fields win.
    pub(crate) fn overlay(&mut self, later: ProtectedRecord) {
        for (index, change) in later.changes {
            match self.changes.iter_mut().find(|(known, _)| *known == index) {
                Some((_, known)) => *known = change,
                None => self.changes.push((index, change)),
            }
        }
    }
}

impl fmt::Debug for ProtectedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProtectedRecord({:?})", self.id)
    }
}

impl fmt::Debug for ProtectedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Protected::Clear(_) => "Clear(…)",
            Protected::Pseudonym(_) => "Pseudonym(…)",
            Protected::Sealed(_) => "Sealed(…)",
            Protected::List(_) => "List(…)",
        })
    }
}

/// Protects the records of one organisation.
pub struct Protector {
    keys: Arc<OrganizationKeys>,
    pseudonyms: PseudonymMode,
}

impl Protector {
    /// A protector with an organisation's keys and its way of pseudonymising.
    pub fn new(keys: Arc<OrganizationKeys>, pseudonyms: PseudonymMode) -> Self {
        Self { keys, pseudonyms }
    }

    /// The organisation's keys.
    pub fn keys(&self) -> &Arc<OrganizationKeys> {
        &self.keys
    }

    /// How values are pseudonymised.
    pub(super) fn pseudonyms(&self) -> &PseudonymMode {
        &self.pseudonyms
    }

    /// Protects a record: every value as its field says.
    pub fn protect(&self, record: Record) -> Result<ProtectedRecord, CipherError> {
        let uid = record.id.to_string();
        let said = record.moment.map(|moment| Self::said(moment, &record));
        let mut changes = Vec::with_capacity(record.changes.len());
        for (index, change) in record.changes {
            let Some(field) = record.dataset.field(index) else {
                continue;
            };
            let protected = match change {
                Change::Set(value) => {
                    let protected = self.protect_value(&uid, &field.name, field, value)?;
                    Change::Set(ProtectedValue(protected))
                }
                Change::Unset => Change::Unset,
            };
            changes.push((index, protected));
        }
        let customer = match record.customer {
            Some(customer) => Some(Box::new(self.protect(*customer)?)),
            None => None,
        };
        let mut custom = record.custom;
        if said.is_some() {
            // An event's unknown members stand for themselves: there is nothing to take them from.
            custom.retain(|(_, change)| matches!(change, Change::Set(_)));
        }
        Ok(ProtectedRecord {
            custom: self.protect_custom(&uid, custom)?,
            dataset: record.dataset,
            id: record.id,
            changes,
            customer,
            said,
            is_alone: true,
        })
    }

    /// What an event says, and when.
    fn said(moment: Moment, record: &Record) -> Said {
        let mut said = Said::at(moment);
        for (index, change) in &record.changes {
            let Some(field) = record.dataset.field(*index) else {
                continue;
            };
            match (&field.changed_at, change) {
                (None, Change::Set(value)) => said.speak(&field.name, Some(&value.to_json())),
                (None, Change::Unset) => said.speak(&field.name, None),
                (Some(_), Change::Set(Value::Boolean(true))) => {
                    said.answer(&field.name, Answer::Given);
                }
                (Some(_), Change::Set(_)) => said.answer(&field.name, Answer::Withdrawn),
                (Some(_), Change::Unset) => said.answer(&field.name, Answer::Unknown),
            }
        }
        if !record.custom.is_empty() {
            let column = |(name, change): &(Arc<str>, Change<serde_json::Value>)| match change {
                Change::Set(value) => Some((name.to_string(), value.clone())),
                Change::Unset => None,
            };
            let columns: serde_json::Map<_, _> = record.custom.iter().filter_map(column).collect();
            let columns = (!columns.is_empty()).then(|| columns.into());
            said.speak(CUSTOM, columns.as_ref());
        }
        said
    }

    fn protect_value(
        &self,
        uid: &str,
        path: &str,
        field: &Field,
        value: Value,
    ) -> Result<Protected, CipherError> {
        Ok(match (field.protection, value) {
            (_, Value::List(elements)) => {
                Protected::List(self.protect_elements(uid, path, field, elements)?)
            }
            (Protection::None, value) => Protected::Clear(value),
            (Protection::Pseudonym, Value::Text(text)) => {
                Protected::Pseudonym(self.pseudonyms.pseudonym(&text, &field.passthrough_hex))
            }
            (Protection::Pseudonym, other) => {
                let text = other.to_json().to_string();
                Protected::Pseudonym(self.pseudonyms.pseudonym(&text, &field.passthrough_hex))
            }
            (Protection::Blur, Value::Decimal(exact)) => {
                Protected::Clear(Value::Decimal(blur(exact)))
            }
            // Nothing but a number can be blurred, so anything else is encrypted.
            (Protection::Blur | Protection::Encrypt, value) => {
                let place = Place { uid, field: path };
                let plaintext = zeroize::Zeroizing::new(value.to_json().to_string());
                let bytes = plaintext.as_bytes();
                Protected::Sealed(self.keys.seal(place, bytes, bytes)?)
            }
        })
    }

    /// Protects a list's elements. Each value's place is told by the list, its place in it and the
    /// field: `addresses/0/line1`.
    fn protect_elements(
        &self,
        uid: &str,
        path: &str,
        list: &Field,
        elements: Vec<Element>,
    ) -> Result<Vec<BTreeMap<String, Protected>>, CipherError> {
        let mut protected = Vec::with_capacity(elements.len());
        for (index, mut element) in elements.into_iter().enumerate() {
            let mut values = BTreeMap::new();
            for field in &list.fields {
                if let Some(value) = element.remove(&field.name) {
                    let path = format!("{path}/{index}/{}", field.name);
                    let value = self.protect_value(uid, &path, field, value)?;
                    values.insert(field.name.clone(), value);
                }
            }
            protected.push(values);
        }
        Ok(protected)
    }
}
