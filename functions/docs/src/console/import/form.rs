//! `/console/import`: which file, and where to.

use askama::Template;
use clientele::dataset::Dataset;
use serde::Deserialize;

use crate::{
    console::{Shown, Stop, User},
    site::{Page, allow_uploads, html, no_store},
};

#[derive(Template)]
#[template(path = "console/import/form.html")]
struct Form {
    page: Page,
    datasets: Vec<Choice>,
    groups: Vec<Group>,
    error: Option<String>,
}

struct Choice {
    name: String,
    title: String,
    /// The only source that its records have, if they have one.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Group {
    id: String,
    name: Option<String>,
    dataset: String,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

/// The form, with what was wrong when it was sent.
pub(crate) async fn form(user: &User<'_>, error: Option<String>) -> Shown {
    // Who may not see groups can import all the same.
    let groups = user
        .attempt(http::Method::GET, "/v1/groups?limit=1000", None)
        .await?;
    let groups = match groups {
        Ok(answer) => answer.json::<Groups>()?.groups,
        Err(_) => Vec::new(),
    };
    let form = Form {
        page: user.page(),
        datasets: choices(user),
        groups,
        error,
    };
    let response = no_store(html(&form)?);
    Ok(allow_uploads(
        response,
        &user.visit.docs.settings.upload_origin,
    ))
}

/// The datasets that files may be of.
fn choices(user: &User<'_>) -> Vec<Choice> {
    let language = user.language();
    let builtin = Dataset::all_builtin().iter().map(|dataset| Choice {
        name: dataset.name().to_owned(),
        title: dataset.title().in_language(language).to_owned(),
        source: dataset.source().map(ToString::to_string),
    });
    let workspace = Choice {
        name: "workspace".to_owned(),
        title: user.page().say("dataset-workspace"),
        source: Some("workspace".to_owned()),
    };
    builtin.chain([workspace]).collect()
}

/// What the form says of a file's whereabouts.
pub(crate) struct Target {
    pub(crate) dataset: String,
    pub(crate) source: String,
    pub(crate) group: String,
    pub(crate) filename: String,
    pub(crate) mode: String,
}

impl Target {
    /// Asks the API for somewhere to put the file.
    pub(crate) async fn announce(&self, user: &User<'_>) -> Result<Result<Upload, String>, Stop> {
        let mut body = serde_json::json!({
            "dataset": self.dataset,
            "filename": self.filename,
            "mode": self.mode,
        });
        for (name, value) in [("source", &self.source), ("customer_group_id", &self.group)] {
            if !value.trim().is_empty()
                && let Some(body) = body.as_object_mut()
            {
                body.insert(name.to_owned(), value.trim().into());
            }
        }
        let answer = user
            .attempt(http::Method::POST, "/v1/uploads", Some(body))
            .await?;
        Ok(match answer {
            Ok(answer) => Ok(answer.json()?),
            Err(refusal) if refusal.code == "no_customers" => {
                Err(user.page().say("import-no-group"))
            }
            Err(refusal) => Err(refusal.detail),
        })
    }
}

/// Where a file is to be put, and the job that takes it from there.
#[derive(Deserialize)]
pub(crate) struct Upload {
    pub(crate) url: String,
    pub(crate) headers: serde_json::Map<String, serde_json::Value>,
    /// `/v1/jobs/{id}`.
    pub(crate) job: String,
}

impl Upload {
    /// The job's page.
    pub(crate) fn page(&self, user: &User<'_>) -> String {
        let id = self.job.rsplit('/').next().unwrap_or_default();
        user.visit.place.link(&format!("/console/jobs/{id}"))
    }
}
