//! A job's files: its report and its refused rows, handed on as the API gives them.

use askama::Template;
use http::{HeaderValue, Method, Response, header};

use crate::{
    api::Answer,
    console::{Shown, User, user::segment},
    site::{Page, html, no_store},
};

#[derive(Template)]
#[template(path = "console/jobs/parts.html")]
struct Parts {
    page: Page,
    id: String,
    parts: u64,
}

/// The refused rows as csv, or where its parts are if the API makes several of it.
pub(crate) async fn rejected(user: &User<'_>, id: &str) -> Shown {
    let part = user.visit.query("part");
    let only = part
        .as_deref()
        .map(|part| format!("?part={}", segment(part)));
    let path = format!(
        "/v1/jobs/{}/rejected.csv{}",
        segment(id),
        only.unwrap_or_default()
    );
    let answer = user.send(Method::GET, &path, None).await?;
    let parts: u64 = answer.parts.parse().unwrap_or(1);
    if part.is_some() || parts < 2 {
        return Ok(handed_on(answer));
    }
    let parts = Parts {
        page: user.page(),
        id: segment(id),
        parts,
    };
    Ok(no_store(html(&parts)?))
}

/// The report as JSON.
pub(crate) async fn report(user: &User<'_>, id: &str) -> Shown {
    let path = format!("/v1/jobs/{}/report", segment(id));
    let mut response = handed_on(user.send(Method::GET, &path, None).await?);
    let disposition = HeaderValue::from_static("attachment; filename=\"report.json\"");
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

fn handed_on(answer: Answer) -> Response<String> {
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    let mut response = no_store(Response::new(body));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, &answer.content_type),
        (header::CONTENT_DISPOSITION, &answer.content_disposition),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
