//! The versions of the encryption key: which there are, a new one, encrypting everything again. The
//! keys themselves are not shown.

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::change::with_keys;
use crate::{
    console::{Shown, User},
    site::redirect,
};

/// A version of the key. What it consists of is left where it came from.
#[derive(Debug, Deserialize)]
pub(super) struct KeyVersion {
    pub(super) version: u64,
    pub(super) created_at: String,
    pub(super) state: String,
}

impl KeyVersion {
    /// The id of the words for its state.
    pub(super) fn state_words(&self) -> &'static str {
        match self.state.as_str() {
            "active" => "key-active",
            "retired" => "key-retired",
            _ => "key-older",
        }
    }
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<KeyVersion>,
}

/// Every version, the newest first.
pub(super) async fn list(user: &User<'_>) -> Shown {
    let Keys { keys } = user.get("/v1/organization/keys").await?;
    with_keys(user, Some(keys)).await
}

/// Makes a new version.
pub(super) async fn rotate(user: &User<'_>) -> Shown {
    let path = "/v1/organization/keys/rotate";
    user.send(Method::POST, path, Some(json!({}))).await?;
    let path = "/console/settings?done=rotated";
    Ok(redirect(&user.page().link(path))?)
}

#[derive(Deserialize)]
struct Started {
    id: String,
}

/// Starts the job that encrypts everything under the newest version, and leads to it.
pub(super) async fn rewrap(user: &User<'_>) -> Shown {
    let path = "/v1/organization/keys/rewrap";
    let started: Started = user.post(path, json!({})).await?;
    let path = format!("/console/jobs/{}", started.id);
    Ok(redirect(&user.page().link(&path))?)
}
