//! Refused rows as a csv for people: corrected, it can be dropped again as it is.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use super::{
    ERROR_COLUMNS, MASK, SURPLUS,
    inert::mark,
    kept::Opened,
    segment::{Row, Segment},
};
use crate::{
    dataset::{Dataset, HeaderMapping, Protection, Target},
    language::Language,
    record::RowError,
    store::jobs::{Column, Job},
};

/// How a part of `rejected.csv` is written.
pub struct Sheet<'j> {
    /// The job, whose columns come first and whose delimiter is used.
    pub job: &'j Job,
    /// What says which columns are protected; without it, all are.
    pub dataset: Option<Arc<Dataset>>,
    /// The language of the messages.
    pub language: Language,
    /// Whether protected values are shown. Otherwise `***` stands for them, for values of columns
    /// that the dataset does not know, and for all values of a row whose cells may be shifted.
    pub reveal: bool,
}

impl Sheet<'_> {
    /// The csv (RFC 4180) as UTF-8 with a byte order mark, which Excel needs to read it as such.
    /// Without rows it is the header alone.
    pub fn write(&self, rows: Option<&Opened>) -> String {
        let segments = rows.map_or(&[][..], |opened| &opened.segments);
        let mut columns = Columns::new(self.job, self.dataset.clone());
        let mut placed = Vec::new();
        for segment in segments {
            for row in &segment.rows {
                placed.push((row, columns.place(segment, row)));
            }
        }
        let surplus = placed.iter().any(|(row, _)| !row.surplus.is_empty());
        let mut csv = Csv {
            text: "\u{feff}".to_owned(),
            delimiter: self.job.delimiter.unwrap_or(','),
        };
        csv.line(self.header(&columns, surplus));
        for (row, positions) in placed {
            csv.line(self.cells(row, &positions, &columns, surplus));
        }
        csv.text
    }

    fn header<'c>(&self, columns: &'c Columns, surplus: bool) -> Vec<Cow<'c, str>> {
        let name = |column: &'c Shown| match self.reveal || !column.is_data {
            true => mark(&column.header),
            false => MASK.into(),
        };
        let mut header: Vec<_> = columns.shown.iter().map(name).collect();
        header.extend(surplus.then_some(Cow::Borrowed(SURPLUS)));
        header.extend(ERROR_COLUMNS.map(Cow::Borrowed));
        header
    }

    fn cells<'r>(
        &self,
        row: &'r Row,
        positions: &[usize],
        columns: &Columns,
        surplus: bool,
    ) -> Vec<Cow<'r, str>> {
        let mut cells = vec![Cow::Borrowed(""); columns.shown.len()];
        for ((_, text), position) in row.cells.iter().zip(positions) {
            let column = columns.shown.get(*position);
            let masked = row.shifted || column.is_none_or(|column| column.is_protected);
            if let Some(cell) = cells.get_mut(*position) {
                *cell = self.shown(text, masked);
            }
        }
        if surplus {
            let delimiter = self.job.delimiter.unwrap_or(',').to_string();
            let joined = row.surplus.join(&delimiter);
            cells.push(self.shown(&joined, true).into_owned().into());
        }
        let column = |error: &RowError| error.column.clone().unwrap_or_default();
        let of_errors = [
            row.row.to_string(),
            joined(row, column),
            joined(row, |error| error.code.as_str().to_owned()),
            self.message(row),
        ];
        cells.extend(of_errors.map(|text| Cow::Owned(mark(&text).into_owned())));
        cells
    }

    fn shown<'t>(&self, text: &'t str, is_protected: bool) -> Cow<'t, str> {
        match is_protected && !self.reveal && !text.is_empty() {
            true => MASK.into(),
            false => mark(text),
        }
    }

    fn message(&self, row: &Row) -> String {
        let message = joined(row, |error| error.message(self.language));
        match (row.left_out, self.language) {
            (false, _) => message,
            (true, Language::English) => {
                format!("{message}; its values are not repeated here, correct it in the original")
            }
            (true, Language::French) => format!(
                "{message} ; ses valeurs ne sont pas reprises ici, corrigez-la dans l'original"
            ),
        }
    }
}

fn joined(row: &Row, part: impl Fn(&RowError) -> String) -> String {
    let parts: Vec<_> = row.errors.iter().map(part).collect();
    parts.join("; ")
}

/// A column of the csv.
struct Shown {
    header: String,
    is_protected: bool,
    /// Whether its header is a key of a JSON object that the dataset does not know: data, which
    /// no job shows.
    is_data: bool,
}

/// What makes two headers one column: JSON objects may spell a field differently.
#[derive(PartialEq, Eq, Hash, Clone)]
enum Meaning {
    Field(usize),
    Other(String),
}

/// The columns of a part: the job's in their order, then others in the order of first sight.
struct Columns {
    mapping: Option<HeaderMapping>,
    dataset: Option<Arc<Dataset>>,
    shown: Vec<Shown>,
    /// Positions by meaning, and by which of the row's columns of that meaning it is.
    positions: HashMap<(Meaning, usize), usize>,
}

impl Columns {
    fn new(job: &Job, dataset: Option<Arc<Dataset>>) -> Self {
        let mut columns = Self {
            mapping: dataset.clone().map(HeaderMapping::new),
            dataset,
            shown: Vec::new(),
            positions: HashMap::new(),
        };
        for Column { header, .. } in &job.columns {
            columns.position(header, 0);
        }
        for column in &mut columns.shown {
            column.is_data = false;
        }
        columns
    }

    /// Where a row's cells go.
    fn place(&mut self, segment: &Segment, row: &Row) -> Vec<usize> {
        let mut seen: HashMap<Meaning, usize> = HashMap::new();
        let mut positions = Vec::with_capacity(row.cells.len());
        for (column, _) in &row.cells {
            let header = segment.columns.get(*column).map_or("", String::as_str);
            let (meaning, _) = self.meaning(header);
            let nth = seen.entry(meaning).or_default();
            positions.push(self.position(header, *nth));
            *nth += 1;
        }
        positions
    }

    fn position(&mut self, header: &str, nth: usize) -> usize {
        let (meaning, is_protected) = self.meaning(header);
        let is_data = !header.is_empty() && matches!(meaning, Meaning::Other(_));
        let next = self.shown.len();
        *self.positions.entry((meaning, nth)).or_insert_with(|| {
            self.shown.push(Shown {
                header: header.to_owned(),
                is_protected,
                is_data,
            });
            next
        })
    }

    /// What a header means, and whether values under it are protected.
    fn meaning(&mut self, header: &str) -> (Meaning, bool) {
        let other = Meaning::Other(header.to_owned());
        let Some(mapping) = &mut self.mapping else {
            return (other, true);
        };
        let is_protected = |index: usize| {
            let field = self
                .dataset
                .as_ref()
                .and_then(|dataset| dataset.field(index));
            field.is_none_or(|field| field.protection != Protection::None)
        };
        match mapping.target(header) {
            Target::Field(index) => (Meaning::Field(index), is_protected(index)),
            Target::Ignored(index) => (Meaning::Field(index), is_protected(index)),
            Target::Custom | Target::NearMiss { .. } | Target::Unnamed => (other, true),
        }
    }
}

/// A csv being written.
struct Csv {
    text: String,
    delimiter: char,
}

impl Csv {
    fn line(&mut self, cells: Vec<Cow<'_, str>>) {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.text.push(self.delimiter);
            }
            self.cell(cell);
        }
        self.text.push_str("\r\n");
    }

    fn cell(&mut self, text: &str) {
        // Every usual delimiter counts, so that nobody takes another one for this file's.
        let special = |c: char| c == self.delimiter || ",;\t|\"\r\n".contains(c);
        let padded = text.starts_with(' ') || text.ends_with(' ');
        if !padded && !text.contains(special) {
            return self.text.push_str(text);
        }
        self.text.push('"');
        self.text.push_str(&text.replace('"', "\"\""));
        self.text.push('"');
    }
}
