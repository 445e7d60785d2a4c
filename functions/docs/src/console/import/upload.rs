//! `POST /console/import/upload`: where the page's script is to put a file.

use http::StatusCode;
use serde_json::json;

use super::form::{Target, refused};
use crate::{
    console::{Shown, User},
    site::no_store,
};

/// An address for the file, and the page of its job; or what is wrong.
pub(crate) async fn announce(user: &User<'_>) -> Shown {
    let read = |name: &str| user.visit.form(name).unwrap_or_default();
    let target = Target {
        dataset: read("dataset"),
        source: read("source"),
        group: read("group"),
        filename: read("filename"),
        mode: read("mode"),
        once: read("once"),
    };
    let (status, body) = match target.announce(user).await? {
        Ok(upload) => {
            let page = upload.page(user);
            let body = json!({"url": upload.url, "headers": upload.headers, "page": page});
            (StatusCode::OK, body)
        }
        Err(refusal) => {
            let mistakes = refused(&user.page(), &refusal);
            let messages: Vec<&str> = mistakes.iter().map(|its| its.message.as_str()).collect();
            (refusal.status, json!({"message": messages.join(" ")}))
        }
    };
    Ok(no_store(clientele::web::json(status, &body)))
}
