//! Making a token, which is shown this once.

use askama::Template;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::list::{NewToken, show};
use crate::{
    console::{
        Shown, User,
        mistakes::{Mistakes, trimmed},
    },
    site::{Page, html, no_store, redirect},
};

#[derive(Deserialize)]
struct Granted {
    id: String,
    /// Not in the reply to a form that is sent again: it was shown.
    token: Option<String>,
    data_origin: String,
    datasets: Vec<String>,
}

#[derive(Template)]
#[template(path = "console/sources/granted.html")]
struct Shows {
    page: Page,
    granted: Granted,
    /// A command that uses the token.
    example: String,
}

/// Makes a token for a source, and the source if it is new.
pub(super) async fn grant(user: &User<'_>) -> Shown {
    let form = NewToken {
        data_origin: trimmed(user.visit, "data_origin"),
        datasets: user.visit.form_all("datasets"),
    };
    let page = user.page();
    if form.datasets.is_empty() {
        let mistakes = Mistakes::one(&page, "datasets", "token-no-datasets");
        return show(user, form, mistakes, StatusCode::BAD_REQUEST).await;
    }
    let body = json!({"data_origin": form.data_origin, "datasets": form.datasets});
    match user
        .attempt(Method::POST, "/v1/sources", Some(body))
        .await?
    {
        Ok(answer) => {
            let granted: Granted = answer.json()?;
            if granted.token.is_none() {
                return Ok(redirect(&page.link("/console/sources"))?);
            }
            let shows = Shows {
                example: example(user, &granted),
                page,
                granted,
            };
            Ok(no_store(html(&shows)?))
        }
        Err(refusal) => {
            let mistakes = Mistakes::refused(&page, &refusal, |code| match code {
                "invalid_source" | "reserved_source" | "too_many_tokens" => "data_origin",
                "source_of_dataset" | "invalid_datasets" | "unknown_dataset" => "datasets",
                _ => "",
            });
            show(user, form, mistakes, refusal.status).await
        }
    }
}

/// How a program sends its first record.
fn example(user: &User<'_>, granted: &Granted) -> String {
    let base = user.visit.origin();
    let first = granted.datasets.first().map_or("", String::as_str);
    let (path, body) = match first {
        "contacts" => (
            "/external/v1/customers".to_owned(),
            r#"{"name": "Ann Okello", "email": "ann@example.com", "whatsapp_number": "+256777000001", "source": "web"}"#,
        ),
        "profiles" => ("/v1/events".to_owned(), "@profiles-example.json"),
        "meters" => (
            "/api/v1/in/meters".to_owned(),
            r#"{"data": [{"customer_external_id": "1", "manufacturer": "HOP", "serial_number": "A1", "device_external_id": "1"}]}"#,
        ),
        dataset => (
            format!("/api/v1/in/{dataset}"),
            r#"{"data": [{"external_id": "1", "country": "UG"}]}"#,
        ),
    };
    format!("curl -H \"Authorization: Bearer $TOKEN\" {base}{path} \\\n  --json '{body}'")
}
