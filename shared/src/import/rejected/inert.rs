//! Keeps spreadsheets from running a cell of a csv as a formula, reversibly.
//!
//! A cell that a spreadsheet would run gets a leading `'`, which makes it text
//! (<https://owasp.org/www-community/attacks/CSV_Injection>). Signed numbers and phone numbers run
//! nothing and stay as they are. [`unmark`] takes back exactly what [`mark`] did.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::MASK;

/// What marks a cell as text.
const MARK: char = '\'';

/// A cell's text that no spreadsheet runs.
pub(super) fn mark(text: &str) -> Cow<'_, str> {
    match needs_mark(text) {
        true => format!("{MARK}{text}").into(),
        false => text.into(),
    }
}

/// The text that [`mark`] was given.
pub(super) fn unmark(text: &str) -> &str {
    match text.strip_prefix(MARK) {
        Some(rest) if needs_mark(rest) => rest,
        _ => text,
    }
}

/// Text that begins like a marked one needs a mark too, or it would lose its own; and text that
/// would pass for a masked value.
fn needs_mark(text: &str) -> bool {
    let text = text.trim_start_matches(MARK);
    text == MASK || runs(text)
}

/// Whether some spreadsheet would take a text for a formula.
fn runs(text: &str) -> bool {
    // Some spreadsheets drop these from a cell's beginning and look at what follows.
    if text.starts_with(['\t', '\r', '\n']) {
        return true;
    }
    let Some(first) = text.trim_start_matches(is_invisible).chars().next() else {
        return false;
    };
    // Full-width and small forms are folded by spreadsheets of East Asia.
    let begins_formula = |c: char| matches!(c, '=' | '+' | '-' | '@');
    std::iter::once(first).nfkc().any(begins_formula) && !is_number(text)
}

fn is_invisible(c: char) -> bool {
    let is_format =
        matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    c.is_whitespace() || c.is_control() || is_format
}

/// Whether a text that begins with a sign is a number, a phone number or a dash.
fn is_number(text: &str) -> bool {
    let Some(unsigned) = text.strip_prefix(['+', '-']) else {
        return false;
    };
    let mantissa = match unsigned.split_once(['E', 'e']) {
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return false;
            }
            mantissa
        }
        None => unsigned,
    };
    let harmless = |c: char| c.is_ascii_digit() || " .,-()\u{a0}\u{202f}".contains(c);
    mantissa.chars().all(harmless)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_runs_is_marked_and_numbers_stay() {
        let table = [
            ("=1+1", true),
            ("@SUM(1+9)", true),
            ("+cmd|' /C calc'!A0", true),
            ("-2+3+cmd|' /C calc'!A0", true),
            ("-1+1", true),
            ("+A1", true),
            ("\t=1", true),
            ("\rx", true),
            ("\nx", true),
            ("  =1+1", true),
            ("\u{feff}=1+1", true),
            ("\u{a0}@x", true),
            ("＝1+1", true),
            ("＋1", true),
            ("－1", true),
            ("＠SUM(A1)", true),
            ("﹦1", true),
            ("'=1+1", true),
            ("''-x", true),
            ("@handle", true),
            (" +256", true),
            ("-1.5E+x", true),
            ("***", true),
            ("'***", true),
            ("", false),
            ("'", false),
            ("'tis", false),
            ("'+256", false),
            ("O'Neill", false),
            ("a=b", false),
            ("-", false),
            ("-12.5", false),
            ("+256712345678", false),
            ("+256 712 345678", false),
            ("+256\u{a0}712", false),
            ("+1-202-555-0100", false),
            ("+1 (202) 555-0100", false),
            ("-2.5E+11", false),
            ("2.5E+11", false),
            ("John", false),
        ];
        for (text, marked) in table {
            assert_eq!(mark(text) != text, marked, "{text:?}");
            assert_eq!(unmark(&mark(text)), text, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn unmarking_gives_back_what_was_marked(text in "['\\t =+@＝-]{0,4}.{0,6}") {
            let marked = mark(&text);
            prop_assert_eq!(unmark(&marked), &text);
            prop_assert!(!runs(&marked));
            prop_assert!(*marked == *text || needs_mark(&text));
        }
    }
}
