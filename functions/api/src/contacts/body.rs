//! What a request to make contacts carries: one of them, or a list under `customers`.

use clientele::{
    decode::json_members,
    record::Malformed,
    web::{Call, enveloped_len},
};
use serde_json::{Value, json, value::RawValue};

use super::detail::Detail;

/// The most contacts of one request.
const MAX_CONTACTS: usize = 100;
/// The most bytes of a request for several, as Lambda would carry it back: the reply says all of
/// it again, and is to fit in 6 MB whatever comes with it.
const MAX_ENVELOPED_BYTES: usize = 3_000_000;
/// What a list of contacts is called.
const CUSTOMERS: &str = "customers";

/// The contacts of a request, as they are written.
pub(super) struct Contacts<'b> {
    pub(super) texts: Vec<&'b str>,
    /// Where each is, in the words of this interface.
    pub(super) is_list: bool,
    /// The list, or the one contact.
    pub(super) text: &'b str,
}

impl<'b> Contacts<'b> {
    /// Reads a body that is a contact.
    pub(super) fn one(call: &Call<'b>) -> Result<Self, Detail> {
        let text = document(call.body)?;
        Ok(Self {
            texts: vec![text],
            is_list: false,
            text,
        })
    }

    /// Reads a body with a list of contacts.
    pub(super) fn many(call: &Call<'b>) -> Result<Self, Detail> {
        let text = document(call.body)?;
        let members = json_members(text).map_err(|malformed| match malformed {
            Malformed::NotAnObject => Detail::not_an_object(&body()),
            Malformed::DuplicateKey => Detail::value_error(&body(), "a key is named twice"),
            _ => Detail::lone_surrogate(&body()),
        })?;
        let mut members = members.into_iter();
        let list = members.find_map(|(name, value)| (name == CUSTOMERS).then_some(value));
        let list = list.ok_or_else(|| Detail::missing(&customers()))?;
        if !list.get().starts_with('[') {
            let msg = "Input should be a valid list";
            return Err(Detail::new(&customers(), "list_type", msg));
        }
        let texts: Vec<&RawValue> = serde_json::from_str(list.get())
            .map_err(|_| Detail::new(&customers(), "json_invalid", "JSON decode error"))?;
        if texts.len() > MAX_CONTACTS {
            let found = texts.len();
            let msg = format!(
                "List should have at most {MAX_CONTACTS} items after validation, not {found}"
            );
            return Err(Detail::new(&customers(), "too_long", msg));
        }
        if enveloped_len(list.get()) > MAX_ENVELOPED_BYTES {
            let msg = "the list is too large for one request; send fewer contacts in each";
            return Err(Detail::value_error(&customers(), msg));
        }
        Ok(Self {
            texts: texts.into_iter().map(RawValue::get).collect(),
            is_list: true,
            text: list.get(),
        })
    }

    /// Where all the contacts are.
    pub(super) fn place(&self) -> Vec<Value> {
        match self.is_list {
            true => customers(),
            false => body(),
        }
    }

    /// Where a contact is, by its 0-based place.
    pub(super) fn place_of(&self, index: usize) -> Vec<Value> {
        let mut place = self.place();
        if self.is_list {
            place.push(index.into());
        }
        place
    }
}

fn body() -> Vec<Value> {
    vec![json!("body")]
}

fn customers() -> Vec<Value> {
    vec![json!("body"), json!(CUSTOMERS)]
}

/// The body as sound JSON.
fn document(bytes: &[u8]) -> Result<&str, Detail> {
    let broken_at = |characters: usize| {
        let loc = [json!("body"), json!(characters)];
        Detail::new(&loc, "json_invalid", "JSON decode error")
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (sound, _) = bytes
            .split_at_checked(error.valid_up_to())
            .unwrap_or_default();
        broken_at(String::from_utf8_lossy(sound).chars().count())
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Detail::missing(&body()));
    }
    match serde_json::from_str::<&RawValue>(text) {
        Ok(document) => Ok(document.get()),
        Err(error) => Err(broken_at(characters_before(text, &error))),
    }
}

/// How many characters of a text are read before it is found broken.
fn characters_before(text: &str, error: &serde_json::Error) -> usize {
    if error.is_eof() {
        return text.chars().count();
    }
    let lines = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1));
    let before: usize = lines.map(str::len).sum();
    let end = before + error.column().saturating_sub(1);
    text.char_indices().take_while(|(at, _)| *at < end).count()
}
