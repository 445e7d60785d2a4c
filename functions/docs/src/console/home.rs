//! The console's first page.

use askama::Template;
use http::{Method, StatusCode};

use super::{
    Shown, User,
    jobs::{JobView, Jobs},
};
use crate::site::{Page, html, no_store};

#[derive(Template)]
#[template(path = "console/home.html")]
struct Home {
    page: Page,
    organization: Option<String>,
    scopes: Vec<&'static str>,
    /// The latest jobs, for who may see them.
    jobs: Vec<JobView>,
}

/// Who has signed in, what has happened last, and where to go.
pub(crate) async fn page(user: &User<'_>) -> Shown {
    let jobs = match user.attempt(Method::GET, "/v1/jobs?limit=5", None).await? {
        Ok(answer) => answer.json::<Jobs>()?.jobs,
        Err(refusal) if refusal.status == StatusCode::FORBIDDEN => Vec::new(),
        Err(refusal) => return Err(refusal.into()),
    };
    let claims = user.claims();
    let home = Home {
        page: user.page(),
        organization: claims.organization,
        scopes: claims.scopes.iter().map(|scope| scope.as_str()).collect(),
        jobs,
    };
    Ok(no_store(html(&home)?))
}
