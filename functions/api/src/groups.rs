//! `/v1/groups`.

use clientele::{
    Registry,
    dataset::Dataset,
    store::{
        FoundGroup, Group, GroupId, Made,
        jobs::{Job, Mode, NewJob, Operation},
    },
    web::{Call, Principal, Problem, Reply, json, long_job_id},
};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

const DEFAULT_GROUPS: u64 = 50;
/// Each group's members are counted by a query of its own.
const MAX_GROUPS: u64 = 100;
/// The longest name of a group, in characters.
const MAX_NAME: usize = 200;
/// What the ids of deletions are derived under.
const DELETION_NAMESPACE: Uuid = Uuid::from_u128(0x3d55_84c1_7a20_4a8e_b7c6_0e1f_92d8_5b14);

/// The groups that the caller may reach, by their ids: the first, or those after
/// `next_after` of the last reply, or the one that `id` names.
pub(crate) async fn list(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let limit = call.number("limit", DEFAULT_GROUPS, MAX_GROUPS)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let after = call.query.get("after").map(|after| after.parse());
    let after: Option<GroupId> = after.transpose().map_err(|_| {
        Problem::bad_request(
            "invalid_query",
            "after must be a group's id, as next_after is",
        )
    })?;
    let organization = caller.organization;
    let only = call.query.get("id");
    let among = match only {
        Some(id) => Some(reachable_one(caller, id)),
        None => reachable(caller, after.as_ref()),
    };
    let groups = match among {
        None => {
            registry
                .store
                .groups(organization, after.as_ref(), limit)
                .await?
        }
        Some(ids) => {
            let mut groups = registry.store.groups_among(organization, &ids).await?;
            groups.truncate(limit);
            groups
        }
    };
    let counts = registry.store.member_counts(organization, &groups).await?;
    let next = groups
        .last()
        .filter(|_| groups.len() == limit && only.is_none());
    call.audit(|line| line.count("groups", groups.len() as u64));
    let shown = groups.iter().zip(counts);
    let shown: Vec<Value> = shown
        .map(|(group, count)| group_body(group, count))
        .collect();
    let body = json!({"groups": shown, "next_after": next.map(|group| group.id.as_str())});
    Ok(json(StatusCode::OK, &body))
}

/// The groups after an id that a principal is bound to, if it is.
fn reachable(caller: &Principal, after: Option<&GroupId>) -> Option<Vec<GroupId>> {
    let named = caller.groups()?.iter().filter_map(|id| id.parse().ok());
    Some(named.filter(|id| Some(id) > after).collect())
}

/// The group of an id, as far as there may be one and the principal may reach it.
fn reachable_one(caller: &Principal, id: &str) -> Vec<GroupId> {
    let id = id.parse().ok().filter(|id| caller.may_reach(id));
    id.into_iter().collect()
}

fn group_body(group: &Group, customers: u64) -> Value {
    json!({
        "id": group.id,
        "name": group.name,
        "dataset": group.dataset,
        "customers": customers,
    })
}

#[derive(Deserialize)]
struct NewGroup {
    id: Option<String>,
    name: Option<String>,
    dataset: Option<String>,
}

/// Makes a group. The same request again finds it made.
pub(crate) async fn create(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let NewGroup { id, name, dataset } = call.object()?;
    let name = checked_name(name)?;
    let dataset = dataset.ok_or_else(Problem::missing_fields)?;
    let id = new_id(call, caller, id)?;
    let organization = caller.organization;
    if !Dataset::is_name(&dataset) {
        return Err(Problem::bad_request(
            "unknown_dataset",
            "there is no such dataset",
        ));
    }
    call.audit(|line| line.group(&id));
    registry.store.ensure_organization(organization).await?;
    let made = registry
        .store
        .create_group(organization, &id, &name, &dataset)
        .await?;
    match made {
        Made::New(group) => {
            let mut response = json(StatusCode::CREATED, &group_body(&group, 0));
            if let Ok(location) = format!("/v1/groups/{id}").parse() {
                response.headers_mut().insert(header::LOCATION, location);
            }
            Ok(response)
        }
        Made::Exists(group) if group.name == name && group.dataset == dataset => {
            let customers = registry.store.member_count(organization, &id).await?;
            Ok(json(StatusCode::OK, &group_body(&group, customers)))
        }
        Made::Exists(_) => Err(Problem::conflict(
            "group_exists",
            "there is another group with this id; name another id, or leave it out",
        )),
        Made::BeingDeleted => Err(Problem::conflict(
            "group_being_deleted",
            "the group that had this id is still being deleted; name another id, or try again later",
        )),
    }
}

fn new_id(call: &Call<'_>, caller: &Principal, id: Option<String>) -> Result<GroupId, Problem> {
    let id = id.unwrap_or_else(|| call.new_id().to_string());
    let invalid = |error: clientele::store::GroupIdError| {
        Problem::bad_request("invalid_group_id", error.to_string())
    };
    let id: GroupId = id.parse().map_err(invalid)?;
    if id.is_of_source() {
        return Err(Problem::bad_request(
            "reserved_group_id",
            "ids such as customers.generic are kept for the groups of all of a source's records",
        ));
    }
    match caller.may_reach(&id) {
        true => Ok(id),
        false => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "bound_to_groups",
            "Not allowed",
            "this token is bound to certain groups and can make no others",
        )),
    }
}

fn checked_name(name: Option<String>) -> Result<String, Problem> {
    let name = name.ok_or_else(Problem::missing_fields)?;
    let name = name.trim();
    match name.chars().count() {
        0 => Err(Problem::missing_fields()),
        1..=MAX_NAME if !name.chars().any(char::is_control) => Ok(name.to_owned()),
        _ => Err(Problem::bad_request(
            "invalid_name",
            format!("name must have at most {MAX_NAME} characters that can be printed"),
        )),
    }
}

#[derive(Deserialize)]
struct NewName {
    name: Option<String>,
}

/// Gives a group another name.
pub(crate) async fn rename(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    id: &str,
) -> Reply {
    let id = reachable_id(call, caller, id)?;
    let NewName { name } = call.object()?;
    let name = checked_name(name)?;
    let organization = caller.organization;
    let renamed = registry
        .store
        .rename_group(organization, &id, &name)
        .await?;
    let group = renamed.ok_or_else(|| Problem::not_found("group"))?;
    let customers = registry.store.member_count(organization, &id).await?;
    Ok(json(StatusCode::OK, &group_body(&group, customers)))
}

/// Deletes a group: it is unknown at once, and a job removes its memberships. The same request
/// again, while the job goes on, answers with that job.
pub(crate) async fn delete(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    id: &str,
) -> Reply {
    let id = reachable_id(call, caller, id)?;
    let organization = caller.organization;
    let found = registry.store.find_group(organization, &id).await?;
    let group = match found.ok_or_else(|| Problem::not_found("group"))? {
        FoundGroup::Kept(_) if id.is_of_source() => {
            return Err(Problem::conflict(
                "group_of_source",
                "all of a source's records are in this group as long as they are there",
            ));
        }
        FoundGroup::Kept(group) | FoundGroup::Deleted { group, .. } => group,
    };
    let job = register_deletion(registry, caller, &group).await?;
    let is_marked = registry
        .store
        .mark_group_deleted(organization, &group, job.id)
        .await?;
    if !is_marked {
        // The group was made again meanwhile: this job is nobody's.
        let now = jiff::Timestamp::now();
        registry.store.cancel_job(organization, job.id, now).await?;
        return Err(Problem::not_found("group"));
    }
    call.audit(|line| {
        line.deletion();
        line.job(job.id);
    });
    let started = registry.importer().start(&job).await;
    started.map_err(Problem::internal)?;
    Ok(accepted(call, &job))
}

/// The job that deletes a group: the same for the same group, however often it is asked for.
async fn register_deletion(
    registry: &Registry,
    caller: &Principal,
    group: &Group,
) -> Result<Job, Problem> {
    let organization = caller.organization;
    let name = format!("{organization}\n{}\n{}", group.id, group.number);
    let new = NewJob {
        id: Uuid::new_v5(&DELETION_NAMESPACE, name.as_bytes()),
        organization,
        operation: Operation::DeleteGroup,
        dataset: group.dataset.clone(),
        data_origin: String::new(),
        source_id: 0,
        group: Some(group.id.to_string()),
        mode: Mode::Write,
        key: String::new(),
        filename: String::new(),
        object_modified: None,
        etag: None,
        upload_until: None,
    };
    let now = jiff::Timestamp::now();
    Ok(registry.store.register_job(&new, now).await?)
}

fn accepted(call: &Call<'_>, job: &Job) -> http::Response<String> {
    let path = format!("/v1/jobs/{}", job.id);
    let body = json!({"job_id": long_job_id(call.host(), job), "job": path});
    let mut response = json(StatusCode::ACCEPTED, &body);
    if let Ok(location) = path.parse() {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The id in a path. A group that the caller may not reach does not exist.
fn reachable_id(call: &Call<'_>, caller: &Principal, id: &str) -> Result<GroupId, Problem> {
    let id: GroupId = id.parse().map_err(|_| Problem::not_found("group"))?;
    if !caller.may_reach(&id) {
        return Err(Problem::not_found("group"));
    }
    call.audit(|line| line.group(&id));
    Ok(id)
}
