//! Taking tokens back: one of a source's, or all.

use askama::Template;
use clientele::identity::DataOrigin;
use http::Method;
use serde::Deserialize;

use crate::{
    console::{Shown, Stop, User, stop::Refusal, user::segment},
    site::{Page, html, no_store, redirect},
};

#[derive(Template)]
#[template(path = "console/sources/revoke.html")]
struct Revoke {
    page: Page,
    origin: String,
    /// The token's id; all of the source's are meant without one.
    token: Option<String>,
}

/// Asks whether a token is to be revoked.
pub(super) async fn confirm(user: &User<'_>, origin: &str) -> Shown {
    let origin = source(user, origin)?;
    let token = user.visit.query("token").filter(|id| !id.is_empty());
    let page = user.page();
    // All is what is asked for, not what is left when a token's id was lost on the way.
    if token.is_none() && user.visit.query("all").is_none() {
        return Ok(redirect(&page.link("/console/sources"))?);
    }
    let revoke = Revoke {
        page,
        origin,
        token,
    };
    Ok(no_store(html(&revoke)?))
}

#[derive(Deserialize)]
struct Revoked {
    revoked: u64,
}

/// Revokes a source's token, or all of them.
pub(super) async fn revoke(user: &User<'_>, origin: &str) -> Shown {
    let origin = source(user, origin)?;
    let token = user.visit.form("token").filter(|id| !id.is_empty());
    if token.is_none() && user.visit.form("all").is_none() {
        return Ok(redirect(&user.page().link("/console/sources"))?);
    }
    let only = token.map(|id| format!("?token={}", segment(&id)));
    let path = format!("/v1/sources/{origin}{}", only.unwrap_or_default());
    let answer = user.send(Method::DELETE, &path, None).await?;
    let Revoked { revoked } = answer.json()?;
    let path = format!("/console/sources?revoked={revoked}");
    Ok(redirect(&user.page().link(&path))?)
}

/// The source in a path.
fn source(user: &User<'_>, origin: &str) -> Result<String, Stop> {
    match origin.parse::<DataOrigin>() {
        Ok(origin) => Ok(origin.to_string()),
        Err(_) => Err(Refusal::missing(user.page().say("source-unknown")).into()),
    }
}
