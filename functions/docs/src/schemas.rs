//! `GET /schemas/{dataset}.json`.

use clientele::{
    dataset::Dataset,
    web::{Problem, Reply},
};
use http::HeaderMap;

use crate::published::published;

/// The JSON Schema of the events that a dataset's records come in.
pub(crate) fn schema(file: &str, headers: &HeaderMap) -> Reply {
    let dataset = file.strip_suffix(".json").and_then(Dataset::builtin);
    let schema = dataset.as_deref().and_then(Dataset::event_schema);
    let schema = schema.ok_or_else(|| Problem::not_found("schema"))?;
    let document = format!("{}\n", schema.document());
    Ok(published(document, "application/schema+json", headers))
}
