//! What separates, quotes and escapes a csv's cells, found from its first records.

use super::walk::{Cells, Walk, line_end, walk};
use crate::decode::HEAD_BYTES;

/// The delimiters that are looked for. The first wins where the records do not decide.
const DELIMITERS: [&[u8]; 4] = [b",", b";", b"\t", b"|"];
/// How many records are looked at.
const RECORDS: usize = 200;

/// How a csv is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// What separates cells.
    pub(super) delimiter: &'static [u8],
    /// What a cell with delimiters in it stands between.
    pub(super) quote: u8,
    /// What stands before a quote within quotes, besides another quote.
    pub(super) escape: Option<u8>,
    /// Cells of most records, or 0 where nothing is known.
    pub(super) columns: usize,
    /// Bytes before the header: Excel's line that names the delimiter.
    pub(super) skipped: usize,
}

/// RFC 4180, with any delimiter.
const fn plain(delimiter: &'static [u8]) -> Dialect {
    Dialect {
        delimiter,
        quote: b'"',
        escape: None,
        columns: 0,
        skipped: 0,
    }
}

/// The dialects that are tried where no plain one fits every record: a space after each delimiter,
/// single quotes, quotes escaped with a backslash.
const UNUSUAL: [Dialect; 9] = [
    plain(b", "),
    plain(b"; "),
    quoted(b",", b'\''),
    quoted(b";", b'\''),
    quoted(b"\t", b'\''),
    quoted(b"|", b'\''),
    escaped(b","),
    escaped(b";"),
    escaped(b"\t"),
];

const fn quoted(delimiter: &'static [u8], quote: u8) -> Dialect {
    Dialect {
        quote,
        ..plain(delimiter)
    }
}

const fn escaped(delimiter: &'static [u8]) -> Dialect {
    Dialect {
        escape: Some(b'\\'),
        ..plain(delimiter)
    }
}

impl Dialect {
    /// The dialect of a file that begins with `head`.
    pub(super) fn of(head: &[u8]) -> Self {
        if let Some(named) = named(head) {
            return named;
        }
        let mut best = (plain(DELIMITERS[0]), Fit::default());
        for dialect in DELIMITERS.map(plain) {
            let fit = Fit::of(head, &dialect);
            // A file that reads as RFC 4180 has it is that, whatever else its cells hold.
            if dialect.delimiter == DELIMITERS[0] && fit.is_perfect() {
                best = (dialect, fit);
                break;
            }
            if best.1.records == 0 || fit.is_better_than(best.1) {
                best = (dialect, fit);
            }
        }
        if !best.1.is_perfect() {
            for dialect in UNUSUAL {
                let fit = Fit::of(head, &dialect);
                if fit.is_common() && fit.share_exceeds(best.1) {
                    best = (dialect, fit);
                }
            }
        }
        let (dialect, fit) = best;
        Self {
            columns: fit.columns,
            ..dialect
        }
    }

    /// Whether a reader of RFC 4180 reads it, told the delimiter.
    pub(super) fn is_plain(&self) -> bool {
        self.delimiter.len() == 1 && self.quote == b'"' && self.escape.is_none()
    }

    /// The delimiter, without a space after it.
    pub(super) fn delimiter_byte(&self) -> u8 {
        self.delimiter.first().copied().unwrap_or(b',')
    }
}

/// How well a dialect explains a file.
#[derive(Debug, Clone, Copy, Default)]
struct Fit {
    /// Records that were read.
    records: usize,
    /// Those with as many cells as the header has; none, if that has a single one.
    agreeing: usize,
    /// Cells of the header, or of most records if its quotes make no sense.
    columns: usize,
}

impl Fit {
    fn of(head: &[u8], dialect: &Dialect) -> Self {
        let whole = head.len() < HEAD_BYTES;
        let mut counts = Vec::new();
        let mut other_quotes = false;
        let mut cells = Cells::default();
        let mut rest = head;
        while counts.len() < RECORDS && !rest.is_empty() {
            let (len, count) = match walk(rest, dialect, whole, &mut cells) {
                Walk::Record(len) => (len, (!cells.padded).then_some(cells.len())),
                Walk::Broken(_) => (first_line(rest), None),
                // The head may end within a record; the first one is all there is then.
                Walk::Partial if counts.is_empty() => (rest.len(), Some(cells.len() + 1)),
                Walk::Partial => break,
            };
            other_quotes |= cells.iter().any(|cell| cell.starts_with(b"\""));
            let (record, after) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            if !matches!(record, b"\n" | b"\r" | b"\r\n") {
                counts.push(count);
            }
            rest = after;
        }
        let columns = match counts.first() {
            Some(Some(header)) => *header,
            _ => most_frequent(counts.iter().flatten()),
        };
        // Who quotes with one kind of quotes does not begin cells with the other.
        if other_quotes && dialect.quote != b'"' {
            return Self::default();
        }
        let agrees = |count: &&Option<usize>| columns > 1 && **count == Some(columns);
        Self {
            records: counts.len(),
            agreeing: counts.iter().filter(agrees).count(),
            columns,
        }
    }

    /// Whether every record agrees.
    fn is_perfect(self) -> bool {
        self.agreeing == self.records && self.records > 1
    }

    /// Whether most records agree.
    fn is_common(self) -> bool {
        self.agreeing * 2 > self.records && self.records > 1
    }

    fn is_better_than(self, other: Self) -> bool {
        // Shares of records, compared without dividing.
        let this = self.agreeing * other.records.max(1);
        let that = other.agreeing * self.records.max(1);
        (this, self.columns) > (that, other.columns) && self.columns > 1
    }

    fn share_exceeds(self, other: Self) -> bool {
        self.agreeing * other.records.max(1) > other.agreeing * self.records.max(1)
    }
}

/// The bytes of a text's first line, its end included.
fn first_line(text: &[u8]) -> usize {
    let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    let rest = text.get(end.unwrap_or(text.len())..).unwrap_or_default();
    text.len() - rest.len() + line_end(rest, true).unwrap_or(0)
}

/// The number that is seen most often; of several the smallest, 0 without any.
fn most_frequent<'a>(counts: impl Iterator<Item = &'a usize>) -> usize {
    let mut seen = std::collections::BTreeMap::new();
    for count in counts {
        *seen.entry(*count).or_insert(0_usize) += 1;
    }
    let most = seen.iter().rev().max_by_key(|(_, times)| **times);
    most.map_or(0, |(count, _)| *count)
}

/// The delimiter that a first line `sep=;` names, quoted or not.
fn named(head: &[u8]) -> Option<Dialect> {
    let end = head.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    let (line, rest) = head.split_at_checked(end)?;
    let inner = line
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""));
    let named = match inner.unwrap_or(line) {
        [s, e, p, b'=', named @ ..] if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" => named,
        _ => return None,
    };
    let delimiter = DELIMITERS.into_iter().find(|known| *known == named)?;
    let skipped = end + line_end(rest, true)?;
    let after = head.get(skipped..).unwrap_or_default();
    Some(Dialect {
        skipped,
        columns: Fit::of(after, &plain(delimiter)).columns,
        ..plain(delimiter)
    })
}
