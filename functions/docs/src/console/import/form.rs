//! `/console/import`: which file, and where to.

use askama::Template;
use clientele::dataset::Dataset;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    console::{
        Shown, Stop, User,
        groups::{Group, Groups},
        mistakes::Mistakes,
        stop::Refusal,
    },
    site::{Page, allow_uploads, html, no_store},
};

#[derive(Template)]
#[template(path = "console/import/form.html")]
struct Form {
    page: Page,
    datasets: Vec<Choice>,
    /// The groups to choose from, unless there are too many for that.
    groups: Option<Vec<Group>>,
    mistakes: Mistakes,
    filled: Target,
    max_mebibytes: u64,
}

struct Choice {
    name: String,
    title: String,
    /// The only source that its records have, if they have one.
    source: Option<String>,
}

/// What a browser without scripts may send: 4.5 MB reach a function, the form around it included.
const MAX_MEBIBYTES: u64 = 4;

/// The form, as nobody has filled it in.
pub(crate) async fn empty(user: &User<'_>) -> Shown {
    form(user, Target::default(), Mistakes::none(), StatusCode::OK).await
}

/// The form, as it was filled in, with what is wrong.
pub(crate) async fn form(
    user: &User<'_>,
    filled: Target,
    mistakes: Mistakes,
    status: StatusCode,
) -> Shown {
    let form = Form {
        page: user.page(),
        datasets: choices(user),
        groups: groups(user).await?,
        mistakes,
        filled,
        max_mebibytes: MAX_MEBIBYTES,
    };
    let mut response = no_store(html(&form)?);
    *response.status_mut() = status;
    Ok(allow_uploads(
        response,
        &user.visit.docs.settings.upload_origin,
    ))
}

/// The groups, if they are few enough to choose from. Who may not see any can import all the same.
async fn groups(user: &User<'_>) -> Result<Option<Vec<Group>>, Stop> {
    match user
        .attempt(Method::GET, "/v1/groups?limit=100", None)
        .await?
    {
        Ok(answer) => {
            let found: Groups = answer.json()?;
            Ok(found.next_after.is_none().then_some(found.groups))
        }
        Err(refusal) if refusal.status == StatusCode::FORBIDDEN => Ok(Some(Vec::new())),
        Err(refusal) => Err(refusal.into()),
    }
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
#[derive(Default)]
pub(crate) struct Target {
    pub(crate) dataset: String,
    pub(crate) source: String,
    pub(crate) group: String,
    pub(crate) filename: String,
    pub(crate) mode: String,
    /// The form's own key: it is taken once, however often it is sent.
    pub(crate) once: String,
}

impl Target {
    /// Asks the API for somewhere to put the file.
    pub(crate) async fn announce(&self, user: &User<'_>) -> Result<Result<Upload, Refusal>, Stop> {
        let mut body = Map::from_iter([
            ("dataset".to_owned(), json!(self.dataset)),
            ("filename".to_owned(), json!(self.filename)),
            ("mode".to_owned(), json!(self.mode)),
        ]);
        for (name, value) in [("source", &self.source), ("customer_group_id", &self.group)] {
            let value = value.trim();
            if !value.is_empty() {
                body.insert(name.to_owned(), value.into());
            }
        }
        let path = "/v1/uploads";
        let body = Some(Value::Object(body));
        match user
            .attempt_once(Method::POST, path, body, &self.once)
            .await?
        {
            Ok(answer) => Ok(Ok(answer.json()?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }
}

/// What the API refuses, at the input that it is about.
pub(crate) fn refused(page: &Page, refusal: &Refusal) -> Mistakes {
    Mistakes::refused(page, refusal, |code| match code {
        "invalid_source" | "reserved_source" | "source_of_dataset" => "source",
        "unknown_group" | "group_of_other_dataset" => "group",
        "missing_workspace" => "dataset",
        _ => "",
    })
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
