//! Requests that a client may send again without anything happening twice: `Idempotency-Key`,
//! as the IETF's draft of that name has it.
//!
//! The first request with a key claims it, and its reply is kept for 24 hours, sealed with the
//! organisation's keys. A request that repeats it, of the same caller, gets the same reply. Only
//! what writes is kept: a POST that reads may be repeated as it is, and its reply is not for
//! keeping. So are failures of the registry (5xx): the next request tries again.

use std::time::Duration;

use data_encoding::HEXLOWER;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Call, Dialect, Endpoint, Operation, Principal, Problem, Reply, Scope};
use crate::{
    Registry,
    identity::OrganizationId,
    protection::OrganizationKeys,
    store::{Claimed, KeptReply, KeyedRequest, ReplyClaim},
};

/// The header of a reply that was kept.
pub const REPLAYED: &str = "idempotency-replayed";

/// The longest key, in characters.
const MAX_KEY: usize = 255;
/// The largest sealed reply that is kept in the table, in bytes. DynamoDB would take 400 KB, but
/// every repetition costs a write unit per KB of the item, so larger ones go to the bucket.
const MAX_IN_TABLE: usize = 32 * 1024;
/// What of a reply's headers belongs to it; the others say something of the request.
const KEPT_HEADERS: [HeaderName; 4] = [
    header::CACHE_CONTROL,
    header::CONTENT_TYPE,
    header::LOCATION,
    header::WWW_AUTHENTICATE,
];

#[derive(Serialize, Deserialize)]
struct StoredReply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Does a call's work once for each `Idempotency-Key`; without one, as often as it is called.
pub async fn once(
    registry: &Registry,
    call: &Call<'_>,
    endpoint: &Endpoint,
    caller: &Principal,
    work: impl Future<Output = Reply>,
) -> Reply {
    let key = key(call)?;
    let is_kept = matches!(*call.method, Method::POST | Method::PATCH) && writes(endpoint.scope);
    let Some(key) = key.filter(|_| is_kept) else {
        return work.await;
    };
    let keys = registry.keys.for_writing(caller.organization).await?;
    let request = keyed(call, caller, key, &keys);
    let place = Place::of(&request);
    let claimed = registry
        .store
        .claim_reply(request, Timestamp::now())
        .await?;
    let claim = match claimed {
        Claimed::Mine(claim) => claim,
        Claimed::Done(kept) => {
            call.audit(|line| line.replayed());
            return place.replay(registry, caller.organization, kept).await;
        }
        Claimed::Running(left) => return Err(running(left)),
        Claimed::OtherRequest => return reused(endpoint.dialect),
    };
    // A call has one claim.
    let _ = call.claimed_job_id.set(claim.job_id);
    let reply = work.await;
    let response = match reply {
        Err(problem) if problem.status().is_server_error() => {
            if let Err(error) = registry.store.release_reply(&claim).await {
                tracing::warn!(%error, "an idempotency key stays claimed until its lease is over");
            }
            return Err(problem);
        }
        Err(problem) => {
            let docs_url = registry.config.docs_url.for_host(call.host());
            problem.into_response(&docs_url, call.request_id)
        }
        Ok(response) => response,
    };
    // The work is done, whether or not its reply can be kept. If it cannot, a repeated request
    // does it again, with the same job id.
    if let Err(problem) = place
        .keep(registry, &keys, &claim, endpoint, &response)
        .await
    {
        let cause = problem.cause();
        tracing::error!(cause, "a reply could not be kept for its idempotency key");
    }
    Ok(response)
}

/// Whether what a scope is for changes something.
fn writes(scope: Scope) -> bool {
    match scope {
        Scope::RecordsRead | Scope::PiiReveal => false,
        Scope::RecordsWrite | Scope::RecordsDelete | Scope::WorkspaceAdmin => true,
    }
}

/// The request's key, if it has one.
fn key<'c>(call: &'c Call<'_>) -> Result<Option<&'c str>, Problem> {
    let mut values = call.headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    let is_key = (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    match is_key && values.next().is_none() {
        true => Ok(Some(key)),
        false => Err(Problem::bad_request(
            "invalid_idempotency_key",
            format!("Idempotency-Key must be one key of 1 to {MAX_KEY} visible ASCII characters"),
        )),
    }
}

fn keyed(call: &Call<'_>, caller: &Principal, key: &str, keys: &OrganizationKeys) -> KeyedRequest {
    let mut query: Vec<_> = call.query.iter().collect();
    query.sort_unstable();
    let content_type = call.headers.get(header::CONTENT_TYPE);
    let content_type = content_type.map_or(&[][..], HeaderValue::as_bytes);
    let mut parts = vec![call.method.as_str().as_bytes(), call.path.as_bytes()];
    parts.extend(
        query
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]),
    );
    parts.extend([content_type, call.body]);
    let id = caller.id();
    let of_key = digest(
        keys,
        "clientele idempotency key v1",
        &[id.digest(), key.as_bytes()],
    );
    KeyedRequest {
        organization: caller.organization,
        key: of_key.first_chunk().copied().unwrap_or_default(),
        request: digest(keys, "clientele idempotent request v1", &parts),
    }
}

/// A digest of parts, each with its length, so that none can pass for another's end.
fn digest(keys: &OrganizationKeys, label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let lengths: Vec<[u8; 8]> = parts
        .iter()
        .map(|part| (part.len() as u64).to_be_bytes())
        .collect();
    let framed: Vec<&[u8]> = lengths
        .iter()
        .zip(parts)
        .flat_map(|(length, part)| [length.as_slice(), part])
        .collect();
    keys.digest(label, &framed)
}

/// What a reply is sealed for.
struct Place {
    folder: String,
    name: String,
}

impl Place {
    fn of(request: &KeyedRequest) -> Self {
        Self {
            folder: format!("replies/{}", request.organization),
            name: HEXLOWER.encode(&request.key),
        }
    }

    async fn keep(
        &self,
        registry: &Registry,
        keys: &OrganizationKeys,
        claim: &ReplyClaim,
        endpoint: &Endpoint,
        response: &Response<String>,
    ) -> Result<(), Problem> {
        let header = |name: &HeaderName| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        };
        let body = match endpoint.operation {
            // Shown once: what repeats the request learns what was made, and not the secret.
            Operation::GrantSourceToken => without_token(response.body()),
            _ => response.body().clone(),
        };
        let stored = StoredReply {
            status: response.status().as_u16(),
            headers: KEPT_HEADERS.iter().filter_map(header).collect(),
            body,
        };
        let plain = serde_json::to_vec(&stored).map_err(Problem::internal)?;
        let sealed = keys.seal_object(&self.folder, &self.name, &plain)?;
        let kept = if sealed.len() <= MAX_IN_TABLE {
            KeptReply::Here(sealed)
        } else {
            // A name of its own, so that a call that overran its lease replaces nothing.
            let key = format!("{}/{}-{}", self.folder, self.name, uuid::Uuid::new_v4());
            registry.bucket.put(&key, sealed).await?;
            KeptReply::InBucket(key)
        };
        registry.store.keep_reply(claim, &kept).await?;
        Ok(())
    }

    async fn replay(
        &self,
        registry: &Registry,
        organization: OrganizationId,
        kept: KeptReply,
    ) -> Reply {
        let sealed = match kept {
            KeptReply::Here(sealed) => sealed,
            KeptReply::InBucket(key) => {
                let object = registry.bucket.read(&key).await?;
                object.ok_or_else(|| Problem::internal("a kept reply is gone from the bucket"))?
            }
        };
        let open = |keys: &OrganizationKeys| keys.open_object(&self.folder, &self.name, &sealed);
        let plain = registry.keys.reading(organization, open).await?;
        // serde's own error may repeat what the reply says.
        let stored: StoredReply = serde_json::from_slice(&plain)
            .map_err(|_| Problem::internal("a kept reply cannot be read"))?;
        let mut response = Response::new(stored.body);
        *response.status_mut() = StatusCode::from_u16(stored.status).map_err(Problem::internal)?;
        for (name, value) in stored.headers {
            let name = HeaderName::try_from(name).map_err(Problem::internal)?;
            let value = HeaderValue::try_from(value).map_err(Problem::internal)?;
            response.headers_mut().insert(name, value);
        }
        let replayed = HeaderValue::from_static("true");
        response.headers_mut().insert(REPLAYED, replayed);
        Ok(response)
    }
}

/// The reply to the making of a token, without the token.
fn without_token(body: &str) -> String {
    let Ok(Value::Object(mut body)) = serde_json::from_str(body) else {
        return String::new();
    };
    body.insert("token".to_owned(), Value::Null);
    Value::Object(body).to_string()
}

fn running(left: Duration) -> Problem {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let detail = "the first request with this Idempotency-Key is still being answered";
    Problem::conflict("request_running", detail).retry_after(seconds.max(1))
}

fn reused(dialect: Dialect) -> Reply {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let detail = "this Idempotency-Key was sent with another request; use a new one for this";
    match dialect {
        // Its clients read every 422 as a list of what is wrong, and where.
        Dialect::Contacts => {
            let msg = format!("Value error, {detail}");
            let item =
                json!({"loc": ["header", "idempotency-key"], "msg": msg, "type": "value_error"});
            Ok(super::json(status, &json!({"detail": [item]})))
        }
        Dialect::Registry | Dialect::Workspace => Err(Problem::new(
            status,
            "idempotency_key_reused",
            "Idempotency key used before",
            detail,
        )),
    }
}
