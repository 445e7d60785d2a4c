//! The console's first page.

use askama::Template;

use super::{Shown, User};
use crate::site::{Page, html, no_store};

#[derive(Template)]
#[template(path = "console/home.html")]
struct Home {
    page: Page,
    organization: Option<String>,
    scopes: Vec<String>,
}

/// Who has signed in, and where to go.
pub(crate) fn page(user: &User<'_>) -> Shown {
    let claims = user.claims();
    let home = Home {
        page: user.page(),
        organization: claims.organization,
        scopes: claims.scopes,
    };
    Ok(no_store(html(&home)?))
}
