//! One value of a customer, as a page shows it.

use clientele::dataset::{Field, FieldType, Protection};
use serde_json::Value;

/// Characters of a pseudonym that are enough to tell it from others.
const PSEUDONYM_CHARS: usize = 8;

/// How a value is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// There is none.
    Nothing,
    /// As it is.
    Text(String),
    /// A ciphertext.
    Encrypted(String),
    /// A hash in the place of the value: its first characters, and the whole.
    Pseudonym { short: String, whole: String },
    /// A list or an object.
    Json(String),
}

impl Cell {
    /// A field's value; `revealed` if encrypted ones are in clear. `encrypted` is what stands in the
    /// place of a ciphertext within a list.
    pub(super) fn of(
        field: &Field,
        value: Option<&Value>,
        revealed: bool,
        encrypted: &str,
    ) -> Self {
        let is_json = matches!(field.r#type, FieldType::Json | FieldType::List);
        match (value, field.protection) {
            (None | Some(Value::Null), _) => Self::Nothing,
            (Some(Value::String(text)), Protection::Encrypt) if !revealed && !is_json => {
                Self::Encrypted(text.clone())
            }
            (Some(Value::String(text)), Protection::Pseudonym) => Self::pseudonym(text),
            (Some(Value::String(text)), _) => Self::Text(text.clone()),
            (Some(nested @ (Value::Array(_) | Value::Object(_))), _) => {
                let nested = match revealed {
                    true => nested.clone(),
                    false => veiled(field, nested, encrypted),
                };
                Self::Json(format!("{nested:#}"))
            }
            (Some(plain), _) => Self::Text(plain.to_string()),
        }
    }

    fn pseudonym(whole: &str) -> Self {
        // A keyed one says its mode and key first.
        let hash = whole.rsplit(':').next().unwrap_or(whole);
        let short: String = hash.chars().take(PSEUDONYM_CHARS).collect();
        Self::Pseudonym {
            short: format!("{short}…"),
            whole: whole.to_owned(),
        }
    }

    /// The same for a narrow column: JSON on one line, texts cut after some characters.
    pub(super) fn narrow(self, most_chars: usize) -> Self {
        match self {
            Self::Text(text) => Self::Text(shortened(&text, most_chars)),
            Self::Json(json) => {
                let words: Vec<&str> = json.split_whitespace().collect();
                Self::Text(shortened(&words.join(" "), most_chars))
            }
            Self::Encrypted(_) => Self::Encrypted(String::new()),
            other => other,
        }
    }

    /// Bytes that it takes in a page, roughly.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Text(text) | Self::Encrypted(text) | Self::Json(text) => weight(text),
            Self::Pseudonym { short, whole } => short.len() + whole.len(),
        }
    }
}

/// A list without its ciphertexts, which nobody can read.
fn veiled(field: &Field, value: &Value, encrypted: &str) -> Value {
    match value {
        Value::Array(items) => {
            let items = items.iter();
            items.map(|item| veiled(field, item, encrypted)).collect()
        }
        Value::Object(members) => {
            let veil = |(name, value): (&String, &Value)| {
                let inner = field.fields.iter().find(|inner| inner.name == *name);
                let value = match inner {
                    Some(inner) if inner.protection == Protection::Encrypt && value.is_string() => {
                        encrypted.into()
                    }
                    Some(inner) => veiled(inner, value, encrypted),
                    None => value.clone(),
                };
                (name.clone(), value)
            };
            members.iter().map(veil).collect()
        }
        plain => plain.clone(),
    }
}

/// A text of at most so many characters.
pub(super) fn shortened(text: &str, most_chars: usize) -> String {
    match text.char_indices().nth(most_chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Bytes that a text takes in a page and Lambda's envelope around it: some characters are
/// entities of HTML, others escapes of JSON.
pub(super) fn weight(text: &str) -> usize {
    let of_char = |c: char| match c {
        '"' | '\'' | '&' | '<' | '>' | '\\' => "&#34;".len(),
        c if c.is_ascii_control() => "\\u0000".len(),
        c => c.len_utf8(),
    };
    text.chars().map(of_char).sum()
}
