//! The organization's groups, and making one.

use askama::Template;
use clientele::{
    dataset::{Dataset, workspace::WORKSPACE},
    web::Scope,
};
use http::{Method, StatusCode};
use serde_json::json;

use super::group::{Group, Groups};
use crate::{
    console::{
        Shown, User,
        mistakes::{Mistakes, trimmed},
        user::segment,
    },
    site::{Page, html, no_store, redirect},
};

/// How many groups a page has: each one's members are counted.
const GROUPS: usize = 50;

#[derive(Template)]
#[template(path = "console/groups/list.html")]
struct List {
    page: Page,
    groups: Vec<Group>,
    /// Where the groups after these are.
    next: Option<String>,
    /// Whether these are not the first.
    is_later: bool,
    /// The job that removes the memberships of a group that was just deleted.
    deleting: Option<String>,
    form: Option<NewGroup>,
    mistakes: Mistakes,
}

/// What the form for a new group holds.
#[derive(Debug, Default)]
struct NewGroup {
    name: String,
    id: String,
    dataset: String,
    datasets: Vec<String>,
}

impl NewGroup {
    fn empty() -> Self {
        let datasets = Dataset::all_builtin().iter();
        let datasets = datasets.map(|dataset| dataset.name().to_owned());
        Self {
            datasets: datasets.chain([WORKSPACE.to_owned()]).collect(),
            ..Self::default()
        }
    }
}

/// The first groups, or those after the one that the query names.
pub(super) async fn page(user: &User<'_>) -> Shown {
    show(user, NewGroup::empty(), Mistakes::none(), StatusCode::OK).await
}

/// Makes a group and leads to it, or says what is wrong.
pub(super) async fn create(user: &User<'_>) -> Shown {
    let form = NewGroup {
        name: trimmed(user.visit, "name"),
        id: trimmed(user.visit, "id"),
        dataset: trimmed(user.visit, "dataset"),
        ..NewGroup::empty()
    };
    let page = user.page();
    if form.name.is_empty() {
        let mistakes = Mistakes::one(&page, "name", "group-name-missing");
        return show(user, form, mistakes, StatusCode::BAD_REQUEST).await;
    }
    let mut body = json!({"name": form.name, "dataset": form.dataset});
    if let (false, Some(body)) = (form.id.is_empty(), body.as_object_mut()) {
        body.insert("id".to_owned(), form.id.clone().into());
    }
    match user.attempt(Method::POST, "/v1/groups", Some(body)).await? {
        Ok(answer) => {
            let group: Group = answer.json()?;
            let path = format!("{}?done=created", group.path());
            Ok(redirect(&page.link(&path))?)
        }
        Err(refusal) => {
            let mistakes = Mistakes::refused(&page, &refusal, |code| match code {
                "invalid_group_id"
                | "reserved_group_id"
                | "group_exists"
                | "group_being_deleted" => "id",
                "invalid_name" => "name",
                "unknown_dataset" => "dataset",
                _ => "",
            });
            show(user, form, mistakes, refusal.status).await
        }
    }
}

async fn show(user: &User<'_>, form: NewGroup, mistakes: Mistakes, status: StatusCode) -> Shown {
    let after = user.visit.query("after");
    let query = after.as_deref().map(|id| format!("&after={}", segment(id)));
    let path = format!("/v1/groups?limit={GROUPS}{}", query.unwrap_or_default());
    let found: Groups = user.get(&path).await?;
    let page = user.page();
    let next = found.next_after;
    let is_of_ids = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    let deleting = user.visit.query("deleting");
    let list = List {
        next: next.map(|id| page.link(&format!("/console/groups?after={}", segment(&id)))),
        page,
        groups: found.groups,
        is_later: after.is_some(),
        deleting: deleting.filter(|job| job.bytes().all(is_of_ids)),
        form: user.claims().has(Scope::RecordsWrite).then_some(form),
        mistakes,
    };
    let mut response = no_store(html(&list)?);
    *response.status_mut() = status;
    Ok(response)
}
