//! Stopping a job.

use http::Method;

use crate::{
    console::{Shown, User, user::segment},
    site::redirect,
};

/// Stops a job, and shows what has become of it. One that has ended meanwhile stays as it is.
pub(crate) async fn cancel(user: &User<'_>, id: &str) -> Shown {
    let path = format!("/v1/jobs/{}/cancel", segment(id));
    match user.attempt(Method::POST, &path, None).await? {
        Err(refusal) if refusal.code != "job_ended" => Err(refusal.into()),
        _ => {
            let page = format!("/console/jobs/{}", segment(id));
            Ok(redirect(&user.visit.place.link(&page))?)
        }
    }
}
