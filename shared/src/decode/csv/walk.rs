//! One record of a csv in any dialect: where it ends, and its cells.

use super::dialect::Dialect;

/// A record's cells, one after the other.
#[derive(Debug, Default)]
pub(super) struct Cells {
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Whether a cell has a space before its quotes, where RFC 4180 has none.
    pub(super) padded: bool,
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.padded = false;
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.text.push(byte);
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
    }

    /// Ends the cell whose bytes were pushed.
    pub(super) fn end(&mut self) {
        self.ends.push(self.text.len());
    }

    /// Forgets all but the first `len` cells.
    pub(super) fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }
}

/// What a text begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// A record of so many bytes, its line end included.
    Record(usize),
    /// A record whose quotes make no sense at this byte.
    Broken(usize),
    /// A record that goes on after the text.
    Partial,
}

/// Where in a cell the last byte was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Bare,
    Quoted,
    /// After a quote within quotes: it closed the cell, or was the first of two.
    Closed,
    /// After the space after that.
    Padding,
}

/// Reads the record that `text` begins with. `whole` says that the file ends with the text.
pub(super) fn walk(text: &[u8], dialect: &Dialect, whole: bool, cells: &mut Cells) -> Walk {
    cells.clear();
    let mut place = Place::Start;
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        let rest = text.get(at..).unwrap_or_default();
        if place == Place::Quoted {
            match escaped(rest, dialect) {
                Some(byte) => {
                    cells.push(byte);
                    at += 2;
                    continue;
                }
                None if Some(byte) == dialect.escape && rest.len() == 1 && !whole => {
                    return Walk::Partial;
                }
                None if byte == dialect.quote => place = Place::Closed,
                None => cells.push(byte),
            }
            at += 1;
            continue;
        }
        let after_delimiter = rest.strip_prefix(dialect.delimiter);
        if place == Place::Start && byte == dialect.quote {
            place = Place::Quoted;
        } else if place == Place::Closed && byte == dialect.quote {
            cells.push(byte);
            place = Place::Quoted;
        } else if let Some(after) = after_delimiter {
            cells.end();
            place = Place::Start;
            at = text.len() - after.len();
            continue;
        } else if let Some(len) = line_end(rest, whole) {
            cells.end();
            return Walk::Record(at + len);
        } else if byte == b'\r' || (!whole && dialect.delimiter.starts_with(rest)) {
            return Walk::Partial;
        } else if matches!(place, Place::Closed | Place::Padding) {
            // Spaces before the next delimiter do no harm.
            if byte != b' ' {
                return Walk::Broken(at);
            }
            place = Place::Padding;
        } else {
            cells.padded |= place == Place::Start && rest.starts_with(&[b' ', dialect.quote]);
            cells.push(byte);
            place = Place::Bare;
        }
        at += 1;
    }
    if !whole {
        return Walk::Partial;
    }
    if place == Place::Quoted {
        return Walk::Broken(at);
    }
    cells.end();
    Walk::Record(at)
}

/// The byte that is escaped at the start of `text`, if one is. Other escapes stand for themselves.
pub(super) fn escaped(text: &[u8], dialect: &Dialect) -> Option<u8> {
    match text {
        [first, second, ..]
            if Some(*first) == dialect.escape
                && (*second == dialect.quote || Some(*second) == dialect.escape) =>
        {
            Some(*second)
        }
        _ => None,
    }
}

/// The bytes of the line end that `text` begins with, if it does; none while a LF may follow.
pub(super) fn line_end(text: &[u8], whole: bool) -> Option<usize> {
    match text {
        [b'\r', b'\n', ..] => Some(2),
        [b'\n', ..] => Some(1),
        [b'\r'] if !whole => None,
        [b'\r', ..] => Some(1),
        _ => None,
    }
}
