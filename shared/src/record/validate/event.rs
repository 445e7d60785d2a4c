//! Takes an event out of its envelope and checks what it says.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Record, Refused, RowErrors, UnknownColumns, Validator, list::ListReader};
use crate::{
    dataset::{EventFormat, Field, FieldType, Identity, SchemaProblem, Target, meant_by},
    event::Moment,
    identity::RecordId,
    record::{Change, RawRecord, RawValue, RowError, RowErrorCode, Value, read::read},
};

/// The longest name of an unknown member that an error repeats, in bytes.
const MAX_TOLD_NAME: usize = 64;
/// The most that is said about one event.
const MAX_ERRORS: usize = 100;

const BODY: &str = "body";
const ACTION: &str = "eventAction";
const VERSION: &str = "version";

/// A member that the dataset does not know.
pub(super) struct Unknown<'m> {
    /// The list and the place in it, of a member of an element.
    pub(super) element: Option<(&'m Field, usize)>,
    pub(super) name: &'m str,
}

impl Unknown<'_> {
    /// Where it is, for an error. A name that is not one that programmers give may be anything,
    /// personal data as well: it is left out.
    fn told_at(&self) -> String {
        let parent = match &self.element {
            Some((list, index)) => format!("/body/{}/{index}", list.name),
            None => "/body".to_owned(),
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let is_name = self
            .name
            .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && self.name.len() <= MAX_TOLD_NAME
            && self.name.chars().all(is_plain);
        match is_name {
            true => pointer(&parent, self.name),
            false => parent,
        }
    }
}

type Changes = Vec<(usize, Change<Value>)>;
type Columns = Vec<(Arc<str>, Change<Json>)>;

impl Validator {
    pub(super) fn check_event(
        &mut self,
        raw: &RawRecord,
        mut errors: RowErrors,
    ) -> Result<Record, Vec<RowError>> {
        let dataset = Arc::clone(&self.dataset);
        let event = event_of(raw);
        let problems = dataset.event_schema().map(|schema| schema.problems(&event));
        for SchemaProblem { path, code, hint } in problems.into_iter().flatten() {
            errors.add(Some(&path), Refused { code, hint });
        }
        let (Some(format), true) = (dataset.event(), errors.errors.is_empty()) else {
            return Err(errors.errors);
        };
        let Some(Json::Object(body)) = event.get(BODY) else {
            errors.add(Some("/body"), RowErrorCode::TypeObject);
            return Err(errors.errors);
        };
        let (changes, custom) = self.read_body(body, &mut errors);
        let id = self.identify_in_event(&changes, &mut errors);
        let moment = self.moment(format, &event, &changes);
        match (id, moment) {
            (Some(id), Some(moment)) if errors.errors.is_empty() => Ok(Record {
                dataset,
                id,
                changes,
                custom,
                customer: None,
                moment: Some(moment),
            }),
            _ => {
                errors.errors.truncate(MAX_ERRORS);
                Err(errors.errors)
            }
        }
    }

    /// Whom an event is about. What is wrong with that is told where it is in the event.
    fn identify_in_event(
        &self,
        changes: &[(usize, Change<Value>)],
        errors: &mut RowErrors,
    ) -> Option<RecordId> {
        let before = errors.errors.len();
        let id = self.identify(changes, errors);
        for error in errors.errors.iter_mut().skip(before) {
            let name = error.column.take().unwrap_or_default();
            error.column = Some(pointer("/body", &name));
        }
        id
    }

    /// Whom an event is about, as far as that can be read.
    pub(super) fn id_in_event(&self, raw: &RawRecord) -> Option<RecordId> {
        let index = self.dataset.identity_field(Identity::ExternalId)?;
        let field = self.dataset.field(index)?;
        let event = event_of(raw);
        let json = event.get(BODY)?.get(&field.name)?;
        let change = read(field, &RawValue::from(json.clone()), self.this_year).ok()??;
        let mut errors = RowErrors {
            row: raw.row,
            line: raw.line,
            errors: Vec::new(),
        };
        self.identify(&[(index, change)], &mut errors)
    }

    fn read_body(&self, body: &Map<String, Json>, errors: &mut RowErrors) -> (Changes, Columns) {
        let mut changes = Changes::new();
        let mut custom = Columns::new();
        for (name, json) in body {
            let index = self.dataset.index_of(name);
            let Some((index, field)) = index.zip(index.and_then(|i| self.dataset.field(i))) else {
                let element = None;
                if self.keeps(&Unknown { element, name }, errors) {
                    let change = match json.is_null() {
                        true => Change::Unset,
                        false => Change::Set(json.clone()),
                    };
                    custom.push((name.as_str().into(), change));
                }
                continue;
            };
            if !field.autogenerated {
                let change = self.read_member(field, body, json, errors);
                changes.extend(change.map(|change| (index, change)));
            }
        }
        (changes, custom)
    }

    fn read_member(
        &self,
        field: &Field,
        body: &Map<String, Json>,
        json: &Json,
        errors: &mut RowErrors,
    ) -> Option<Change<Value>> {
        let at = pointer("/body", &field.name);
        if field.r#type == FieldType::List {
            let mut reader = ListReader {
                validator: self,
                parent: body,
                errors,
            };
            return reader.read(field, &at, json);
        }
        match read(field, &RawValue::from(json.clone()), self.this_year) {
            // Blanks that the schema takes for more than that.
            Ok(None) if field.required => {
                errors.add(Some(&at), RowErrorCode::Required);
                None
            }
            Ok(change) => change,
            Err(refused) => {
                errors.add(Some(&at), refused);
                None
            }
        }
    }

    /// Whether a member that the dataset does not know is kept.
    pub(super) fn keeps(&self, member: &Unknown<'_>, errors: &mut RowErrors) -> bool {
        if let Some(meant) = self.meant_by(member) {
            let (code, hint) = (RowErrorCode::NearMiss, Some(meant.to_owned()));
            errors.add(Some(&member.told_at()), Refused { code, hint });
            return false;
        }
        if self.unknown_columns == UnknownColumns::Reject {
            errors.add(Some(&member.told_at()), RowErrorCode::UnknownColumn);
        }
        self.unknown_columns == UnknownColumns::Keep
    }

    /// The field that an unknown member was probably meant for. In the body, what belongs into a
    /// list is as personal as there.
    fn meant_by<'m>(&'m self, member: &Unknown<'m>) -> Option<&'m str> {
        if let Some((list, _)) = &member.element {
            return meant_by(&list.fields, member.name);
        }
        let of_body = match self.mapping.target_once(member.name) {
            Target::Field(index) => self.dataset.field(index)?.header(0),
            Target::NearMiss { field, header } => self.dataset.field(field)?.header(header),
            _ => None,
        };
        let lists = self.dataset.fields().iter();
        let protected = lists.flat_map(|list| &list.fields);
        let protected = protected.filter(|field| field.is_personal());
        let in_lists =
            protected.filter_map(|field| meant_by(std::slice::from_ref(field), member.name));
        of_body.or(in_lists.into_iter().next())
    }

    /// When the event happened.
    fn moment(
        &self,
        format: &EventFormat,
        event: &Json,
        changes: &[(usize, Change<Value>)],
    ) -> Option<Moment> {
        let ordered_by = self.dataset.index_of(&format.ordered_by)?;
        let change = changes.iter().find(|(index, _)| *index == ordered_by);
        let Some((_, Change::Set(Value::DateTime(at)))) = change else {
            return None;
        };
        let action = event.get(ACTION).and_then(Json::as_str)?;
        let place = format.actions.iter().position(|known| known == action)?;
        Some(Moment::new(*at, u8::try_from(place).ok()?))
    }
}

/// The event that a row holds. In a table, the body is JSON in a cell.
fn event_of(raw: &RawRecord) -> Json {
    let member = |(name, value): &(Arc<str>, RawValue)| {
        let json = match (name.as_ref(), value) {
            (BODY | VERSION, RawValue::Cell(text)) => serde_json::from_str(text).ok(),
            _ => None,
        };
        let json = json.unwrap_or_else(|| value.clone().into_json());
        (name.to_string(), json)
    };
    raw.values.iter().map(member).collect()
}

/// A member's place (RFC 6901).
pub(super) fn pointer(parent: &str, member: &str) -> String {
    let member = member.replace('~', "~0").replace('/', "~1");
    format!("{parent}/{member}")
}
