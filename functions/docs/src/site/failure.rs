//! Errors as pages, for people.

use askama::Template;
use clientele::web::Problem;
use http::{Response, StatusCode};

use super::{Page, Place, html, no_store};

#[derive(Template)]
#[template(path = "failure.html")]
struct Failure {
    page: Page,
    title: String,
    explanation: String,
    request_id: String,
}

/// A page that says what went wrong, under the problem's own status.
pub(crate) fn failure_page(
    place: &Place,
    status: StatusCode,
    request_id: &str,
) -> Result<Response<String>, Problem> {
    let page = Page::public(place);
    let (title, explanation) = match status {
        StatusCode::NOT_FOUND => ("failure-not-found", "failure-not-found-explanation"),
        StatusCode::METHOD_NOT_ALLOWED => ("failure-method", "failure-method-explanation"),
        status if status.is_server_error() => ("failure-server", "failure-server-explanation"),
        _ => ("failure-request", "failure-request-explanation"),
    };
    let mut response = html(&Failure {
        title: page.say(title),
        explanation: page.say(explanation),
        request_id: request_id.to_owned(),
        page,
    })?;
    *response.status_mut() = status;
    Ok(no_store(response))
}
