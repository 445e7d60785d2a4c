//! What the texts of a field look like, as a regular expression.

use std::{fmt, sync::OnceLock};

use regex_automata::{
    meta::{Config, Regex},
    util::syntax,
};
use serde::Deserialize;
use thiserror::Error;

/// The longest pattern, in bytes.
pub(super) const MAX_PATTERN_BYTES: usize = 1_000;
/// The largest automaton of a pattern, in bytes: enough for 100 letters of any script, and a bound
/// on the time of a match, which is linear in this and in the text's length.
pub(super) const MAX_AUTOMATON_BYTES: usize = 8 * 1024 * 1024;
/// What a search may cache, in bytes.
const MAX_CACHE_BYTES: usize = 1024 * 1024;

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PatternError {
    /// It is long.
    #[error("it is longer than {MAX_PATTERN_BYTES} bytes")]
    TooLong,
    /// It does not parse.
    #[error("it is not a regular expression: {0}")]
    Syntax(String),
    /// It takes too much memory.
    #[error("it is too large; use smaller repetitions")]
    TooLarge,
}

/// A regular expression that a whole text must match, in the syntax of the `regex` crate: without
/// look-around and back-references, so that no pattern takes exponential time.
///
/// It is compiled when the first text is looked at, since most readers of a dataset look at none.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern {
    pattern: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(pattern: &str) -> Result<Self, PatternError> {
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong);
        }
        // By itself: a stray `)` must not close the group that is put around it.
        syntax::parse(pattern).map_err(|error| syntax_error(&error))?;
        Ok(Self {
            compiled: OnceLock::from(Some(compile(&whole(pattern))?)),
            pattern: pattern.to_owned(),
        })
    }

    /// A pattern that [`parse`](Self::parse) has found right.
    pub(super) fn parsed_before(pattern: &str) -> Self {
        Self {
            pattern: pattern.to_owned(),
            compiled: OnceLock::new(),
        }
    }

    /// The regular expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.compiled().is_some_and(|regex| regex.is_match(text))
    }

    /// The bytes of memory that it takes.
    pub fn size(&self) -> usize {
        self.compiled().map_or(0, Regex::memory_usage)
    }

    fn compiled(&self) -> Option<&Regex> {
        let compiled = self
            .compiled
            .get_or_init(|| compile(&whole(&self.pattern)).ok());
        compiled.as_ref()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.pattern)
    }
}

fn whole(pattern: &str) -> String {
    format!(r"\A(?:{pattern})\z")
}

fn compile(pattern: &str) -> Result<Regex, PatternError> {
    let limits = Config::new()
        .nfa_size_limit(Some(MAX_AUTOMATON_BYTES))
        .hybrid_cache_capacity(MAX_CACHE_BYTES);
    let compiled = Regex::builder().configure(limits).build(pattern);
    compiled.map_err(|error| match error.syntax_error() {
        Some(error) => syntax_error(error),
        None => PatternError::TooLarge,
    })
}

/// The last line says what is wrong, the others draw the place.
fn syntax_error(error: &impl fmt::Display) -> PatternError {
    let message = error.to_string();
    let last = message.lines().last().unwrap_or_default();
    let reason = last.strip_prefix("error: ").unwrap_or(last);
    PatternError::Syntax(reason.to_owned())
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(pattern: String) -> Result<Self, PatternError> {
        Self::parse(&pattern)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_must_match() {
        let table = [
            ("[0-9]{3}", "123", true),
            ("[0-9]{3}", "1234", false),
            ("[0-9]{3}", "a123", false),
            ("[0-9]{3}", "123\n", false),
            ("a|ab", "ab", true),
            ("a|b", "ax", false),
            ("", "", true),
            ("(?i)abc", "ABC", true),
            (r"\p{L}+", "Éloïse", true),
            ("(?m)^a$", "b\na", false),
        ];
        for (pattern, text, expected) in table {
            let found = Pattern::parse(pattern).unwrap().matches(text);
            assert_eq!(found, expected, "{pattern} {text:?}");
        }
    }

    #[test]
    fn usual_patterns_compile() {
        let table = [
            r"\w{1,50}",
            r"\+?\d{7,15}",
            r"[\w.%+-]+@[\w.-]+\.[A-Za-z]{2,}",
            r"^[A-Z]{2}-\d{4,10}$",
            r"[\p{L} '-]{1,100}",
            ".{1,255}",
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        ];
        for pattern in table {
            assert!(Pattern::parse(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_the_reason() {
        let long = "a".repeat(MAX_PATTERN_BYTES + 1);
        let table = [
            ("a)|(b", "unopened group"),
            ("(a", "unclosed group"),
            ("[a", "unclosed character class"),
            ("(?x)a # comment", "unclosed group"),
            (r"(a)\1", "backreferences are not supported"),
            ("(?=a)", "look-around"),
            ("(a{1000}){1000}", "too large"),
            (long.as_str(), "longer than 1000 bytes"),
        ];
        for (pattern, expected) in table {
            let reason = Pattern::parse(pattern).unwrap_err().to_string();
            assert!(reason.contains(expected), "{pattern}: {reason}");
            assert!(!reason.contains('\n'), "{reason}");
        }
    }

    #[test]
    fn no_pattern_takes_exponential_time() {
        let text = format!("{}!", "a".repeat(crate::record::MAX_TEXT_CHARS));
        for pattern in [
            "(a+)+",
            "(a|a)*",
            "(a|aa)+",
            "(.*)*x",
            "(?:){1000}{1000}{1000}",
        ] {
            assert!(!Pattern::parse(pattern).unwrap().matches(&text));
        }
    }
}
