//! `POST /v1/uploads`: a file of any size goes straight to the bucket.

use std::time::Duration;

use clientele::{
    Registry,
    dataset::Dataset,
    import::ObjectKey,
    store::{
        GroupId,
        jobs::{Mode, NewJob, Operation},
    },
    web::{Call, Principal, Problem, Reply, json, long_job_id},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{dataset_in::check_group, dataset_of_files, registration::register, source_of_files};

/// How long an upload may be begun. S3 lets one that has begun end.
const VALID_FOR: Duration = Duration::from_secs(60 * 60);
/// The longest name of a file, in bytes.
const MAX_FILENAME_BYTES: usize = 255;
/// The longest ending that is kept in the object's key.
const MAX_EXTENSION_BYTES: usize = 8;

#[derive(Deserialize)]
struct Request {
    dataset: String,
    filename: String,
    customer_group_id: Option<String>,
    source: Option<String>,
    mode: Option<String>,
}

/// Registers a job and says where its file is to be put. The job counts in the order of imports
/// from now on, whenever the file comes.
pub(crate) async fn announce(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let request: Request = call.object()?;
    let dataset = dataset_of_files(registry, caller, &request.dataset).await?;
    let named = request.source.as_deref().or(query(call, "source"));
    let origin = source_of_files(caller, &dataset, named)?;
    check_group(caller, &dataset, &origin)?;
    let group = group(registry, caller, &dataset, &request).await?;
    let mode = mode(call, &request)?;
    check_filename(&request.filename)?;

    let organization = caller.organization;
    registry.store.ensure_organization(organization).await?;
    let source = registry.store.ensure_source(organization, &origin).await?;
    let until = Timestamp::now() + VALID_FOR;
    let name = format!("upload{}", extension(&request.filename));
    let job = register(registry, call, |id| NewJob {
        id,
        organization,
        operation: Operation::Upload,
        dataset: dataset.name().to_owned(),
        data_origin: origin.to_string(),
        source_id: source.id,
        group: group.as_ref().map(GroupId::to_string),
        mode,
        key: ObjectKey::staged(organization, id, &name),
        filename: request.filename.clone(),
        object_modified: None,
        etag: None,
        upload_until: Some(until),
    })
    .await?;
    // A repeated call finds its job, and the time that is left.
    let until = job.upload_until.unwrap_or(until);
    let left = Duration::try_from(until.duration_since(Timestamp::now())).unwrap_or_default();
    let upload = registry.bucket.presign_put(&job.key, left).await?;
    let headers: Map<String, Value> = upload
        .headers
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    let path = format!("/v1/jobs/{}", job.id);
    let body = json!({
        "url": upload.url,
        "method": "PUT",
        "headers": headers,
        "job_id": long_job_id(call.host(), &job),
        "job": path,
        "expires_at": until,
    });
    let mut response = json(StatusCode::CREATED, &body);
    if let Ok(location) = path.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

fn query<'c>(call: &'c Call<'_>, name: &str) -> Option<&'c str> {
    call.query.get(name).map(String::as_str)
}

fn mode(call: &Call<'_>, request: &Request) -> Result<Mode, Problem> {
    let named = request.mode.as_deref().or(query(call, "mode"));
    Mode::named(named).ok_or_else(|| {
        let detail = "mode must be write, all_or_nothing or dry_run";
        Problem::bad_request("unknown_mode", detail)
    })
}

/// The group that the records are to join. Unlike a dropped file, an upload makes none.
async fn group(
    registry: &Registry,
    caller: &Principal,
    dataset: &Dataset,
    request: &Request,
) -> Result<Option<GroupId>, Problem> {
    let Some(named) = &request.customer_group_id else {
        return Ok(None);
    };
    let id: GroupId = named.parse().map_err(|_| unknown_group())?;
    if !caller.may_reach(&id) {
        return Err(unknown_group());
    }
    let group = registry.store.group(caller.organization, &id).await?;
    match group {
        Some(group) if group.dataset == dataset.name() => Ok(Some(id)),
        Some(group) => Err(Problem::bad_request(
            "group_of_other_dataset",
            format!("the group is for {}", group.dataset),
        )),
        None => Err(unknown_group()),
    }
}

/// Clients of the customer management interface know this status.
fn unknown_group() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unknown_group",
        "Unknown group",
        "there is no such group",
    )
}

pub(crate) fn check_filename(name: &str) -> Result<(), Problem> {
    let is_name = !name.trim().is_empty()
        && name.len() <= MAX_FILENAME_BYTES
        && !name.contains('/')
        && !name.chars().any(char::is_control);
    match is_name {
        true => Ok(()),
        false => Err(Problem::bad_request(
            "invalid_filename",
            format!(
                "filename must be a name of at most {MAX_FILENAME_BYTES} bytes, without slashes"
            ),
        )),
    }
}

/// The file's ending, with its dot. The rest of its name stays out of the key: it is the sender's
/// own words.
pub(crate) fn extension(filename: &str) -> String {
    match filename.rsplit_once('.') {
        Some((_, ending))
            if (1..=MAX_EXTENSION_BYTES).contains(&ending.len())
                && ending.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            format!(".{}", ending.to_ascii_lowercase())
        }
        _ => String::new(),
    }
}
