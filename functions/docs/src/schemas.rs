//! `GET /schemas/{dataset}.json`.

use clientele::{
    dataset::schema,
    web::{Problem, Reply},
};
use http::HeaderMap;
use jiff::{Timestamp, tz::TimeZone};

use crate::published::published;

/// The JSON Schema of the rows or events that a dataset's records come in, and of `workspace` that
/// of the definition of its fields.
pub(crate) fn schema(file: &str, headers: &HeaderMap) -> Reply {
    let missing = || Problem::not_found("schema");
    let dataset = file.strip_suffix(".json").ok_or_else(missing)?;
    let document = schema::document(dataset, this_year()).map_err(Problem::internal)?;
    let document = format!("{}\n", document.ok_or_else(missing)?);
    Ok(published(document, "application/schema+json", headers))
}

/// What bounds birth years.
pub(crate) fn this_year() -> i16 {
    Timestamp::now().to_zoned(TimeZone::UTC).year()
}
