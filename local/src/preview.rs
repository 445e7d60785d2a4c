//! How a file is read: what `clientele preview` prints, without a stack.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clientele::{
    dataset::{Dataset, HeaderMapping, Target},
    decode::{self, Found, Hints, Records},
    import::FileError,
    language::Language,
    record::RawRecord,
};
use thiserror::Error;

/// A file to show, and how.
#[derive(Debug)]
pub struct Preview {
    /// The file.
    pub file: PathBuf,
    /// The dataset whose fields its columns are matched with.
    pub dataset: String,
    /// The most rows that are shown; all without it.
    pub rows: Option<usize>,
    /// Whether only the header and the rows are shown, as plain csv.
    pub csv: bool,
}

/// Why a file cannot be shown.
#[derive(Debug, Error)]
pub enum PreviewError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// Its content cannot be read as a table or objects.
    #[error("{path}: {message}")]
    Refused {
        /// The file.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// There is no such dataset.
    #[error("there is no dataset {name}; there are {known}")]
    Dataset {
        /// The name that was given.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// What was read cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl Preview {
    /// Writes the rows to `output`, and what an import would object to in their quotes to `notes`.
    ///
    /// # Errors
    ///
    /// [`PreviewError`], before anything is written unless writing fails.
    pub fn show(
        &self,
        output: &mut impl Write,
        notes: &mut impl Write,
    ) -> Result<(), PreviewError> {
        let dataset = dataset(&self.dataset)?;
        let limit = self.rows.unwrap_or(usize::MAX);
        let hints = self.hints(&dataset, limit, notes)?;
        let refused = |error| self.refused(&error);
        let records = decode::records(open(&self.file)?, &hints).map_err(refused)?;
        if !self.csv {
            describe(output, records.found)?;
        }
        let Records { header, rows, .. } = records;
        let of_objects = header.is_none();
        let (header, rows): (_, Box<dyn Iterator<Item = _>>) = match header {
            Some(header) => (header, rows),
            None => {
                let rows: Vec<_> = rows.take(limit).collect();
                (keys(&rows), Box::new(rows.into_iter()))
            }
        };
        if !self.csv {
            describe_columns(output, &header, &dataset)?;
        }
        write_record(output, header.iter().map(|name| name.to_string()))?;
        for row in rows.take(limit) {
            let row = row.map_err(refused)?;
            let keys = of_objects.then_some(header.as_slice());
            write_record(output, cells(row, keys))?;
        }
        Ok(output.flush()?)
    }

    /// How to read the file. Whether a text is UTF-8, and its quotes make sense, shows at its end
    /// at the latest.
    fn hints(
        &self,
        dataset: &Dataset,
        limit: usize,
        notes: &mut impl Write,
    ) -> Result<Hints, PreviewError> {
        let name = self.file.file_name().unwrap_or_default();
        let mut hints = Hints {
            filename: name.to_string_lossy().into_owned(),
            lone_object: dataset.event().is_some(),
            ..Hints::default()
        };
        while let Err(error) = read_through(&self.file, &hints, limit)? {
            if let (FileError::UnclosedQuote { .. }, false) = (&error, hints.mends_quotes) {
                let message = error.message(Language::English);
                writeln!(
                    notes,
                    "{message}: an import refuses the file; here such lines are shown as they stand"
                )?;
                hints.mends_quotes = true;
                continue;
            }
            hints = hints.after(&error).ok_or_else(|| self.refused(&error))?;
        }
        hints.mends_quotes = true;
        Ok(hints)
    }

    fn refused(&self, error: &FileError) -> PreviewError {
        PreviewError::Refused {
            path: self.file.display().to_string(),
            message: error.message(Language::English),
        }
    }
}

fn open(path: &Path) -> Result<File, PreviewError> {
    let unreadable = |source| PreviewError::Unreadable {
        path: path.display().to_string(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()));
    }
    Ok(file)
}

/// Reads the rows that will be shown, and says what is wrong with them, if anything is.
fn read_through(
    path: &Path,
    hints: &Hints,
    limit: usize,
) -> Result<Result<(), FileError>, PreviewError> {
    let file = open(path)?;
    let read = || {
        let mut rows = decode::records(file, hints)?.rows.take(limit);
        rows.try_for_each(|row| row.map(|_| ()))
    };
    Ok(read())
}

fn dataset(name: &str) -> Result<Arc<Dataset>, PreviewError> {
    Dataset::builtin(name).ok_or_else(|| {
        let known: Vec<_> = Dataset::all_builtin().iter().map(|d| d.name()).collect();
        PreviewError::Dataset {
            name: name.to_owned(),
            known: known.join(", "),
        }
    })
}

fn describe(output: &mut impl Write, found: Found) -> io::Result<()> {
    writeln!(output, "format     {}", found.format.as_str())?;
    if let Some(encoding) = found.encoding {
        writeln!(output, "encoding   {}", encoding.as_str())?;
    }
    if let Some(delimiter) = found.delimiter {
        writeln!(output, "delimiter  {delimiter:?}")?;
    }
    let gzip = if found.gzip { "yes" } else { "no" };
    writeln!(output, "gzip       {gzip}")
}

/// What each column becomes in a dataset.
fn describe_columns(
    output: &mut impl Write,
    header: &[Arc<str>],
    dataset: &Arc<Dataset>,
) -> io::Result<()> {
    let mut mapping = HeaderMapping::new(Arc::clone(dataset));
    if dataset.event().is_some() {
        writeln!(
            output,
            "columns    members of events, whose body is of {}",
            dataset.name()
        )?;
        return writeln!(output);
    }
    writeln!(output, "columns    as {}", dataset.name())?;
    let name = |index| dataset.field(index).map_or("", |field| field.name.as_str());
    for column in header {
        let becomes = match mapping.target(column) {
            Target::Field(field) => name(field).to_owned(),
            Target::Ignored(field) => format!("{}, which is made here: ignored", name(field)),
            Target::Custom => "custom".to_owned(),
            Target::NearMiss { field, .. } => format!("refused: close to {}", name(field)),
            Target::Unnamed => "no name: ignored".to_owned(),
        };
        writeln!(output, "  {column:?} -> {becomes}")?;
    }
    writeln!(output)
}

/// The keys of objects, in the order in which they are first seen.
fn keys(rows: &[Result<RawRecord, FileError>]) -> Vec<Arc<str>> {
    let mut seen = HashSet::new();
    let values = rows.iter().flatten().flat_map(|row| &row.values);
    let names = values.map(|(name, _)| Arc::clone(name));
    names.filter(|name| seen.insert(Arc::clone(name))).collect()
}

/// A row's cells: a table's as they are, an object's in the order of `keys`.
fn cells(row: RawRecord, keys: Option<&[Arc<str>]>) -> Vec<String> {
    let Some(keys) = keys else {
        let values = row.values.into_iter();
        return values.map(|(_, value)| value.into_cell()).collect();
    };
    let mut values: HashMap<_, _> = row.values.into_iter().collect();
    let cell = |key| values.remove(key).map(|value| value.into_cell());
    let cells = keys.iter().map(cell);
    cells.map(Option::unwrap_or_default).collect()
}

/// Writes a record as RFC 4180 has it, with LF as most tools expect.
fn write_record(
    output: &mut impl Write,
    cells: impl IntoIterator<Item = String>,
) -> io::Result<()> {
    let cells: Vec<String> = cells.into_iter().collect();
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            output.write_all(b",")?;
        }
        // A line without anything would be no record.
        let alone = cells.len() == 1 && cell.is_empty();
        if alone || cell.contains([',', '"', '\n', '\r']) {
            write!(output, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            output.write_all(cell.as_bytes())?;
        }
    }
    output.write_all(b"\n")
}
