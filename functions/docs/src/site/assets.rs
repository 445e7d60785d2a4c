//! The files that pages load, compiled in: nothing comes from another host.

use clientele::web::{Problem, Reply};
use http::HeaderMap;

use crate::published::published;

/// Name, media type, content.
const FILES: &[(&str, &str, &str)] = &[
    (
        "site.css",
        "text/css; charset=utf-8",
        include_str!("../../assets/site.css"),
    ),
    (
        "docs.css",
        "text/css; charset=utf-8",
        include_str!("../../assets/docs.css"),
    ),
    (
        "console.js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/console.js"),
    ),
    (
        "reference.css",
        "text/css; charset=utf-8",
        include_str!("../../assets/reference.css"),
    ),
    (
        "reference.js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/reference.js"),
    ),
    (
        "swagger-ui.css",
        "text/css; charset=utf-8",
        include_str!("../../assets/swagger-ui/swagger-ui.css"),
    ),
    (
        "swagger-ui-bundle.js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/swagger-ui/swagger-ui-bundle.js"),
    ),
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../../assets/icon.svg"),
    ),
];

/// A file below `/docs/assets/`.
pub(crate) fn asset(name: &str, headers: &HeaderMap) -> Reply {
    let file = FILES.iter().find(|(its, ..)| *its == name);
    let (_, media_type, content) = file.ok_or_else(|| Problem::not_found("file"))?;
    Ok(published((*content).to_owned(), media_type, headers))
}
