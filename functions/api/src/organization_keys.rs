//! `GET /v1/organization/keys`, `POST …/rotate` and `POST …/rewrap`: an organisation's encryption
//! keys, in clear for those who decrypt by themselves.

use clientele::{
    Registry,
    protection::{KeyVersion, Rotation},
    store::jobs::{Mode, NewJob, Operation},
    web::{Call, Principal, Problem, Reply, json},
};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::registration::register;

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
    match registry.keys.rotate(organization, call.new_id()).await? {
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

/// Starts a job that encrypts everything again under the newest version, and retires the older ones
/// when nothing is under them any more.
pub(crate) async fn rewrap(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    check_reach(caller)?;
    let organization = caller.organization;
    registry.store.ensure_organization(organization).await?;
    let new = |id| NewJob {
        id,
        organization,
        operation: Operation::Rewrap,
        dataset: String::new(),
        data_origin: String::new(),
        source_id: 0,
        group: None,
        mode: Mode::Write,
        key: String::new(),
        filename: String::new(),
        object_modified: None,
        etag: None,
        upload_until: None,
    };
    let job = register(registry, call, new).await?;
    if let Err(error) = registry.importer().start(&job).await {
        // Nobody will work on it. If this fails too, it stays queued.
        let now = Timestamp::now();
        let cancelled = registry.store.cancel_job(organization, job.id, now).await;
        if let Err(error) = cancelled {
            tracing::error!(%error, job = %job.id, "a job that cannot start stays queued");
        }
        return Err(Problem::internal(error));
    }
    let path = format!("/v1/jobs/{}", job.id);
    let body = json!({"job": path, "id": job.id, "state": job.state, "operation": job.operation});
    let mut response = json(StatusCode::ACCEPTED, &body);
    if let Ok(location) = path.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
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
