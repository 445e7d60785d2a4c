//! What every request passes before its handler and after: who calls, how often, and what they may.

use http::{HeaderValue, Response, StatusCode, header};
use jiff::Timestamp;

pub use super::idempotency::once;
use super::{Call, Dialect, Endpoint, Principal, Problem, Reply, quota};
use crate::{
    Registry,
    rate::{Quota, Verdict},
    source_token::SourceToken,
};

/// Lets a request in: its caller is known, has not called too often, and has the route's scope.
pub async fn admit(
    registry: &Registry,
    call: &Call<'_>,
    endpoint: &Endpoint,
) -> Result<Principal, Problem> {
    call.audit(|line| line.action(endpoint.action));
    let caller = authenticate(registry, call)
        .await
        .map_err(|problem| in_dialect(problem, endpoint.dialect))?;
    call.audit(|line| line.caller(&caller));
    count(registry, call, &caller).await?;
    if caller.source().is_some() && !endpoint.operation.is_open_to_sources() {
        return Err(not_for_sources());
    }
    match caller.may(endpoint.scope) {
        true => Ok(caller),
        false => Err(Problem::forbidden(endpoint.scope.as_str())),
    }
}

/// Counts a request of a caller. One that is refused for its scope counts as well.
async fn count(registry: &Registry, call: &Call<'_>, caller: &Principal) -> Result<(), Problem> {
    let verdict = registry
        .rates
        .admit(&registry.store, &caller.id(), Timestamp::now)
        .await?;
    let (Verdict::Admitted(quota) | Verdict::Refused(quota)) = verdict;
    // A call is counted once.
    let _ = call.quota.set(quota);
    match verdict {
        Verdict::Admitted(_) => Ok(()),
        Verdict::Refused(quota) => Err(Problem::too_many_requests(quota.limit, quota.reset)),
    }
}

/// The reply to a request, with what every reply has, and the request's line in the audit.
pub fn settle(registry: &Registry, call: &Call<'_>, reply: Reply) -> Response<String> {
    let docs_url = registry.config.docs_url.for_host(call.host());
    let mut response = match reply {
        Ok(response) => response,
        Err(problem) => problem.into_response(&docs_url, call.request_id),
    };
    if let Ok(id) = HeaderValue::from_str(call.request_id) {
        response.headers_mut().insert("x-request-id", id);
    }
    // Where nobody was known, nobody's quota was touched.
    let quota = call.quota.get().copied();
    let quota = quota.unwrap_or_else(|| Quota::untouched(registry.rates.limit()));
    quota::insert_headers(response.headers_mut(), quota);
    call.audit(|line| line.write(response.status(), call.request_id));
    response
}

async fn authenticate(registry: &Registry, call: &Call<'_>) -> Result<Principal, Problem> {
    let mut headers = call.headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (headers.next(), headers.next()) else {
        return Err(Problem::unauthenticated("not one authorization header"));
    };
    let value = value.to_str().map_err(Problem::unauthenticated)?;
    let (scheme, token) = value
        .split_once(' ')
        .ok_or_else(|| Problem::unauthenticated("no bearer token"))?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::unauthenticated("another scheme than bearer"));
    }
    let token = token.trim();
    if let Some(token) = SourceToken::parse(token) {
        let grant = registry.store.source_grant(&token.hash()).await?;
        let grant = grant.ok_or_else(|| Problem::unauthenticated("no such source token"))?;
        return Ok(Principal::of_source(grant));
    }
    Ok(registry.verifier.verify(token).await?)
}

fn not_for_sources() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "forbidden",
        "Not allowed",
        "a source's token is for /api/v1/in, /api/v1/out, /v1/uploads, its own jobs, and the interface whose source it is",
    )
}

fn in_dialect(problem: Problem, dialect: Dialect) -> Problem {
    match dialect {
        Dialect::Workspace if problem.status() == StatusCode::UNAUTHORIZED => {
            problem.with_status(StatusCode::FORBIDDEN)
        }
        _ => problem,
    }
}
