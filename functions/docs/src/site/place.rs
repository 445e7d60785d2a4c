//! Where a visitor is: a page's path, and the language before it.

use clientele::language::Language;

/// A page, as its address names it.
///
/// `/fr/docs/meters` is in French; `/docs/meters` in the language that the browser prefers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The language that the page is in.
    pub(crate) language: Language,
    /// The path without its language, which begins with a slash and does not end with one.
    pub(crate) path: String,
    /// What follows the path's question mark; empty for nothing.
    pub(crate) query: String,
    /// Whether the address says the language.
    is_explicit: bool,
}

impl Place {
    /// Reads a path and an `Accept-Language` header.
    pub(crate) fn of(path: &str, accept_language: &str) -> Self {
        let path = path.trim_matches('/');
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        let explicit = match first {
            "en" => Some(Language::English),
            "fr" => Some(Language::French),
            _ => None,
        };
        let language = explicit.unwrap_or_else(|| Language::negotiate(accept_language));
        let path = if explicit.is_some() { rest } else { path };
        Self {
            language,
            path: format!("/{path}"),
            query: String::new(),
            is_explicit: explicit.is_some(),
        }
    }

    /// The language's tag (RFC 5646).
    pub(crate) fn lang(&self) -> &'static str {
        tag(self.language)
    }

    /// The address of another page: in the same language if this one's says its.
    pub(crate) fn link(&self, path: &str) -> String {
        match self.is_explicit {
            true => format!("/{}{path}", self.lang()),
            false => path.to_owned(),
        }
    }

    /// The address of this page in a language.
    pub(crate) fn in_language(&self, language: Language) -> String {
        format!("/{}{}", tag(language), self.here())
    }

    /// The path without its language, with its query.
    pub(crate) fn here(&self) -> String {
        match self.query.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, self.query),
        }
    }
}

fn tag(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::French => "fr",
    }
}
