//! The organization's sources with their tokens, and the form for a new one.

use askama::Template;
use clientele::dataset::Dataset;
use http::StatusCode;
use serde::Deserialize;

use crate::{
    console::{Shown, User, mistakes::Mistakes, user::segment},
    site::{Page, html, no_store},
};

/// A source.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) data_origin: String,
    pub(super) tokens: Vec<Token>,
}

/// A source's token, without the token itself.
#[derive(Debug, Deserialize)]
pub(super) struct Token {
    pub(super) id: String,
    pub(super) datasets: Vec<String>,
    pub(super) created_at: String,
    pub(super) created_by: String,
}

#[derive(Debug, Deserialize)]
struct Sources {
    sources: Vec<Source>,
    next_after: Option<String>,
}

/// What the form for a new token holds.
#[derive(Debug, Default)]
pub(super) struct NewToken {
    pub(super) data_origin: String,
    pub(super) datasets: Vec<String>,
}

/// A dataset that a token may be for.
struct Offered {
    name: String,
    title: String,
    /// The one source that the dataset's records have, if there is only one.
    source: Option<String>,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "console/sources/list.html")]
struct List {
    page: Page,
    sources: Vec<Source>,
    /// Where the sources after these are.
    next: Option<String>,
    is_later: bool,
    /// How many tokens were just revoked.
    revoked: Option<u64>,
    form: NewToken,
    offered: Vec<Offered>,
    mistakes: Mistakes,
}

/// The first sources, or those after the one that the query names.
pub(super) async fn page(user: &User<'_>) -> Shown {
    show(user, NewToken::default(), Mistakes::none(), StatusCode::OK).await
}

/// The sources, with a form as it was filled in.
pub(super) async fn show(
    user: &User<'_>,
    form: NewToken,
    mistakes: Mistakes,
    status: StatusCode,
) -> Shown {
    let after = user.visit.query("after");
    let query = after.as_deref().map(|id| format!("?after={}", segment(id)));
    let path = format!("/v1/sources{}", query.unwrap_or_default());
    let found: Sources = user.get(&path).await?;
    let page = user.page();
    let next = found.next_after;
    let revoked = user.visit.query("revoked");
    let offered = |dataset: &std::sync::Arc<Dataset>| Offered {
        name: dataset.name().to_owned(),
        title: dataset.title().in_language(page.language()).to_owned(),
        source: dataset.source().map(ToString::to_string),
        is_chosen: form.datasets.iter().any(|name| name == dataset.name()),
    };
    let list = List {
        next: next.map(|id| page.link(&format!("/console/sources?after={}", segment(&id)))),
        sources: found.sources,
        is_later: after.is_some(),
        revoked: revoked.and_then(|number| number.parse().ok()),
        offered: Dataset::all_builtin().iter().map(offered).collect(),
        page,
        form,
        mistakes,
    };
    let mut response = no_store(html(&list)?);
    *response.status_mut() = status;
    Ok(response)
}
