//! `/console/jobs/{id}`: one job, whose state follows what happens.

use askama::Template;
use clientele::web::Scope;

use super::view::JobView;
use crate::{
    console::{Shown, User, user::segment},
    site::{Page, html, no_store},
};

/// How many row errors are shown; the report has more.
const ERRORS: usize = 100;

#[derive(Template)]
#[template(path = "console/jobs/one.html")]
struct One {
    page: Page,
    job: JobView,
    may_stop: bool,
    may_reveal: bool,
    /// Whether the state stands by itself, on another page than the job's.
    is_alone: bool,
}

#[derive(Template)]
#[template(path = "console/jobs/status.html")]
struct Status {
    page: Page,
    job: JobView,
    may_stop: bool,
    may_reveal: bool,
    /// Whether the state stands by itself, on another page than the job's.
    is_alone: bool,
}

/// A job's page.
pub(crate) async fn one(user: &User<'_>, id: &str) -> Shown {
    let claims = user.claims();
    let job = job(user, id).await?;
    let one = One {
        page: user.page(),
        may_stop: job.may_be_stopped(&claims),
        job,
        may_reveal: claims.has(Scope::PiiReveal),
        is_alone: false,
    };
    Ok(no_store(html(&one)?))
}

/// The part of it that changes while the job runs, which the page puts in its place.
pub(crate) async fn status(user: &User<'_>, id: &str) -> Shown {
    let claims = user.claims();
    let job = job(user, id).await?;
    let status = Status {
        page: user.page(),
        may_stop: job.may_be_stopped(&claims),
        job,
        may_reveal: claims.has(Scope::PiiReveal),
        is_alone: user.visit.query("alone").is_some(),
    };
    Ok(no_store(html(&status)?))
}

async fn job(user: &User<'_>, id: &str) -> Result<JobView, crate::console::Stop> {
    user.get(&format!("/v1/jobs/{}?errors={ERRORS}", segment(id)))
        .await
}
