//! Where refused rows are kept: in the bucket, encrypted, for 7 days.

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::{
    REJECTED,
    segment::{self, Segment},
};
use crate::{
    bucket::{Bucket, BucketError, ListedObject},
    decode::MAX_COLUMNS,
    import::ImportError,
    protection::{CipherError, OrganizationKeys},
    record::RefusedRow,
    store::jobs::Job,
};

/// How long refused rows are kept after their job has ended.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The most bytes of csv in a part, its header aside. Lambda's limit for a reply is 6 MB, and a
/// csv travels as base64.
const MAX_PART_BYTES: u64 = 4_000_000;
/// The most segments of a part: what can be fetched well within API Gateway's 30 seconds.
const MAX_PART_SEGMENTS: usize = 500;
/// Segments that are fetched at once.
const FETCHED_AT_ONCE: usize = 16;

/// Why refused rows are not to be had.
#[derive(Debug, Error)]
pub enum RejectedError {
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// Decryption.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// A segment that does not read back.
    #[error("a segment of refused rows is not what was written")]
    Damaged,
}

/// The refused rows of a job, in the bucket.
pub struct RejectedRows<'b> {
    bucket: &'b Bucket,
    /// Where segments belong: their keys without the first row.
    folder: String,
    /// How many columns the job is known to have.
    width: usize,
    /// When they are no longer kept.
    expires_at: Timestamp,
}

/// As many consecutive segments as one reply can hold.
#[derive(Debug, Default)]
pub struct Part {
    segments: Vec<ListedObject>,
}

/// A part's rows in clear.
pub struct Opened {
    pub(super) segments: Vec<Segment>,
}

impl<'b> RejectedRows<'b> {
    /// The refused rows of a job.
    pub fn of(bucket: &'b Bucket, job: &Job) -> Self {
        Self {
            bucket,
            folder: format!("{REJECTED}/{}/{}/", job.organization, job.id),
            // JSON objects bring their own columns, which only come to light one by one.
            width: match job.format.as_deref() {
                Some("json" | "ndjson") => MAX_COLUMNS,
                _ => job.columns.len(),
            },
            expires_at: job.finished_at.unwrap_or(job.created_at) + KEPT_FOR,
        }
    }

    /// When the rows are no longer kept.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Keeps the refused rows of the batch that begins at a row. The same batch again replaces
    /// them. The keys are those for writing, also in a dry run.
    pub async fn write(
        &self,
        keys: &OrganizationKeys,
        first_row: u64,
        rows: Vec<RefusedRow>,
    ) -> Result<(), ImportError> {
        let segments = segment::pack(rows, self.width);
        for (index, (row, content)) in segments.into_iter().enumerate() {
            // Which rows of a batch are refused may change between two attempts with a setting.
            let name = name(if index == 0 { first_row } else { row });
            let sealed = keys.seal_object(&self.folder, &name, &content)?;
            let key = format!("{}{name}", self.folder);
            self.bucket.put(&key, sealed).await?;
        }
        Ok(())
    }

    /// The parts of the job's `rejected.csv`; none when nothing is kept.
    pub async fn parts(&self) -> Result<Vec<Part>, RejectedError> {
        let listed = self.bucket.list(&self.folder).await?;
        Ok(parted(listed))
    }

    /// A part's rows; nothing when some have expired meanwhile.
    pub async fn open(
        &self,
        keys: &OrganizationKeys,
        part: &Part,
    ) -> Result<Option<Opened>, RejectedError> {
        let keys_of_objects: Vec<String> = part.segments.iter().map(|s| s.key.clone()).collect();
        let fetched = stream::iter(keys_of_objects)
            .map(|key| {
                let bucket = self.bucket.clone();
                async move { bucket.read(&key).await }
            })
            .buffered(FETCHED_AT_ONCE);
        let fetched: Vec<Option<Vec<u8>>> = fetched.try_collect().await?;
        let mut segments = Vec::with_capacity(fetched.len());
        for (listed, sealed) in part.segments.iter().zip(fetched) {
            let Some(sealed) = sealed else {
                return Ok(None);
            };
            let name = listed.key.strip_prefix(&self.folder).unwrap_or_default();
            let content = keys.open_object(&self.folder, name, &sealed)?;
            let segment = serde_json::from_slice(&content).map_err(|_| RejectedError::Damaged)?;
            segments.push(segment);
        }
        Ok(Some(Opened { segments }))
    }

    /// Deletes them all.
    pub async fn delete(&self) -> Result<(), BucketError> {
        for listed in self.bucket.list(&self.folder).await? {
            self.bucket.delete_any(&listed.key).await?;
        }
        Ok(())
    }
}

/// A segment's name: keys are sorted as text.
fn name(first_row: u64) -> String {
    format!("{first_row:020}")
}

fn parted(listed: Vec<ListedObject>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut part = Part::default();
    let mut bytes = 0;
    for segment in listed {
        let full =
            bytes + segment.size > MAX_PART_BYTES || part.segments.len() == MAX_PART_SEGMENTS;
        if full && !part.segments.is_empty() {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += segment.size;
        part.segments.push(segment);
    }
    if !part.segments.is_empty() {
        parts.push(part);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_as_much_as_a_reply_can() {
        let table: [(&[u64], &[usize]); 5] = [
            (&[], &[]),
            (&[10], &[1]),
            (&[2_000_000, 2_000_000, 1], &[2, 1]),
            (&[4_000_001, 1], &[1, 1]),
            (&[1; 1_001], &[500, 500, 1]),
        ];
        for (sizes, expected) in table {
            let object = |size: &u64| ListedObject {
                key: String::new(),
                size: *size,
            };
            let parts = parted(sizes.iter().map(object).collect());
            let counts: Vec<_> = parts.iter().map(|part| part.segments.len()).collect();
            assert_eq!(counts, expected);
        }
    }
}
