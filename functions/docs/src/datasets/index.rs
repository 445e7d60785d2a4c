//! `GET /docs`.

use askama::Template;
use clientele::{
    dataset::Dataset,
    web::{Problem, Reply},
};

use super::documented;
use crate::{
    site::{Page, html},
    visit::Visit,
};

#[derive(Template)]
#[template(path = "datasets/index.html")]
struct Index {
    page: Page,
    datasets: Vec<Tile>,
}

struct Tile {
    name: String,
    title: String,
    description: String,
}

/// What the registry takes in, and where to read on.
pub(crate) fn index(visit: &Visit<'_>) -> Reply {
    let page = Page::public(&visit.place);
    let workspace = documented("workspace").ok_or_else(|| Problem::not_found("page"))?;
    let mut datasets: Vec<Tile> = Dataset::all_builtin()
        .iter()
        .map(|dataset| tile(&page, dataset))
        .collect();
    datasets.push(tile(&page, &workspace));
    html(&Index { page, datasets })
}

fn tile(page: &Page, dataset: &Dataset) -> Tile {
    Tile {
        name: dataset.name().to_owned(),
        title: dataset.title().in_language(page.language()).to_owned(),
        description: page.text(dataset.description()),
    }
}
