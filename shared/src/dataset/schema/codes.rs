//! The codes of countries and currencies, which several fields share.

use std::collections::{BTreeMap, BTreeSet};

use iso_currency::IntoEnumIterator;

use super::{
    super::{Field, Format},
    keywords::{Members, Schema},
};

/// Where a document has the lists of codes.
#[derive(Debug, Clone, Copy)]
pub struct Codes {
    /// The address of what holds them, such as `#/$defs/`.
    pub base: &'static str,
}

/// In the document itself.
pub(super) const IN_DEFINITIONS: Codes = Codes { base: "#/$defs/" };

const COUNTRY: &str = "country";
const ANY_CASE_COUNTRY: &str = "countryInAnyCase";
const CURRENCY: &str = "currency";

impl Codes {
    /// An ISO 3166-1 code in capitals.
    pub(super) fn country(self) -> Schema {
        self.at(COUNTRY)
    }

    /// The same in letters of any case.
    pub(super) fn any_case_country(self) -> Schema {
        self.at(ANY_CASE_COUNTRY)
    }

    /// An ISO 4217 code in letters of any case.
    pub(super) fn currency(self) -> Schema {
        self.at(CURRENCY)
    }

    fn at(self, name: &str) -> Schema {
        Schema::at(format!("{}{name}", self.base))
    }
}

/// The lists by their names.
pub fn lists() -> Members<Schema> {
    Members(vec![
        (COUNTRY.into(), countries()),
        (ANY_CASE_COUNTRY.into(), any_case_countries()),
        (CURRENCY.into(), currencies()),
    ])
}

/// Those of the lists that a schema refers to.
pub(super) fn lists_of(fields: &[Field], is_of_rows: bool) -> Option<Members<Schema>> {
    let mut lists = Vec::new();
    if uses(fields, Format::Country) {
        lists.push(match is_of_rows {
            false => (COUNTRY.into(), countries()),
            true => (ANY_CASE_COUNTRY.into(), any_case_countries()),
        });
    }
    if uses(fields, Format::Currency) {
        lists.push((CURRENCY.into(), currencies()));
    }
    (!lists.is_empty()).then_some(Members(lists))
}

fn uses(fields: &[Field], format: Format) -> bool {
    let mut fields = fields.iter();
    fields.any(|field| field.format == Some(format) || uses(&field.fields, format))
}

fn country_codes() -> BTreeSet<&'static str> {
    let all = celes::Country::get_countries();
    all.iter().map(|country| country.alpha2).collect()
}

fn countries() -> Schema {
    Schema::choice(country_codes()).described("The alpha-2 codes of ISO 3166-1.")
}

fn any_case_countries() -> Schema {
    Schema::text_like(any_case_of(country_codes()))
        .described("An alpha-2 code of ISO 3166-1, in letters of any case.")
        .example("UG")
}

fn currencies() -> Schema {
    Schema::text_like(any_case_of(currency_codes()))
        .described("A code of ISO 4217, in letters of any case.")
        .example("ZMW")
}

fn currency_codes() -> BTreeSet<&'static str> {
    let all = iso_currency::Currency::iter();
    all.map(|currency| currency.code()).collect()
}

/// A pattern for some words, those of one first letter together.
fn any_case_of<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let mut by_first: BTreeMap<char, Vec<String>> = BTreeMap::new();
    for word in words {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            let rest = any_case(letters.as_str());
            by_first.entry(first).or_default().push(rest);
        }
    }
    let groups = by_first
        .into_iter()
        .map(|(first, rests)| format!("{}(?:{})", any_case(&first.to_string()), rests.join("|")));
    format!("^(?:{})$", groups.collect::<Vec<_>>().join("|"))
}

/// A pattern for a word in letters of any case: ECMA-262 has no flag for it inside of one.
pub(super) fn any_case(word: &str) -> String {
    let mut pattern = String::new();
    for letter in word.chars() {
        let (upper, lower) = (letter.to_uppercase(), letter.to_lowercase());
        match upper.clone().eq(lower.clone()) {
            true if letter.is_alphanumeric() => pattern.push(letter),
            true => pattern.extend(['[', letter, ']']),
            false => {
                pattern.push('[');
                pattern.extend(upper.chain(lower));
                pattern.push(']');
            }
        }
    }
    pattern
}
