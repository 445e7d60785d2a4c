//! S3: a real endpoint over a folder, and the bucket in it.

use aws_sdk_s3::Client;
use axum::{Router, error_handling::HandleError, http::StatusCode, middleware};
use s3s::{HttpError, auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::{
    aws::{LocalCredentials, explain},
    data_dir::{DataDir, DataDirError, failed_on},
    server::Server,
};

pub(crate) mod attributes;
mod checksums;
mod cross_origin;
mod key_length;

/// The bucket's name on a local stack.
pub const BUCKET: &str = "clientele-local";

/// Why there is no bucket.
#[derive(Debug, Error)]
pub enum S3Error {
    /// The folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The endpoint over the folder cannot be made.
    #[error("cannot serve the folder {path} as S3: {reason}")]
    Serve {
        /// The folder.
        path: String,
        /// What the server says.
        reason: String,
    },
    /// An S3 server refused to make the bucket.
    #[error("cannot prepare the bucket {BUCKET}: {0}")]
    Bucket(String),
}

/// Serves the data folder's buckets to any S3 client that signs with these credentials.
pub(crate) async fn serve(
    data: &DataDir,
    credentials: &LocalCredentials,
    listener: TcpListener,
) -> Result<Server, S3Error> {
    let folder = data.buckets();
    let inbox = folder.join(BUCKET).join("inbox");
    tokio::fs::create_dir_all(&inbox)
        .await
        .map_err(failed_on(&inbox))?;
    attributes::discard_orphans(&folder).await?;

    let files = FileSystem::new(&folder).map_err(|error| S3Error::Serve {
        path: folder.display().to_string(),
        // Its error type has no `Display`.
        reason: format!("{error:?}"),
    })?;
    let mut service = S3ServiceBuilder::new(files);
    service.set_auth(SimpleAuth::from_single(
        credentials.access_key_id.as_str(),
        credentials.secret_access_key.as_str(),
    ));
    let service = HandleError::new(service.build(), answer_failure);
    let router = Router::new()
        .fallback_service(service)
        .layer(middleware::from_fn(key_length::refuse_long_keys))
        .layer(middleware::map_response(checksums::withhold))
        .layer(cross_origin::uploads());
    Ok(Server::spawn(|stop| async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.received());
        if let Err(error) = served.await {
            tracing::error!(%error, "the S3 endpoint failed");
        }
    }))
}

/// S3's own errors are answers already; this is for a connection that broke.
async fn answer_failure(error: HttpError) -> StatusCode {
    tracing::warn!(?error, "an S3 request could not be served");
    StatusCode::INTERNAL_SERVER_ERROR
}

/// Makes the bucket on a server that is not ours, if it is absent.
pub(crate) async fn ensure_bucket(client: &Client) -> Result<(), S3Error> {
    match client.create_bucket().bucket(BUCKET).send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(service_error)
                if service_error.is_bucket_already_owned_by_you()
                    || service_error.is_bucket_already_exists() =>
            {
                Ok(())
            }
            _ => Err(S3Error::Bucket(explain(error))),
        },
    }
}
