//! `POST /console/import/preview`: what a file's columns would become, from its beginning.

use std::{collections::HashSet, io::Cursor, sync::Arc};

use askama::Template;
use clientele::{
    dataset::{Dataset, HeaderMapping, Target},
    decode::{self, Hints, Records},
    import::FileError,
    record::RawRecord,
    web::Problem,
};
use http::{HeaderName, Method, StatusCode};
use percent_encoding::percent_decode_str;

use crate::{
    console::{Shown, Stop, User, settings::Settings, workspace::dataset_of},
    datasets::protection_badge,
    site::{Page, html, no_store},
    visit::Visit,
};

/// How many rows are looked at.
const ROWS: usize = 20;
/// How many characters of a value are shown.
const SAMPLE: usize = 40;

#[derive(Template)]
#[template(path = "console/import/preview.html")]
struct Preview {
    page: Page,
    error: Option<FileProblem>,
    found: String,
    columns: Vec<Column>,
    /// Required fields that no column fills.
    missing: Vec<String>,
    /// Whether the file is of events, whose members have fixed names.
    of_events: bool,
}

struct FileProblem {
    code: &'static str,
    message: String,
}

struct Column {
    header: String,
    becomes: Becomes,
    sample: String,
}

enum Becomes {
    /// A field, and the message of how it is protected.
    Field(String, Option<&'static str>),
    /// It is left out: the registry fills the field.
    Ignored(String),
    /// No field knows it, and the organization's setting keeps such columns.
    Custom,
    /// No field knows it, and the setting leaves such columns out.
    Dropped,
    /// No field knows it, and the setting refuses the rows that have it.
    Refused,
    /// The file would be refused: the column looks like this protected field.
    NearMiss(String),
    Unnamed,
}

/// Reads the body, which is a file or its beginning, and says what an import would make of it.
/// Nothing of it is kept.
pub(crate) async fn preview(user: &User<'_>) -> Shown {
    let visit = user.visit;
    // Reading a hostile workbook takes seconds: not for anybody, nor more often than the API lets.
    user.known().await?;
    let dataset = dataset_of(user, &visit.query("dataset").unwrap_or_default()).await?;
    let beginning = Beginning {
        content: visit.body.to_vec(),
        filename: filename(visit),
        is_cut: visit.query("cut").is_some(),
        of_events: dataset.event().is_some(),
    };
    let unknown_columns = unknown_columns(user).await?;
    let page = user.page();
    // Reading takes a processor for a while, as others wait for their pages.
    let read = tokio::task::spawn_blocking(move || beginning.read()).await;
    let shown = match read.map_err(Problem::internal)? {
        Err(error) => Preview {
            error: Some(FileProblem {
                code: error.code(),
                message: error.message(page.language()),
            }),
            found: String::new(),
            columns: Vec::new(),
            missing: Vec::new(),
            of_events: false,
            page,
        },
        Ok(head) => described(page, &dataset, head, &unknown_columns),
    };
    Ok(no_store(html(&shown)?))
}

/// What becomes of columns that no field knows. Who may not see that is shown what is usual.
async fn unknown_columns(user: &User<'_>) -> Result<String, Stop> {
    let path = "/v1/organization/settings";
    match user.attempt(Method::GET, path, None).await? {
        Ok(answer) => Ok(answer.json::<Settings>()?.unknown_columns),
        Err(refusal) if refusal.status == StatusCode::FORBIDDEN => Ok("keep".to_owned()),
        Err(refusal) => Err(refusal.into()),
    }
}

/// The beginning of a file, as far as it was read.
struct Head {
    found: String,
    header: Vec<Arc<str>>,
    rows: Vec<RawRecord>,
}

/// What the browser has sent of a file.
struct Beginning {
    content: Vec<u8>,
    filename: String,
    /// Whether the file goes on.
    is_cut: bool,
    of_events: bool,
}

impl Beginning {
    /// Reads the first rows. Whether a text is UTF-8 may show late, so it may be read twice.
    fn read(&self) -> Result<Head, FileError> {
        let mut hints = Hints {
            filename: self.filename.clone(),
            lone_object: self.of_events,
            ..Hints::default()
        };
        loop {
            match read_once(&self.content, &hints, self.is_cut) {
                Err(error) => hints = hints.after(&error).ok_or(error)?,
                read => return read,
            }
        }
    }
}

/// The file's name, percent-encoded in a header: people's names are in it, and addresses are
/// logged in more places.
fn filename(visit: &Visit<'_>) -> String {
    let name = visit.header(HeaderName::from_static("x-filename"));
    percent_decode_str(name).decode_utf8_lossy().into_owned()
}

fn read_once(content: &[u8], hints: &Hints, is_cut: bool) -> Result<Head, FileError> {
    let Records {
        found,
        header,
        rows,
    } = decode::records(Cursor::new(content.to_vec()), hints)?;
    let mut read = Vec::new();
    for row in rows.take(ROWS) {
        match row {
            Ok(row) => read.push(row),
            // Where the file was cut, its last row is broken.
            Err(_) if is_cut && !read.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    let encoding = found
        .encoding
        .map(|encoding| format!(" · {}", encoding.as_str()));
    let gzip = if found.gzip { " · gzip" } else { "" };
    Ok(Head {
        found: format!(
            "{}{}{gzip}",
            found.format.as_str(),
            encoding.unwrap_or_default()
        ),
        header: header.unwrap_or_else(|| keys(&read)),
        rows: read,
    })
}

/// The keys of objects, in the order in which they are first seen.
fn keys(rows: &[RawRecord]) -> Vec<Arc<str>> {
    let mut seen = HashSet::new();
    let names = rows
        .iter()
        .flat_map(|row| &row.values)
        .map(|(name, _)| Arc::clone(name));
    names.filter(|name| seen.insert(Arc::clone(name))).collect()
}

fn described(page: Page, dataset: &Arc<Dataset>, head: Head, unknown_columns: &str) -> Preview {
    let of_events = dataset.event().is_some();
    let mut mapping = HeaderMapping::new(Arc::clone(dataset));
    let mut filled = HashSet::new();
    let mut columns = Vec::new();
    for (index, header) in head.header.iter().enumerate() {
        let name = |field| {
            dataset
                .field(field)
                .map_or("", |field| field.name.as_str())
                .to_owned()
        };
        let becomes = match mapping.target(header) {
            Target::Field(field) => {
                filled.insert(field);
                let protection = dataset.field(field).map(|field| field.protection);
                Becomes::Field(name(field), protection.and_then(protection_badge))
            }
            Target::Ignored(field) => Becomes::Ignored(name(field)),
            Target::Custom => match unknown_columns {
                "drop" => Becomes::Dropped,
                "reject" => Becomes::Refused,
                _ => Becomes::Custom,
            },
            Target::NearMiss { field, .. } => Becomes::NearMiss(name(field)),
            Target::Unnamed => Becomes::Unnamed,
        };
        columns.push(Column {
            header: header.to_string(),
            becomes,
            sample: sample(&head.rows, index, header),
        });
    }
    let required = dataset
        .fields()
        .iter()
        .enumerate()
        .filter(|(index, field)| field.required && !field.autogenerated && !filled.contains(index));
    Preview {
        error: None,
        missing: match of_events || head.rows.is_empty() {
            true => Vec::new(),
            false => required.map(|(_, field)| field.name.clone()).collect(),
        },
        found: head.found,
        columns: if of_events { Vec::new() } else { columns },
        of_events,
        page,
    }
}

/// The first value of a column, shortened: the visitor's own, shown to nobody else.
fn sample(rows: &[RawRecord], index: usize, header: &str) -> String {
    let values = rows.iter().filter_map(|row| {
        let at = row.values.get(index).filter(|(name, _)| **name == *header);
        at.or_else(|| row.values.iter().find(|(name, _)| **name == *header))
    });
    let cells = values.map(|(_, value)| value.clone().into_cell());
    let cell = cells
        .into_iter()
        .find(|cell| !cell.is_empty())
        .unwrap_or_default();
    match cell.chars().count() > SAMPLE {
        true => cell.chars().take(SAMPLE).chain(['…']).collect(),
        false => cell,
    }
}
