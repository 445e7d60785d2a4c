//! `GET /v1/jobs/{id}/rejected.csv`.

use clientele::{
    Registry,
    import::rejected::{Opened, Part, RejectedError, RejectedRows, Sheet},
    protection::CipherError,
    store::jobs::Job,
    web::{Call, Principal, Problem, Reply, Scope, attachment},
};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;

use crate::jobs;

/// More parts than any job has.
const MAX_PART: u64 = 1_000_000;
/// How many parts there are.
const PARTS: &str = "x-parts";

/// The rows of a job that were refused, as they came, and why: one part of what may be several.
/// Without `pii:reveal`, protected values are masked.
pub(crate) async fn rejected(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    id: &str,
) -> Reply {
    let job = jobs::visible(registry, call, caller, id).await?;
    let part = call.number("part", 1, MAX_PART)?;
    if !job.state.is_ended() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "job_not_ended",
            "The job has not ended",
            "the rejected rows are complete when the job has ended; ask again then",
        ));
    }
    let sheet = Sheet {
        job: &job,
        dataset: registry
            .store
            .dataset(job.organization, &job.dataset)
            .await?,
        language: call.language(),
        reveal: caller.may(Scope::PiiReveal),
    };
    let rows = RejectedRows::of(&registry.bucket, &job);
    if Timestamp::now() > rows.expires_at() {
        rows.delete().await?;
        return match job.counts.rejected {
            0 => reply(call, &sheet, part, 1, None),
            _ => Err(expired()),
        };
    }
    let parts = rows.parts().await?;
    let opened = match usize::try_from(part - 1).ok().and_then(|at| parts.get(at)) {
        Some(part) => {
            let opened = open(registry, &job, &rows, part).await?;
            Some(opened.ok_or_else(expired)?)
        }
        None if parts.is_empty() && job.counts.rejected > 0 => return Err(expired()),
        None if part > 1 => return Err(Problem::not_found("part")),
        None => None,
    };
    reply(call, &sheet, part, parts.len().max(1), opened)
}

/// A part's rows. Keys that were rotated meanwhile are read again.
async fn open(
    registry: &Registry,
    job: &Job,
    rows: &RejectedRows<'_>,
    part: &Part,
) -> Result<Option<Opened>, Problem> {
    let keys = registry.keys.existing(job.organization).await?;
    match rows.open(&keys, part).await {
        Err(RejectedError::Cipher(CipherError::KeyVersion(_))) => {
            let keys = registry.keys.reload(job.organization).await?;
            Ok(rows.open(&keys, part).await?)
        }
        opened => Ok(opened?),
    }
}

fn reply(
    call: &Call<'_>,
    sheet: &Sheet<'_>,
    part: u64,
    parts: usize,
    opened: Option<Opened>,
) -> Reply {
    let job = sheet.job;
    call.audit(|line| {
        line.count("part", part);
        if sheet.reveal {
            line.reveal();
        }
    });
    let csv = sheet.write(opened.as_ref());
    let mut response = attachment(csv, "text/csv; charset=utf-8", &filename(job, part));
    let headers = response.headers_mut();
    headers.insert(PARTS, HeaderValue::from(parts));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    if part < parts as u64 {
        let next = format!(
            "</v1/jobs/{}/rejected.csv?part={}>; rel=\"next\"",
            job.id,
            part + 1
        );
        if let Ok(next) = HeaderValue::from_str(&next) {
            headers.insert(header::LINK, next);
        }
    }
    Ok(response)
}

/// `rejected-{name}.csv` of `{name}.xlsx`, later parts numbered.
fn filename(job: &Job, part: u64) -> String {
    let name = job.filename.strip_suffix(".gz").unwrap_or(&job.filename);
    let stem = match name.rsplit_once('.') {
        Some((stem, "csv" | "xlsx" | "json" | "ndjson" | "txt" | "tsv")) => stem,
        _ => name,
    };
    match part {
        1 => format!("rejected-{stem}.csv"),
        part => format!("rejected-{stem}-{part}.csv"),
    }
}

fn expired() -> Problem {
    Problem::new(
        StatusCode::GONE,
        "rejected_rows_expired",
        "No longer kept",
        "rejected rows are kept for 7 days after their job; send the file again to see them",
    )
}
