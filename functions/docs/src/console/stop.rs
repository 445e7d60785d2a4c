//! Why a page of the console cannot be shown.

use askama::Template;
use clientele::web::{Problem, Reply};
use http::StatusCode;
use serde_json::Value;

use super::{
    User,
    mistakes::Mistakes,
    sign_in::{self, Why},
};
use crate::{
    api::{Answer, Unreachable},
    site::{Page, html, no_store},
};

/// What ends a page before it is made.
pub(crate) enum Stop {
    /// The token is no longer believed.
    SignedOut,
    /// The API refuses.
    Refused(Box<Refusal>),
    /// The API does not answer.
    Unreachable(Unreachable),
    /// The page itself fails, or there is none.
    Failed(Problem),
}

impl From<Unreachable> for Stop {
    fn from(error: Unreachable) -> Self {
        Self::Unreachable(error)
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// A problem that the API answered with.
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    /// The last part of its `type`.
    pub(crate) code: String,
    /// What to do, in the API's words.
    pub(crate) detail: String,
    /// The messages of its errors, each with its place.
    pub(crate) errors: Vec<String>,
    /// The same errors, as the API wrote them.
    pub(crate) listed: Vec<Value>,
    pub(crate) request_id: String,
}

impl Refusal {
    /// That there is no such thing, found before the API was asked.
    pub(crate) fn missing(detail: String) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "not_found".to_owned(),
            detail,
            errors: Vec::new(),
            listed: Vec::new(),
            request_id: String::new(),
        }
    }

    /// Reads problem details (RFC 9457).
    pub(crate) fn of(answer: &Answer) -> Self {
        let problem: Value = answer.json().unwrap_or_default();
        let text = |name: &str| {
            problem
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let listed = problem.get("errors").and_then(Value::as_array).cloned();
        let listed = listed.unwrap_or_default();
        Self {
            status: answer.status,
            code: text("type")
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned(),
            detail: text("detail").to_owned(),
            errors: listed.iter().map(error_line).collect(),
            listed,
            request_id: answer.request_id.clone(),
        }
    }
}

/// An error with its row and column, or its field.
fn error_line(error: &Value) -> String {
    let part = |name: &str| match error.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let place: Vec<String> = ["row", "column", "field", "path"]
        .iter()
        .filter_map(|name| part(name))
        .collect();
    let message = part("message").unwrap_or_default();
    match place.is_empty() {
        true => message,
        false => format!("{}: {message}", place.join(", ")),
    }
}

#[derive(Template)]
#[template(path = "console/refused.html")]
struct Refused {
    page: Page,
    title: String,
    mistakes: Mistakes,
    errors: Vec<String>,
    code: String,
    request_id: String,
}

impl Stop {
    /// The page that is shown instead.
    pub(crate) fn show(self, user: &User<'_>) -> Reply {
        let page = user.page();
        match self {
            Self::SignedOut => sign_in::page(user.visit, &user.visit.place, Why::Ended),
            Self::Failed(problem) => Err(problem),
            Self::Unreachable(error) => {
                tracing::error!(%error, request_id = user.visit.request_id, "a page lacks the API");
                let refused = Refused {
                    title: page.say("refused-unreachable"),
                    mistakes: Mistakes::one(&page, "", "refused-unreachable-detail"),
                    errors: Vec::new(),
                    code: String::new(),
                    request_id: user.visit.request_id.to_owned(),
                    page,
                };
                shown(&refused, StatusCode::BAD_GATEWAY)
            }
            Self::Refused(refusal) => {
                let title = match refusal.status {
                    StatusCode::FORBIDDEN => "refused-forbidden",
                    StatusCode::NOT_FOUND => "refused-missing",
                    StatusCode::TOO_MANY_REQUESTS => "refused-busy",
                    _ => "refused-other",
                };
                let refused = Refused {
                    title: page.say(title),
                    mistakes: Mistakes::refused(&page, &refusal, |_| ""),
                    errors: refusal.errors,
                    code: refusal.code,
                    request_id: refusal.request_id,
                    page,
                };
                shown(&refused, refusal.status)
            }
        }
    }
}

fn shown(refused: &Refused, status: StatusCode) -> Reply {
    let mut response = no_store(html(refused)?);
    *response.status_mut() = status;
    Ok(response)
}
