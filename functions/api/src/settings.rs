//! `GET` and `PATCH /v1/organization/settings`.

use clientele::{
    Registry,
    record::UnknownColumns,
    store::{NewSettings, Organization, SettingsChange},
    web::{Call, Principal, Problem, Reply, json},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::organization_keys::check_reach;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    pseudonyms: Option<String>,
    unknown_columns: Option<String>,
}

/// The organisation's settings.
pub(crate) async fn read(registry: &Registry, _call: &Call<'_>, caller: &Principal) -> Reply {
    let stored = registry.store.organization(caller.organization).await?;
    Ok(body(stored.unwrap_or_default()))
}

/// Changes the settings that are sent.
pub(crate) async fn change(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    check_reach(caller)?;
    let request: Request = call.object()?;
    let keyed_pseudonyms = match request.pseudonyms.as_deref() {
        None => None,
        Some("sha256") => Some(false),
        Some("hmac-sha256") => Some(true),
        Some(_) => return Err(invalid("pseudonyms must be sha256 or hmac-sha256")),
    };
    let unknown_columns = match request.unknown_columns.as_deref() {
        None => None,
        Some(name) => Some(
            UnknownColumns::named(name)
                .ok_or_else(|| invalid("unknown_columns must be keep, drop or reject"))?,
        ),
    };
    let new = NewSettings {
        keyed_pseudonyms,
        unknown_columns,
    };
    let (store, organization) = (&registry.store, caller.organization);
    store.ensure_organization(organization).await?;
    match store.change_settings(organization, new).await? {
        SettingsChange::Done(settings) => Ok(body(settings)),
        SettingsChange::Records => Err(Problem::conflict(
            "pseudonyms_in_use",
            "the organization has records, whose pseudonyms were made the other way: the same person would \
             have two; pseudonyms can change only while there are no records",
        )),
        SettingsChange::Import(id) => Err(Problem::conflict(
            "import_under_way",
            format!(
                "the job {id} has not ended, or waits for a file that was announced; wait for its end or cancel it"
            ),
        )),
    }
}

fn body(settings: Organization) -> http::Response<String> {
    let pseudonyms = match settings.keyed_pseudonyms {
        true => "hmac-sha256",
        false => "sha256",
    };
    let unknown_columns = settings.unknown_columns.as_str();
    let body = json!({"pseudonyms": pseudonyms, "unknown_columns": unknown_columns});
    json(StatusCode::OK, &body)
}

fn invalid(detail: &str) -> Problem {
    Problem::bad_request("invalid_setting", detail)
}
