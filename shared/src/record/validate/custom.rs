//! Columns that a dataset does not know.

use std::sync::Arc;

use crate::record::{Change, RawValue};

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

/// Moves the values of unknown columns out of a row.
pub(super) fn take_custom(
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
