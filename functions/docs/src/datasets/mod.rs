//! What the documentation says of each dataset, all of it from the dataset itself.

mod example_file;
mod field;
mod index;
mod page;

use std::sync::{Arc, LazyLock};

use clientele::{
    dataset::{
        Dataset,
        workspace::{Definition, WORKSPACE},
    },
    web::{Problem, Reply},
};
use http::{HeaderValue, Response, header};
use lambda_http::Body;

use crate::{site::Page, visit::Visit};

pub use example_file::{ExampleFileError, ExampleFormat, example_file};
pub(crate) use field::protection_badge;
pub(crate) use index::index;
pub(crate) use page::dataset_page;

/// The workspace of an organization that has defined the fields of the example.
static EXAMPLE_WORKSPACE: LazyLock<Option<Arc<Dataset>>> = LazyLock::new(|| {
    let dataset = Definition::example()?.to_dataset().ok()?;
    Some(Arc::new(dataset))
});

/// A dataset that has a page.
fn documented(name: &str) -> Option<Arc<Dataset>> {
    match name {
        WORKSPACE => EXAMPLE_WORKSPACE.clone(),
        _ => Dataset::builtin(name),
    }
}

/// `GET /docs/{dataset}`.
pub(crate) fn page(visit: &Visit<'_>, name: &str) -> Reply {
    let dataset = documented(name).ok_or_else(|| Problem::not_found("page"))?;
    dataset_page(
        visit,
        Page::public(&visit.place),
        &dataset,
        Whose::Everybodys,
    )
}

/// Whose fields a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Those of every organization, or an example of what one may define.
    Everybodys,
    /// Those that the visitor's organization has defined.
    Own,
}

/// `GET /docs/{dataset}/example.{csv,xlsx,json}`.
pub(crate) fn download(name: &str, file: &str) -> Result<Response<Body>, Problem> {
    let missing = || Problem::not_found("file");
    let dataset = documented(name).ok_or_else(missing)?;
    download_of(&dataset, file)
}

/// A file of examples, to be saved.
pub(crate) fn download_of(dataset: &Dataset, file: &str) -> Result<Response<Body>, Problem> {
    let mut formats = ExampleFormat::ALL.into_iter();
    let is_named = |format: &ExampleFormat| file == format!("example.{}", format.extension());
    let format = formats.find(is_named);
    let format = format.ok_or_else(|| Problem::not_found("file"))?;
    let content = example_file(dataset, format).map_err(Problem::internal)?;
    let filename = example_name(dataset, format);
    let disposition = format!("attachment; filename=\"{filename}\"");
    let disposition = HeaderValue::from_str(&disposition).map_err(Problem::internal)?;
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, format.media_type()),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// What a file of examples is saved as.
fn example_name(dataset: &Dataset, format: ExampleFormat) -> String {
    format!("{}-example.{}", dataset.name(), format.extension())
}
