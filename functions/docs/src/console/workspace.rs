//! Datasets as the visitor's organization has them.

use std::sync::Arc;

use clientele::{
    dataset::{Dataset, workspace::Definition},
    web::Problem,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Stop, User};

#[derive(Deserialize)]
struct Fields {
    fields: Vec<Box<RawValue>>,
}

/// A built-in dataset, or the organization's own.
pub(crate) async fn dataset_of(user: &User<'_>, name: &str) -> Result<Arc<Dataset>, Stop> {
    if let Some(dataset) = Dataset::builtin(name) {
        return Ok(dataset);
    }
    match name {
        "workspace" => workspace(user)
            .await?
            .ok_or_else(|| Problem::missing_workspace().into()),
        _ => Err(Problem::not_found("dataset").into()),
    }
}

/// The dataset that the organization has defined, if it has.
pub(crate) async fn workspace(user: &User<'_>) -> Result<Option<Arc<Dataset>>, Stop> {
    let stored: Fields = user.get("/v1/workspace/fields").await?;
    if stored.fields.is_empty() {
        return Ok(None);
    }
    // What is stored was valid when it was.
    let definition = Definition::parse(&stored.fields)
        .map_err(|problems| Problem::internal(format!("{} fields are refused", problems.len())))?;
    let dataset = definition.to_dataset().map_err(Problem::internal)?;
    Ok(Some(Arc::new(dataset)))
}
