//! `/v1/sources`: sources, and the tokens with which they push by themselves.

use clientele::{
    Registry,
    dataset::Dataset,
    identity::DataOrigin,
    source_token::SourceToken,
    store::{Granted, ListedToken, MAX_TOKENS_OF_SOURCE, Source, SourceGrant},
    web::{Call, Principal, Problem, Reply, json},
};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{organization_keys::check_reach, source};

/// The most sources of one reply; `next_after` leads to the others.
const MAX_SOURCES: usize = 100;
/// More datasets than there are.
const MAX_DATASETS: usize = 20;

#[derive(Deserialize)]
struct Request {
    data_origin: String,
    datasets: Vec<String>,
}

/// Makes a token for a source, and the source if it is new. The token is shown in this reply
/// and never again.
pub(crate) async fn grant(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    check_reach(caller)?;
    let request: Request = call.object()?;
    let datasets = datasets(request.datasets)?;
    let origin = source_of_datasets(&request.data_origin, &datasets)?;
    let organization = caller.organization;
    registry.store.ensure_organization(organization).await?;
    registry.store.ensure_source(organization, &origin).await?;

    let token = SourceToken::generate().map_err(Problem::internal)?;
    let hash = token.hash();
    let listed = ListedToken::new(
        call.new_id(),
        &hash,
        datasets.clone(),
        &caller.subject,
        Timestamp::now(),
    );
    let grant = SourceGrant {
        organization,
        origin,
        datasets,
    };
    match registry
        .store
        .grant_source_token(&grant, &hash, &listed)
        .await?
    {
        Granted::Yes => {}
        Granted::TooMany => {
            let detail = format!("a source has at most {MAX_TOKENS_OF_SOURCE} tokens; revoke one");
            return Err(Problem::conflict("too_many_tokens", detail));
        }
    }
    let mut body = shown(&listed);
    if let Some(body) = body.as_object_mut() {
        body.insert("data_origin".to_owned(), json!(grant.origin));
        body.insert("token".to_owned(), json!(token.expose()));
    }
    let mut response = json(StatusCode::CREATED, &body);
    // The only reply with the token: nothing on the way may keep it.
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        http::HeaderValue::from_static("no-store"),
    );
    Ok(response)
}

/// The sources, with their tokens but for what they read.
pub(crate) async fn list(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Reply {
    check_reach(caller)?;
    let after = call.query.get("after").map(|after| after.parse());
    let after: Option<DataOrigin> = after
        .transpose()
        .map_err(|_| Problem::bad_request("invalid_query", "after must be a source's name"))?;
    let organization = caller.organization;
    let limit = i32::try_from(MAX_SOURCES).unwrap_or(i32::MAX);
    let sources = registry
        .store
        .sources(organization, after.as_ref(), limit)
        .await?;
    let origins: Vec<DataOrigin> = sources.iter().map(|s| s.origin.clone()).collect();
    let tokens = registry.store.source_tokens(organization, &origins).await?;
    let source = |source: &Source| {
        let tokens = tokens.get(&source.origin).into_iter().flatten();
        json!({
            "id": source.id,
            "data_origin": source.origin,
            "tokens": tokens.map(shown).collect::<Vec<_>>(),
        })
    };
    let next = origins.last().filter(|_| sources.len() == MAX_SOURCES);
    let body = json!({
        "sources": sources.iter().map(source).collect::<Vec<_>>(),
        "next_after": next,
    });
    Ok(json(StatusCode::OK, &body))
}

/// Revokes a source's tokens, or the one that `?token=` names. The source and its records stay.
pub(crate) async fn revoke(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    origin: &str,
) -> Reply {
    check_reach(caller)?;
    call.takes_query(&["token"])?;
    let origin: DataOrigin = origin.parse().map_err(|_| Problem::not_found("source"))?;
    let organization = caller.organization;
    let only = call.query.get("token").map(|id| id.parse::<Uuid>());
    let only = only.transpose().map_err(|_| Problem::not_found("token"))?;
    if registry
        .store
        .source(organization, &origin)
        .await?
        .is_none()
    {
        return Err(Problem::not_found("source"));
    }
    let revoked = registry
        .store
        .revoke_source_tokens(organization, &origin, only)
        .await?;
    if only.is_some() && revoked == 0 {
        return Err(Problem::not_found("token"));
    }
    call.audit(|line| line.count("revoked", revoked as u64));
    Ok(json(StatusCode::OK, &json!({"revoked": revoked})))
}

fn shown(token: &ListedToken) -> Value {
    json!({
        "id": token.id,
        "datasets": token.datasets,
        "created_at": token.created_at,
        "created_by": token.created_by,
    })
}

/// The source that a token is for. Where all of a dataset's records have one source, a token for
/// that source is for that dataset alone.
fn source_of_datasets(name: &str, datasets: &[String]) -> Result<DataOrigin, Problem> {
    let mut datasets_with_own = datasets
        .iter()
        .filter_map(|name| Some((name, Dataset::builtin(name)?.source()?.clone())));
    match datasets_with_own.next() {
        None => source(name),
        Some((_, own)) if own.as_str() == name && datasets.len() == 1 => Ok(own),
        Some((dataset, own)) => Err(Problem::bad_request(
            "source_of_dataset",
            format!("records of {dataset} have the source {own}: a token is for both alone"),
        )),
    }
}

/// The datasets that a token is for, each once.
fn datasets(mut named: Vec<String>) -> Result<Vec<String>, Problem> {
    if named.is_empty() || named.len() > MAX_DATASETS {
        let detail = "datasets must name the datasets that the token is for";
        return Err(Problem::bad_request("invalid_datasets", detail));
    }
    named.sort_unstable();
    named.dedup();
    for name in &named {
        if Dataset::builtin(name).is_none() {
            let detail = "datasets names one that a source cannot push";
            return Err(Problem::bad_request("unknown_dataset", detail));
        }
    }
    Ok(named)
}
