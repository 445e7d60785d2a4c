//! `GET /v1/organization/keys` and `POST …/rotate`: an organisation's encryption keys, for those who
//! decrypt by themselves.

use clientele::{
    Registry,
    protection::{KeyVersion, Rotation},
    web::{Call, Principal, Problem, Reply, json},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// Every version, the newest first. Retired ones come without their key.
pub(crate) async fn list(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    check_reach(caller)?;
    let versions = registry.keys.versions(caller.organization).await?;
    call.audit(|line| {
        line.count("keys", versions.len() as u64);
        line.reveal();
    });
    let keys: Vec<Value> = versions.iter().map(key_body).collect();
    let mut response = json(StatusCode::OK, &json!({"keys": keys}));
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

/// Makes a new version.
pub(crate) async fn rotate(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    check_reach(caller)?;
    let organization = caller.organization;
    registry.store.ensure_organization(organization).await?;
    match registry.keys.rotate(organization).await? {
        Rotation::Made(made) => {
            call.audit(|line| line.count("key_version", u64::from(made.version)));
            let body = json!({
                "version": made.version,
                "created_at": made.created_at,
                "state": made.state,
            });
            Ok(json(StatusCode::CREATED, &body))
        }
        Rotation::Overtaken(version) => Err(Problem::conflict(
            "rotation_overtaken",
            format!("another rotation has just made version {version}"),
        )),
        Rotation::TooMany(in_use) => Err(Problem::conflict(
            "too_many_keys",
            format!(
                "{in_use} versions are in use; POST /v1/organization/keys/rewrap retires those that are no longer needed"
            ),
        )),
    }
}

/// Keys open the records of every group.
pub(crate) fn check_reach(caller: &Principal) -> Result<(), Problem> {
    match caller.is_bound_to_groups() {
        false => Ok(()),
        true => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "bound_to_groups",
            "Not allowed",
            "this concerns the whole organization, and the token is bound to groups",
        )),
    }
}

fn key_body(version: &KeyVersion) -> Value {
    let key = version.key.as_ref().map(|key| key.to_base64());
    json!({
        "version": version.version,
        "key": key.as_deref(),
        "created_at": version.created_at,
        "state": version.state,
    })
}
