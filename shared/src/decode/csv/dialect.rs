//! What separates a csv's cells, found from its first rows.

use csv::ByteRecord;

/// The delimiters that are looked for. The first wins where the rows do not decide.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// How many records are looked at.
const RECORDS: usize = 200;

/// How a csv is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// What separates cells.
    pub(super) delimiter: u8,
    /// Bytes before the header: Excel's line that names the delimiter.
    pub(super) skipped: usize,
}

impl Dialect {
    /// The dialect of a file that begins with `head`.
    pub(super) fn of(head: &[u8]) -> Self {
        if let Some(named) = named(head) {
            return named;
        }
        let mut best = (DELIMITERS[0], Fit::default());
        for delimiter in DELIMITERS {
            let fit = Fit::of(head, delimiter);
            // A file that reads as RFC 4180 has it is that, whatever else its cells hold.
            if delimiter == DELIMITERS[0] && fit.agreeing == fit.records && fit.records > 1 {
                best = (delimiter, fit);
                break;
            }
            if fit.is_better_than(best.1) {
                best = (delimiter, fit);
            }
        }
        Self {
            delimiter: best.0,
            skipped: 0,
        }
    }
}

/// How well a delimiter explains a file.
#[derive(Debug, Clone, Copy, Default)]
struct Fit {
    /// Records that were read.
    records: usize,
    /// Those with as many cells as the header has; none, if that has a single one.
    agreeing: usize,
    /// Cells of the header.
    columns: usize,
}

impl Fit {
    fn of(head: &[u8], delimiter: u8) -> Self {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(head);
        let mut fit = Self::default();
        let mut record = ByteRecord::new();
        while fit.records < RECORDS && matches!(reader.read_byte_record(&mut record), Ok(true)) {
            // The head may end within a record; the first one is all there is then.
            let cut = reader.is_done() && reader.position().byte() == head.len() as u64;
            if cut && fit.records > 1 && head.len() >= super::super::HEAD_BYTES {
                break;
            }
            if fit.records == 0 {
                fit.columns = record.len();
            }
            fit.records += 1;
            fit.agreeing += usize::from(fit.columns > 1 && record.len() == fit.columns);
        }
        fit
    }

    fn is_better_than(self, other: Self) -> bool {
        // Shares of records, compared without dividing.
        let this = self.agreeing * other.records.max(1);
        let that = other.agreeing * self.records.max(1);
        (this, self.columns) > (that, other.columns) && self.columns > 1
    }
}

/// The delimiter that a first line `sep=;` names, quoted or not.
fn named(head: &[u8]) -> Option<Dialect> {
    let end = head.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
    let (line, rest) = head.split_at_checked(end)?;
    let inner = line
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""));
    let delimiter = match inner.unwrap_or(line) {
        [s, e, p, b'=', delimiter] if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" => {
            *delimiter
        }
        _ => return None,
    };
    if !DELIMITERS.contains(&delimiter) {
        return None;
    }
    let line_end = if rest.starts_with(b"\r\n") { 2 } else { 1 };
    Some(Dialect {
        delimiter,
        skipped: end + line_end,
    })
}
