//! The keys of what an import puts into the bucket for its own later invocations.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// The folder of parts. Its objects are delivered to the import function like dropped files.
pub const PARTS: &str = "parts";
const CONTINUATION: &str = "continue-";

/// A key below `parts/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum PartKey {
    /// `parts/{job}/{number}`: rows of a large file.
    Part {
        /// The job.
        job: Uuid,
        /// The part's number, from 1.
        number: u32,
    },
    /// `parts/{job}/continue-{invocation}`: work that an invocation had no time for.
    Continuation {
        /// The job.
        job: Uuid,
        /// The invocation that leaves the work.
        from: Uuid,
    },
}

impl PartKey {
    /// A continuation by the invocation that leaves the work: the same when it is retried.
    pub(in crate::import) fn continuation(job: Uuid, invocation: &str) -> Self {
        let from = Uuid::new_v5(&job, invocation.as_bytes());
        Self::Continuation { job, from }
    }
}

impl fmt::Display for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part { job, number } => write!(f, "{PARTS}/{job}/{number}"),
            Self::Continuation { job, from } => write!(f, "{PARTS}/{job}/{CONTINUATION}{from}"),
        }
    }
}

impl FromStr for PartKey {
    type Err = ();

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        let rest = key.strip_prefix(PARTS).and_then(|k| k.strip_prefix('/'));
        let (job, name) = rest.and_then(|rest| rest.split_once('/')).ok_or(())?;
        let job = job.parse().map_err(drop)?;
        match name.strip_prefix(CONTINUATION) {
            Some(from) => Ok(Self::Continuation {
                job,
                from: from.parse().map_err(drop)?,
            }),
            None => Ok(Self::Part {
                job,
                number: name.parse().map_err(drop)?,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back() {
        let job = Uuid::from_u128(7);
        for key in [
            PartKey::Part { job, number: 12 },
            PartKey::continuation(job, "an invocation"),
        ] {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for other in ["parts/1", "parts/x/1", "inbox/1/generic/customers/a.csv"] {
            assert!(other.parse::<PartKey>().is_err(), "{other}");
        }
    }
}
