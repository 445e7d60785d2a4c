//! Datasets as the visitor's organization has them.

use std::sync::Arc;

use clientele::{
    dataset::{
        Dataset,
        workspace::{Definition, WORKSPACE},
    },
    web::Problem,
};
use http::Response;
use lambda_http::Body;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Shown, Stop, User};
use crate::{
    datasets::{Whose, dataset_page, download_of},
    site::{no_store, redirect},
};

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
        WORKSPACE => workspace(user)
            .await?
            .ok_or_else(|| Problem::missing_workspace().into()),
        _ => Err(Problem::not_found("dataset").into()),
    }
}

/// `/console/workspace`: what the organization keeps about a customer, documented as the built-in
/// datasets are. Who has defined nothing yet is led to where that is done.
pub(crate) async fn page(user: &User<'_>) -> Shown {
    let Some(dataset) = workspace(user).await? else {
        return Ok(redirect(&user.visit.place.link("/console/fields"))?);
    };
    let page = dataset_page(user.visit, user.page(), &dataset, Whose::Own)?;
    Ok(no_store(page))
}

/// `/console/workspace/example.{csv,xlsx,json}`.
pub(crate) async fn example(user: &User<'_>, file: &str) -> Result<Response<Body>, Stop> {
    let dataset = dataset_of(user, WORKSPACE).await?;
    Ok(no_store(download_of(&dataset, file)?))
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
