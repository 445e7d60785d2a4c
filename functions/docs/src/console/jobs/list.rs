//! `/console/jobs`: the latest jobs, page by page.

use askama::Template;
use serde::Deserialize;

use super::view::JobView;
use crate::{
    console::{Shown, User, user::segment},
    site::{Page, html, no_store},
};

/// How many jobs a page has.
const JOBS: usize = 25;

/// A page of jobs.
#[derive(Deserialize)]
pub(crate) struct Jobs {
    pub(crate) jobs: Vec<JobView>,
    next_before: Option<u64>,
}

#[derive(Template)]
#[template(path = "console/jobs/list.html")]
struct List {
    page: Page,
    jobs: Vec<JobView>,
    /// Where earlier jobs are.
    earlier: Option<String>,
    /// Whether this is not the first page.
    is_earlier: bool,
}

/// The latest jobs, or those before the import that the query names.
pub(crate) async fn list(user: &User<'_>) -> Shown {
    let before = user.visit.query("before");
    let after = before
        .as_deref()
        .map(|before| format!("&before={}", segment(before)));
    let path = format!("/v1/jobs?limit={JOBS}{}", after.unwrap_or_default());
    let jobs: Jobs = user.get(&path).await?;
    let page = user.page();
    let earlier = jobs
        .next_before
        .map(|before| page.link(&format!("/console/jobs?before={before}")));
    let list = List {
        page,
        jobs: jobs.jobs,
        earlier,
        is_earlier: before.is_some(),
    };
    Ok(no_store(html(&list)?))
}
