//! The organization's settings: reading and changing them.

use askama::Template;
use clientele::web::Scope;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys::KeyVersion;
use crate::{
    console::{
        Shown, User,
        mistakes::{Mistakes, trimmed},
    },
    site::{Page, html, no_store, redirect},
};

/// The ways in which pseudonyms are made.
const PSEUDONYMS: [&str; 2] = ["sha256", "hmac-sha256"];
/// What may become of unknown columns.
const UNKNOWN_COLUMNS: [&str; 3] = ["keep", "drop", "reject"];

/// The settings, as the API has them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pseudonyms: String,
    /// `keep`, `drop` or `reject`.
    pub(crate) unknown_columns: String,
}

#[derive(Template)]
#[template(path = "console/settings/page.html")]
struct Shows {
    page: Page,
    settings: Settings,
    /// What was just done: the id of its words.
    done: Option<&'static str>,
    /// The versions of the encryption key, if they were asked for.
    keys: Option<Vec<KeyVersion>>,
    may_change: bool,
    may_reveal: bool,
    mistakes: Mistakes,
}

/// The settings as they are.
pub(super) async fn page(user: &User<'_>) -> Shown {
    with_keys(user, None).await
}

/// The settings, and the versions of the encryption key.
pub(super) async fn with_keys(user: &User<'_>, keys: Option<Vec<KeyVersion>>) -> Shown {
    let settings: Settings = user.get("/v1/organization/settings").await?;
    let shows = Shows {
        keys,
        ..shows(user, settings)
    };
    Ok(no_store(html(&shows)?))
}

fn shows(user: &User<'_>, settings: Settings) -> Shows {
    let claims = user.claims();
    let done = user.visit.query("done");
    Shows {
        page: user.page(),
        settings,
        done: done.and_then(|done| match done.as_str() {
            "saved" => Some("settings-saved"),
            "rotated" => Some("keys-rotated"),
            _ => None,
        }),
        keys: None,
        may_change: claims.has(Scope::WorkspaceAdmin),
        may_reveal: claims.has(Scope::PiiReveal),
        mistakes: Mistakes::none(),
    }
}

/// Changes the settings, or says at which one they cannot be.
pub(super) async fn change(user: &User<'_>) -> Shown {
    let settings = Settings {
        pseudonyms: trimmed(user.visit, "pseudonyms"),
        unknown_columns: trimmed(user.visit, "unknown_columns"),
    };
    let page = user.page();
    let path = "/v1/organization/settings";
    let body = json!(settings);
    let refusal = match user.attempt(Method::PATCH, path, Some(body)).await? {
        Ok(_) => return Ok(redirect(&page.link("/console/settings?done=saved"))?),
        Err(refusal) if refusal.status == StatusCode::FORBIDDEN => return Err(refusal.into()),
        Err(refusal) => refusal,
    };
    let mistakes = Mistakes::refused(&page, &refusal, |code| match code {
        "pseudonyms_in_use" => "pseudonyms",
        _ => "",
    });
    let shows = Shows {
        mistakes,
        ..shows(user, settings)
    };
    let mut response = no_store(html(&shows)?);
    *response.status_mut() = refusal.status;
    Ok(response)
}
