//! The spaces of French that do not break a line: files of words are written with plain ones.

/// Before a colon and within « ».
const NO_BREAK: char = '\u{a0}';
/// Before `;`, `?` and `!`, and between groups of three digits.
const NARROW: char = '\u{202f}';

/// A French text, or a file of them in Fluent's syntax, with the spaces that belong to a mark.
///
/// A mark that begins a word, as in `?dry_run=true`, keeps its plain space.
pub(crate) fn french(text: &str) -> String {
    let mut set = String::with_capacity(text.len());
    let mut letters = text.chars();
    let mut before = '\n';
    while let Some(letter) = letters.next() {
        set.push(match letter {
            ' ' => space(before, letters.as_str()),
            letter => letter,
        });
        before = letter;
    }
    set
}

fn space(before: char, after: &str) -> char {
    let mut next = after.chars();
    let mark = next.next();
    let ends_a_word = next.next().is_none_or(|letter| !letter.is_alphanumeric());
    match mark {
        Some('»') => NO_BREAK,
        _ if before == '«' => NO_BREAK,
        Some(':') if ends_a_word => NO_BREAK,
        Some(';' | '?' | '!') if ends_a_word => NARROW,
        _ if before.is_ascii_digit() && begins_with_three_digits(after) => NARROW,
        _ => ' ',
    }
}

fn begins_with_three_digits(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.count() == 3
}

#[cfg(test)]
mod tests {
    use clientele::{
        dataset::{Dataset, Field},
        language::Language,
    };

    use super::french;
    use crate::{errors::catalog, site::words};

    #[test]
    fn marks_keep_their_spaces() {
        let table = [
            ("Sont aussi lus :", "Sont aussi lus\u{a0}:"),
            ("Révoquer ? Oui !", "Révoquer\u{202f}? Oui\u{202f}!"),
            (
                "la source « { $source } »",
                "la source «\u{a0}{ $source }\u{a0}»",
            ),
            ("de 1 à 10 000 lignes", "de 1 à 10\u{202f}000 lignes"),
            ("1 000 000", "1\u{202f}000\u{202f}000"),
            ("RFC 9457 et 35 jours", "RFC 9457 et 35 jours"),
            (
                "enregistre. ?dry_run=true dit",
                "enregistre. ?dry_run=true dit",
            ),
            ("Authorization: Bearer …", "Authorization: Bearer …"),
            ("*[other] Non", "*[other] Non"),
        ];
        for (written, set) in table {
            assert_eq!(french(written), set);
        }
    }

    /// A plain space where a line must not break.
    fn breaks(text: &str) -> bool {
        let padded = format!("{text} ");
        let marks = [" : ", " ; ", " ? ", " ! ", " :\n", " ?\n", "« ", " »"];
        marks.iter().any(|mark| padded.contains(mark)) || padded.contains("0 000")
    }

    fn descriptions(fields: &[Field]) -> Vec<String> {
        let of = |field: &Field| {
            let text = words::typeset(Language::French, &field.description);
            [vec![text], descriptions(&field.fields)].concat()
        };
        fields.iter().flat_map(of).collect()
    }

    #[test]
    fn no_line_of_french_breaks_before_a_mark() {
        let mut read = words::french_texts();
        for entry in catalog().values() {
            let words = entry.words(Language::French);
            read.extend([&words.title, &words.remedy, &words.what].map(Clone::clone));
        }
        for dataset in Dataset::all_builtin() {
            read.push(words::typeset(Language::French, dataset.description()));
            read.extend(descriptions(dataset.fields()));
        }
        assert!(read.iter().any(|text| text.contains('\u{202f}')));
        for text in read {
            assert!(!breaks(&text), "{text}");
        }
    }
}
