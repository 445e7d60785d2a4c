//! Renaming a group, and deleting one.

use askama::Template;
use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::{group::Group, members};
use crate::{
    console::{
        Shown, User,
        mistakes::{Mistakes, trimmed},
    },
    site::{Page, html, no_store, redirect},
};

/// Gives a group another name.
pub(super) async fn rename(user: &User<'_>, id: &str) -> Shown {
    let group = Group::named(user, id).await?;
    let page = user.page();
    let name = trimmed(user.visit, "name");
    if name.is_empty() {
        let mistakes = Mistakes::one(&page, "name", "group-name-missing");
        return members::misnamed(user, group, name, mistakes).await;
    }
    let path = format!("/v1/groups/{}", group.id);
    let body = json!({"name": name});
    match user.attempt(Method::PATCH, &path, Some(body)).await? {
        Ok(_) => {
            let path = format!("{}?done=renamed", group.path());
            Ok(redirect(&page.link(&path))?)
        }
        Err(refusal) if refusal.code == "invalid_name" => {
            let mistakes = Mistakes::refused(&page, &refusal, |_| "name");
            members::misnamed(user, group, name, mistakes).await
        }
        Err(refusal) => Err(refusal.into()),
    }
}

#[derive(Template)]
#[template(path = "console/groups/delete.html")]
struct Delete {
    page: Page,
    group: Group,
}

/// Asks whether a group is to be deleted.
pub(super) async fn confirm(user: &User<'_>, id: &str) -> Shown {
    let group = Group::named(user, id).await?;
    let page = user.page();
    Ok(no_store(html(&Delete { page, group })?))
}

#[derive(Deserialize)]
struct Deleted {
    /// The path of the job that removes the memberships.
    job: String,
}

/// Deletes a group, and not its customers.
pub(super) async fn delete(user: &User<'_>, id: &str) -> Shown {
    let group = Group::named(user, id).await?;
    let path = format!("/v1/groups/{}", group.id);
    let answer = user.send(Method::DELETE, &path, None).await?;
    let deleted: Deleted = answer.json()?;
    let job = deleted.job.rsplit('/').next().unwrap_or_default();
    let path = format!("/console/groups?deleting={job}");
    Ok(redirect(&user.page().link(&path))?)
}
