//! A job's files: its report and its refused rows, handed on as the API gives them.

use http::{HeaderValue, Method, Response, header};

use crate::{
    console::{Shown, User, user::segment},
    site::no_store,
};

/// The refused rows as csv, in as many parts as the API makes of them.
pub(crate) async fn rejected(user: &User<'_>, id: &str) -> Shown {
    let part = user.visit.query("part");
    let part = part.map(|part| format!("?part={}", segment(&part)));
    let path = format!(
        "/v1/jobs/{}/rejected.csv{}",
        segment(id),
        part.unwrap_or_default()
    );
    handed_on(user, &path).await
}

/// The report as JSON.
pub(crate) async fn report(user: &User<'_>, id: &str) -> Shown {
    let mut response = handed_on(user, &format!("/v1/jobs/{}/report", segment(id))).await?;
    let disposition = HeaderValue::from_static("attachment; filename=\"report.json\"");
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

async fn handed_on(user: &User<'_>, path: &str) -> Shown {
    let answer = user.send(Method::GET, path, None).await?;
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
    Ok(response)
}
