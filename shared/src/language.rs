//! The two languages that people are answered in.

use serde::Deserialize;

/// A language of messages and documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English, the default.
    #[default]
    English,
    /// French.
    French,
}

impl Language {
    /// The language that an `Accept-Language` header (RFC 9110, 12.5.4) prefers.
    pub fn negotiate(accept_language: &str) -> Self {
        let mut best = (0.0, Self::English);
        for range in accept_language.split(',') {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let quality = parameters
                .trim()
                .strip_prefix("q=")
                .map_or(Some(1.0), |q| q.trim().parse::<f32>().ok())
                .unwrap_or(0.0);
            let primary = tag.trim().split('-').next().unwrap_or_default();
            let language = match primary.to_ascii_lowercase().as_str() {
                "en" | "*" => Self::English,
                "fr" => Self::French,
                _ => continue,
            };
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }
}

/// A text in both languages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    en: String,
    fr: String,
}

impl Text {
    /// A text in English and French.
    pub fn new(en: &str, fr: &str) -> Self {
        Self {
            en: en.to_owned(),
            fr: fr.to_owned(),
        }
    }

    /// A text that is the same in both languages, such as a name.
    pub fn same(text: &str) -> Self {
        Self::new(text, text)
    }

    /// The text in one language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::French => &self.fr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_of_our_languages_is_chosen() {
        let table = [
            ("", Language::English),
            ("fr", Language::French),
            ("fr-CA, en;q=0.8", Language::French),
            ("en, fr;q=0.8", Language::English),
            ("de, fr;q=0.5, en;q=0.4", Language::French),
            ("de", Language::English),
            ("fr;q=0, en", Language::English),
            ("fr;q=x", Language::English),
        ];
        for (header, expected) in table {
            assert_eq!(Language::negotiate(header), expected, "{header:?}");
        }
    }
}
