//! What protection makes of a single value, for whoever wants to see it.

use serde_json::Value as Json;

use super::{Protector, PseudonymMode, blur::blur};
use crate::{
    dataset::{Field, Protection},
    record::Value,
};

/// What becomes of a value before it is stored.
pub struct Explained {
    /// The value as it is read: trimmed, in NFC, of the field's type.
    pub normalized: Json,
    /// What is done to it: `sha256`, `hmac-sha256`, `given` (it is a hash already), `blur`, `encrypt`
    /// or `none`.
    pub mode: &'static str,
    /// What is stored, as it is shown; nothing of an encrypted value, which differs each time.
    pub result: Option<Json>,
}

impl Protector {
    /// Protects a value of a field, and stores nothing.
    pub fn explain(&self, field: &Field, value: &Value) -> Explained {
        let normalized = value.to_json();
        let (mode, result) = match (field.protection, value) {
            (Protection::None, _) => ("none", Some(normalized.clone())),
            (Protection::Pseudonym, _) => {
                let text = match value {
                    Value::Text(text) => text.clone(),
                    _ => normalized.to_string(),
                };
                let (mode, pseudonym) = self.explain_pseudonym(field, &text);
                (mode, Some(pseudonym.into()))
            }
            (Protection::Blur, Value::Decimal(exact)) => {
                ("blur", Some(Value::Decimal(blur(*exact)).to_json()))
            }
            (Protection::Blur | Protection::Encrypt, _) => ("encrypt", None),
        };
        Explained {
            normalized,
            mode,
            result,
        }
    }

    fn explain_pseudonym(&self, field: &Field, text: &str) -> (&'static str, String) {
        let pseudonym = self.pseudonyms().pseudonym(text, &field.passthrough_hex);
        let pseudonym = pseudonym.to_string();
        let mode = match self.pseudonyms() {
            _ if pseudonym == text => "given",
            PseudonymMode::Sha256 => "sha256",
            PseudonymMode::HmacSha256 { .. } => "hmac-sha256",
        };
        (mode, pseudonym)
    }
}
