//! `/docs/api`: the document in Swagger UI, which is shipped in the binary.

use askama::Template;
use clientele::web::Reply;

use crate::site::{Page, Place, html};

#[derive(Template)]
#[template(path = "reference.html")]
struct Viewer {
    page: Page,
}

/// The page.
pub(crate) fn viewer(place: &Place) -> Reply {
    html(&Viewer {
        page: Page::public(place),
    })
}
