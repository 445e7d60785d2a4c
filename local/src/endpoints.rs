//! Where a running stack can be reached: what `endpoints.json` says.

use std::{fmt, io};

use clientele::aws::AwsClients;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    aws::{LocalCredentials, REGION},
    data_dir::{DataDir, DataDirError, failed_on, write_private},
    dynamodb::TABLE,
    s3::BUCKET,
};

/// Why a running stack cannot be found.
#[derive(Debug, Error)]
pub enum EndpointsError {
    /// The file cannot be read.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The file is not what a stack writes.
    #[error("endpoints.json in the data folder cannot be read: {0}")]
    Format(#[from] serde_json::Error),
}

/// The URLs of a stack, and what a client must know to use them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// The HTTP API, without a trailing slash.
    pub http: String,
    /// DynamoDB.
    pub dynamodb: String,
    /// S3.
    pub s3: String,
    /// The table.
    pub table: String,
    /// The bucket that files are dropped in.
    pub bucket: String,
    /// The AWS region that requests are signed for.
    pub region: String,
    /// What S3 requests are signed with.
    pub access_key_id: String,
    /// What S3 requests are signed with.
    pub secret_access_key: String,
}

impl Endpoints {
    pub(crate) fn new(
        http: &str,
        dynamodb: &str,
        s3: &str,
        credentials: &LocalCredentials,
    ) -> Self {
        Self {
            http: http.to_owned(),
            dynamodb: dynamodb.to_owned(),
            s3: s3.to_owned(),
            table: TABLE.to_owned(),
            bucket: BUCKET.to_owned(),
            region: REGION.to_owned(),
            access_key_id: credentials.access_key_id.clone(),
            secret_access_key: credentials.secret_access_key.clone(),
        }
    }

    /// What the stack that serves a data folder has written; `None` while it is starting.
    pub fn of_running(data: &DataDir) -> Result<Option<Self>, EndpointsError> {
        let path = data.endpoints();
        match std::fs::read(&path) {
            Ok(content) => Ok(Some(serde_json::from_slice(&content)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed_on(&path)(error).into()),
        }
    }

    pub(crate) fn write(&self, data: &DataDir) -> Result<(), DataDirError> {
        let content = serde_json::json!(self);
        write_private(&data.endpoints(), format!("{content:#}\n").as_bytes())
    }

    /// SDK clients of the stack's DynamoDB and S3.
    pub fn clients(&self) -> AwsClients {
        let credentials = LocalCredentials {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
        };
        credentials.connection(&self.dynamodb, &self.s3).clients()
    }
}

impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            http, dynamodb, s3, ..
        } = self;
        write!(f, "{http} dynamodb {dynamodb} s3 {s3}")
    }
}
