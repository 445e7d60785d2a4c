//! The bucket that files are dropped in.

use std::{collections::HashMap, time::Duration};

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{MetadataDirective, TaggingDirective},
};
use bytes::Bytes;
use thiserror::Error;

/// A failed call to S3, after the SDK's retries.
#[derive(Debug, Error)]
#[error("S3 {operation} failed: {code}")]
pub struct BucketError {
    operation: &'static str,
    code: String,
}

impl BucketError {
    fn of<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata,
    {
        move |error| Self {
            operation,
            code: match error.as_service_error() {
                Some(service) => service.code().unwrap_or("unknown").to_owned(),
                None => "no answer".to_owned(),
            },
        }
    }
}

/// The bucket, through an SDK client.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
}

/// An object that is being read.
#[derive(Debug)]
pub struct OpenObject {
    /// Its content.
    pub body: ByteStream,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// When it was put, in seconds since the epoch.
    pub last_modified: Option<i64>,
    /// What it was put with, by lower-case names.
    pub metadata: HashMap<String, String>,
}

/// Where one object may be put with a PUT, and the headers that it has to be put with.
#[derive(Debug)]
pub struct PresignedPut {
    /// The address; whoever has it may put the object.
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
}

/// An object in a listing.
#[derive(Debug, Clone)]
pub struct ListedObject {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

impl Bucket {
    /// A bucket by its name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens an object; nothing when it is gone, or is not the one with this entity tag any more.
    pub async fn open(
        &self,
        key: &str,
        etag: Option<&str>,
    ) -> Result<Option<OpenObject>, BucketError> {
        let result = self
            .client
            .get_object()
            .bucket(&self.name)
            .key(key)
            .set_if_match(etag.map(quoted))
            .send()
            .await;
        let object = match result {
            Ok(object) => object,
            Err(error) => {
                let status = error
                    .raw_response()
                    .map(|response| response.status().as_u16());
                return match status {
                    Some(404 | 412) => Ok(None),
                    _ => Err(BucketError::of("GetObject")(error)),
                };
            }
        };
        let found = object.e_tag.as_deref().map(unquoted).unwrap_or_default();
        // Not every server heeds If-Match.
        if etag.is_some_and(|etag| unquoted(etag) != found) {
            return Ok(None);
        }
        Ok(Some(OpenObject {
            size: object.content_length.and_then(|size| size.try_into().ok()),
            etag: found.to_owned(),
            last_modified: object.last_modified.map(|time| time.secs()),
            metadata: object.metadata.unwrap_or_default(),
            body: object.body,
        }))
    }

    /// A small object's content; nothing when it is gone.
    pub async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, BucketError> {
        let Some(object) = self.open(key, None).await? else {
            return Ok(None);
        };
        let broke_off = |_| BucketError {
            operation: "GetObject",
            code: "the download broke off".to_owned(),
        };
        let content = object.body.collect().await.map_err(broke_off)?;
        Ok(Some(content.into_bytes().into()))
    }

    /// The objects whose keys begin with a prefix, by key.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ListedObject>, BucketError> {
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&self.name)
            .prefix(prefix)
            .into_paginator()
            .send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(BucketError::of("ListObjectsV2"))?;
            listed.extend(page.contents().iter().filter_map(|object| {
                Some(ListedObject {
                    key: object.key()?.to_owned(),
                    size: object.size()?.try_into().ok()?,
                })
            }));
        }
        // S3 sorts its listings, other servers need not.
        listed.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(listed)
    }

    /// Puts a small object.
    pub async fn put(&self, key: &str, content: impl Into<Bytes>) -> Result<(), BucketError> {
        self.client
            .put_object()
            .bucket(&self.name)
            .key(key)
            .body(ByteStream::from(content.into()))
            .send()
            .await
            .map(drop)
            .map_err(BucketError::of("PutObject"))
    }

    /// Puts a small object in place of another, unless that was replaced or deleted meanwhile.
    /// Returns whether it was put.
    pub async fn replace(
        &self,
        key: &str,
        etag: &str,
        content: Vec<u8>,
    ) -> Result<bool, BucketError> {
        let put = self.client.put_object().bucket(&self.name).key(key);
        let result = put.if_match(quoted(etag)).body(content.into()).send().await;
        match result {
            Ok(_) => Ok(true),
            Err(error) => {
                let status = error
                    .raw_response()
                    .map(|response| response.status().as_u16());
                match status {
                    Some(404 | 409 | 412) => Ok(false),
                    _ => Err(BucketError::of("PutObject")(error)),
                }
            }
        }
    }

    /// Deletes an object, if there is one.
    pub async fn delete_any(&self, key: &str) -> Result<(), BucketError> {
        let delete = self.client.delete_object().bucket(&self.name).key(key);
        let deleted = delete.send().await.map(drop);
        deleted.map_err(BucketError::of("DeleteObject"))
    }

    /// Lets anybody who has the address put one object, for a while.
    pub async fn presign_put(
        &self,
        key: &str,
        valid_for: Duration,
    ) -> Result<PresignedPut, BucketError> {
        let unsigned = || BucketError {
            operation: "PutObject",
            code: "it cannot be signed".to_owned(),
        };
        let config = PresigningConfig::expires_in(valid_for).map_err(|_| unsigned())?;
        // An upload that was begun again finds the first in place, and fails with 412.
        let put = self.client.put_object().bucket(&self.name).key(key);
        let signed = put
            .if_none_match("*")
            .presigned(config)
            .await
            .map_err(BucketError::of("PutObject"))?;
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Ok(PresignedPut {
            url: signed.uri().to_owned(),
            headers: signed.headers().map(owned).collect(),
        })
    }

    /// Deletes an object, unless it has been replaced meanwhile.
    pub async fn delete(&self, key: &str, etag: &str) -> Result<(), BucketError> {
        let result = self
            .client
            .delete_object()
            .bucket(&self.name)
            .key(key)
            .if_match(quoted(etag))
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error) => {
                let status = error
                    .raw_response()
                    .map(|response| response.status().as_u16());
                match status {
                    Some(404 | 409 | 412) => Ok(()),
                    _ => Err(BucketError::of("DeleteObject")(error)),
                }
            }
        }
    }

    /// Moves an object that cannot be imported to `failed/`, with the reason's code as metadata.
    /// The label keeps files of one name apart: `failed/{folders}/{label}-{filename}`.
    pub async fn move_to_failed(
        &self,
        key: &str,
        etag: &str,
        label: &str,
        reason: &str,
    ) -> Result<(), BucketError> {
        let source: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
        let source = source.replace('+', "%20").replace("%2F", "/");
        let result = self
            .client
            .copy_object()
            .bucket(&self.name)
            .copy_source(format!("{}/{source}", self.name))
            .key(failed_key(key, label))
            .metadata_directive(MetadataDirective::Replace)
            .tagging_directive(TaggingDirective::Replace)
            .metadata("reason", reason)
            .copy_source_if_match(quoted(etag))
            .send()
            .await;
        match result {
            Ok(_) => self.delete(key, etag).await,
            Err(error) => {
                let status = error
                    .raw_response()
                    .map(|response| response.status().as_u16());
                match status {
                    Some(404 | 412) => Ok(()),
                    _ => Err(BucketError::of("CopyObject")(error)),
                }
            }
        }
    }
}

fn failed_key(key: &str, label: &str) -> String {
    let failed = crate::import::FAILED;
    match key.rsplit_once('/') {
        Some((folders, filename)) => format!("{failed}/{folders}/{label}-{filename}"),
        None => format!("{failed}/{label}-{key}"),
    }
}

fn unquoted(etag: &str) -> &str {
    etag.trim_matches('"')
}

fn quoted(etag: &str) -> String {
    format!("\"{}\"", unquoted(etag))
}
