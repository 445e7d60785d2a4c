//! `GET` and `PUT /v1/workspace/fields`.

use clientele::{
    Registry,
    dataset::workspace::{ChangeProblem, Definition, FieldProblem},
    store::{FieldsChange, InUse},
    web::{Call, Principal, Problem, Reply, json},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::organization_keys::check_reach;

#[derive(Deserialize)]
struct Request {
    /// As they are written, so that a member that is there twice is noticed.
    fields: Option<Vec<Box<RawValue>>>,
    /// The version that the fields replace; whichever there is, if none is given.
    version: Option<u64>,
}

/// The fields of the caller's workspace.
pub(crate) async fn read(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    let stored = registry.store.workspace_fields(caller.organization).await?;
    call.audit(|line| line.count("version", stored.version));
    Ok(body(&stored.definition, stored.version))
}

/// Replaces the fields of the caller's workspace. The same fields again change nothing.
pub(crate) async fn replace(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    check_reach(caller)?;
    let request: Request = call.object()?;
    let fields = request.fields.ok_or_else(Problem::missing_fields)?;
    let definition = Definition::parse(&fields).map_err(refused)?;
    let (store, organization) = (&registry.store, caller.organization);
    store.ensure_organization(organization).await?;
    let change = store
        .replace_workspace_fields(organization, &definition, request.version)
        .await?;
    match change {
        FieldsChange::Unchanged(version) | FieldsChange::Written(version) => {
            call.audit(|line| line.count("version", version));
            Ok(body(&definition, version))
        }
        FieldsChange::Stale(version) => Err(Problem::conflict(
            "fields_changed",
            format!(
                "the fields have changed meanwhile: version {version} is stored; read it and apply your change to it"
            ),
        )),
        FieldsChange::Refused(problems, in_use) => Err(contradicted(&problems, in_use)),
    }
}

fn body(definition: &Definition, version: u64) -> http::Response<String> {
    let body = json!({"fields": definition, "version": version});
    json(StatusCode::OK, &body)
}

fn refused(problems: Vec<FieldProblem>) -> Problem {
    let errors: Vec<Value> = problems.iter().map(field_error).collect();
    let detail = match problems.as_slice() {
        [only] => in_words(only),
        _ => format!("the definition has {} errors", problems.len()),
    };
    Problem::bad_request("invalid_fields", detail).with_errors(errors)
}

fn in_words(problem: &FieldProblem) -> String {
    match (&problem.field, problem.place) {
        (Some(name), _) => format!("{name}: {}", problem.message),
        (None, Some(place)) => format!("field {place}: {}", problem.message),
        (None, None) => problem.message.clone(),
    }
}

fn field_error(problem: &FieldProblem) -> Value {
    json!({
        "row": problem.place,
        "column": problem.field,
        "code": problem.code.as_str(),
        "message": in_words(problem),
    })
}

fn contradicted(problems: &[ChangeProblem], in_use: InUse) -> Problem {
    let because = match in_use {
        InUse::Customers(1) => "the workspace has a customer".to_owned(),
        InUse::Customers(count) => format!("the workspace has {count} customers"),
        InUse::Import(id) => format!(
            "the job {id} into the workspace has not ended, or waits for a file that was announced; wait for its end or cancel it"
        ),
    };
    let error = |problem: &ChangeProblem| {
        json!({
            "column": problem.field,
            "code": problem.code.as_str(),
            "message": format!("{}: {}", problem.field, problem.message),
        })
    };
    let errors = problems.iter().map(error).collect();
    let detail = format!("{because}, so that some fields cannot change as asked");
    Problem::conflict("fields_in_use", detail).with_errors(errors)
}
