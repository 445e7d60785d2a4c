//! A line whose quotes make no sense, read as it was probably meant.

use std::collections::HashSet;

use super::{
    dialect::Dialect,
    walk::{Cells, escaped},
};
use crate::decode::MAX_COLUMNS;

/// How many times the bytes of a line are looked at before the simplest reading is taken.
const LOOKS: usize = 64;
/// How many bytes of a line are looked at in all.
const MAX_LOOKS: usize = 4 * 1024 * 1024;

/// Splits a line without its line end. Of its readings the first is taken that has as many cells
/// as the file has columns: a quote closes a cell only where a delimiter or the line's end follows,
/// and an opening quote that nothing closes is a letter like any other.
pub(super) fn mend(line: &[u8], dialect: &Dialect, cells: &mut Cells) {
    let mut mending = Mending {
        line,
        dialect,
        dead: HashSet::new(),
        budget: 0,
    };
    let budget = (LOOKS * (line.len() + 16)).min(MAX_LOOKS);
    cells.clear();
    mending.budget = budget;
    let columns = dialect.columns;
    if columns <= MAX_COLUMNS && mending.fits(0, columns, cells) {
        return;
    }
    cells.clear();
    mending.budget = budget;
    let mut from = Some(0);
    while let Some(start) = from {
        let end = mending.closing(start).first().copied();
        from = mending.take(start, end, cells);
    }
}

struct Mending<'a> {
    line: &'a [u8],
    dialect: &'a Dialect,
    /// Places from which the line does not split into so many cells.
    dead: HashSet<(usize, usize)>,
    /// Bytes that may still be looked at.
    budget: usize,
}

impl Mending<'_> {
    /// Splits the line from a byte into so many cells, if it can be.
    fn fits(&mut self, from: usize, columns: usize, cells: &mut Cells) -> bool {
        if columns == 0 || self.budget == 0 || self.dead.contains(&(from, columns)) {
            return false;
        }
        let before = cells.len();
        let closings = self.closing(from).into_iter().map(Some);
        for closing in closings.chain([None]) {
            cells.truncate(before);
            let fits = match self.take(from, closing, cells) {
                Some(next) => self.fits(next, columns - 1, cells),
                None => columns == 1,
            };
            if fits {
                return true;
            }
        }
        self.dead.insert((from, columns));
        false
    }

    /// Where the quoted cell that begins at a byte may be closed, the likeliest first.
    fn closing(&mut self, from: usize) -> Vec<usize> {
        let quote = self.dialect.quote;
        if self.line.get(from) != Some(&quote) || self.budget == 0 {
            return Vec::new();
        }
        let mut at = from + 1;
        let mut doubled = None;
        while let Some(byte) = self.line.get(at) {
            let rest = self.line.get(at..).unwrap_or_default();
            if escaped(rest, self.dialect).is_some() {
                at += 2;
            } else if *byte == quote && self.line.get(at + 1) == Some(&quote) {
                // Two quotes are one, unless the second one has to close the cell.
                if doubled.is_none() && self.ends_cell(at + 2) {
                    doubled = Some(at + 1);
                }
                at += 2;
            } else if *byte == quote && self.ends_cell(at + 1) {
                break;
            } else {
                at += 1;
            }
        }
        self.look(at - from);
        let found = (at < self.line.len()).then_some(at);
        found.into_iter().chain(doubled).collect()
    }

    fn ends_cell(&self, at: usize) -> bool {
        let rest = self.line.get(at..).unwrap_or_default();
        rest.is_empty() || rest.starts_with(self.dialect.delimiter)
    }

    /// Adds the cell from a byte to its closing quote, or without one to the next delimiter, and
    /// returns where the next one begins.
    fn take(&mut self, from: usize, closing: Option<usize>, cells: &mut Cells) -> Option<usize> {
        let end = match closing {
            Some(closing) => {
                self.unquote(from + 1, closing, cells);
                closing + 1
            }
            None => {
                let rest = self.line.get(from..).unwrap_or_default();
                let delimiter = self.dialect.delimiter;
                let bare = rest
                    .windows(delimiter.len())
                    .position(|bytes| bytes == delimiter)
                    .unwrap_or(rest.len());
                cells.extend(rest.get(..bare).unwrap_or_default());
                from + bare
            }
        };
        self.look(end - from);
        cells.end();
        (end < self.line.len()).then_some(end + self.dialect.delimiter.len())
    }

    fn unquote(&self, from: usize, to: usize, cells: &mut Cells) {
        let mut rest = self.line.get(from..to).unwrap_or_default();
        while let [byte, after @ ..] = rest {
            let doubled = *byte == self.dialect.quote && after.first() == Some(byte);
            match escaped(rest, self.dialect) {
                Some(byte) => cells.push(byte),
                None => cells.push(*byte),
            }
            let taken = 1 + usize::from(doubled || escaped(rest, self.dialect).is_some());
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    fn look(&mut self, bytes: usize) {
        self.budget = self.budget.saturating_sub(bytes + 1);
    }
}
