//! What other refusals are called where a row is refused for them.

use crate::{
    identity::IdentityError,
    record::{Malformed, RowErrorCode, read::Refused},
};

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
