//! Jobs, as the HTTP API shows them.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};

use super::ImportError;

/// A job's visible state.
#[derive(Deserialize)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) import_id: u64,
    pub(super) state: String,
    #[serde(default)]
    pub(super) mode: String,
    pub(super) key: Option<String>,
    pub(super) rows_total: Option<u64>,
    #[serde(default)]
    pub(super) rows_read: u64,
    #[serde(default)]
    pub(super) created: u64,
    #[serde(default)]
    pub(super) updated: u64,
    #[serde(default)]
    pub(super) unchanged: u64,
    #[serde(default)]
    pub(super) superseded: u64,
    #[serde(default)]
    pub(super) duplicates: u64,
    #[serde(default)]
    pub(super) rejected: u64,
    pub(super) error: Option<JobError>,
    /// Only on the job's own page.
    #[serde(default)]
    pub(super) errors: Vec<RowError>,
    /// Columns that were left out; only on the job's own page.
    #[serde(default)]
    pub(super) warnings: Vec<ColumnWarning>,
}

/// What the sender should know of a column.
#[derive(Deserialize)]
pub(super) struct ColumnWarning {
    pub(super) message: String,
}

/// Why a whole job failed.
#[derive(Deserialize)]
pub(super) struct JobError {
    pub(super) code: String,
    pub(super) message: String,
}

/// Why a row was rejected.
#[derive(Deserialize)]
pub(super) struct RowError {
    pub(super) row: Option<u64>,
    pub(super) line: Option<u64>,
    pub(super) column: Option<String>,
    pub(super) code: String,
    pub(super) message: String,
}

impl Job {
    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.state.as_str(), "queued" | "running")
    }
}

#[derive(Deserialize)]
struct JobList {
    jobs: Vec<Job>,
}

/// A client of the jobs' routes.
pub(super) struct Jobs {
    http: Client,
    url: String,
    token: String,
}

impl Jobs {
    pub(super) fn new(http_url: &str, token: &str) -> Result<Self, ImportError> {
        // A proxy that the environment names cannot reach this machine's loopback address.
        let http = Client::builder().no_proxy().build()?;
        Ok(Self {
            http,
            url: format!("{http_url}/v1/jobs"),
            token: token.trim().to_owned(),
        })
    }

    /// The highest import id so far.
    pub(super) async fn newest_import(&self) -> Result<u64, ImportError> {
        let JobList { jobs } = self.fetch(&self.url).await?;
        let ids = jobs.iter().map(|job| job.import_id);
        Ok(ids.max().unwrap_or_default())
    }

    /// The newest job of an object among the imports after `import_id`.
    pub(super) async fn of_key_after(
        &self,
        key: &str,
        import_id: u64,
    ) -> Result<Option<Job>, ImportError> {
        let JobList { jobs } = self.fetch(&self.url).await?;
        Ok(jobs
            .into_iter()
            .find(|job| job.key.as_deref() == Some(key) && job.import_id > import_id))
    }

    /// One job with its row errors.
    pub(super) async fn get(&self, id: &str) -> Result<Job, ImportError> {
        // An id may read host/organisation/operation/uuid; its last part is enough.
        let id = id.rsplit('/').next().unwrap_or(id);
        self.fetch(&format!("{}/{id}", self.url)).await
    }

    /// A part of a job's rejected rows, and whether there is another.
    pub(super) async fn rejected(
        &self,
        job: &Job,
        part: usize,
    ) -> Result<(Vec<u8>, bool), ImportError> {
        let id = job.id.rsplit('/').next().unwrap_or(&job.id);
        let url = format!("{}/{id}/rejected.csv?part={part}", self.url);
        let response = self.ask(&url).await?;
        let has_next = response.headers().contains_key(header::LINK);
        Ok((response.bytes().await?.to_vec(), has_next))
    }

    async fn fetch<T: DeserializeOwned>(&self, url: &str) -> Result<T, ImportError> {
        Ok(self.ask(url).await?.json().await?)
    }

    async fn ask(&self, url: &str) -> Result<Response, ImportError> {
        loop {
            let response = self.http.get(url).bearer_auth(&self.token).send().await?;
            match response.status() {
                StatusCode::OK => return Ok(response),
                StatusCode::TOO_MANY_REQUESTS => tokio::time::sleep(retry_after(&response)).await,
                status => {
                    let detail = response.text().await?;
                    return Err(ImportError::Refused {
                        status: status.as_u16(),
                        detail: detail.trim().to_owned(),
                    });
                }
            }
        }
    }
}

fn retry_after(response: &Response) -> Duration {
    let value = response.headers().get(header::RETRY_AFTER);
    let seconds = value.and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}
