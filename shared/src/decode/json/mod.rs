//! JSON: a document with an array of objects, or an object a line.

pub(super) mod document;
pub(super) mod lines;
mod number;
mod row;
mod scanner;

use serde_json::value::RawValue as RawJson;

use self::scanner::{Broken, Scanner};
use super::Format;
use crate::record::{Malformed, RawRecord};

/// How many levels a row may have, its own included.
const MAX_DEPTH: usize = 32;

/// One JSON value as the row of a number, as rows of a document are read.
pub fn row(text: &str, row: u64) -> RawRecord {
    RawRecord {
        line: None,
        ..row::read(text, row, 1)
    }
}

/// A JSON object's members in their order, as they are written.
pub fn members(text: &str) -> Result<Vec<(String, &RawJson)>, Malformed> {
    row::members(text)
}

/// Whether text that begins with `[` or `{` is a table whose first header does.
pub(super) fn is_table(text: &[u8], filename: &str) -> bool {
    let mut begin = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let first_two = (begin.next(), begin.next());
    let is_json = match first_two {
        (Some(b'['), Some(second)) => matches!(second, b'{' | b']'),
        (_, Some(second)) => matches!(second, b'"' | b'}'),
        (_, None) => true,
    };
    !is_json && has_extension(filename, &["csv", "tsv", "txt"])
}

/// Tells a document from an object a line, by the first object of the file's beginning and, where
/// that could be of either, by the name's extension.
pub(super) fn tell(head: &[u8], filename: &str) -> Format {
    let named_lines = has_extension(filename, &["ndjson", "jsonl"]);
    let first = FirstObject::of(head);
    let lines = match (first.end, first.has_data) {
        // A row that is spread over lines is no row of ndjson.
        _ if !first.is_object || !first.one_line => false,
        (End::NextLine, _) => true,
        (End::File, false) => true,
        _ => named_lines,
    };
    match lines {
        true => Format::Ndjson,
        false => Format::Json,
    }
}

/// What can be seen of the object that a file begins with, if it does.
struct FirstObject {
    is_object: bool,
    /// Whether it has an array under `data`.
    has_data: bool,
    one_line: bool,
    end: End,
}

/// What follows the object.
#[derive(Clone, Copy)]
enum End {
    /// Nothing.
    File,
    /// Something on a line further down.
    NextLine,
    /// Something on the same line, or it breaks off, or it is longer than what can be seen.
    Unknown,
}

impl FirstObject {
    fn of(head: &[u8]) -> Self {
        let mut scanner = Scanner::new(head);
        let mut first = Self {
            is_object: head.trim_ascii_start().starts_with(b"{"),
            has_data: false,
            one_line: true,
            end: End::Unknown,
        };
        let start = scanner.space().map(|()| scanner.line());
        let whole = first.see(&mut scanner);
        let line = scanner.line();
        first.one_line = start == Ok(line);
        match whole {
            Ok(()) => {
                let rest = scanner.space().and_then(|()| scanner.peek());
                first.end = match rest {
                    Ok(None) => End::File,
                    Ok(Some(_)) if scanner.line() > line => End::NextLine,
                    _ => End::Unknown,
                };
            }
            // A broken row is known by the sound one below it.
            Err(Broken::Syntax) if !first.has_data && second_line_opens(head) => {
                first.end = End::NextLine;
            }
            Err(_) => {}
        }
        first
    }

    fn see(&mut self, scanner: &mut Scanner<&[u8]>) -> Result<(), Broken> {
        scanner.expect(b'{')?;
        scanner.space()?;
        if scanner.skip(b'}')? {
            return Ok(());
        }
        loop {
            let is_data = scanner.kept_key()? == b"\"data\"";
            self.has_data |= is_data && scanner.peek()? == Some(b'[');
            scanner.value()?;
            scanner.space()?;
            if scanner.skip(b'}')? {
                return Ok(());
            }
            scanner.expect(b',')?;
            scanner.space()?;
        }
    }
}

/// Whether an object begins on the line after the first one that is not blank.
fn second_line_opens(head: &[u8]) -> bool {
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_start)
        .filter(|line| !line.is_empty());
    lines.nth(1).is_some_and(|line| line.starts_with(b"{"))
}

fn has_extension(filename: &str, extensions: &[&str]) -> bool {
    let name = filename.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| extensions.contains(&extension))
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
