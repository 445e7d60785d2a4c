//! Identifiers that the registry makes itself, where a source has none.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use ulid::Ulid;
use uuid::Uuid;

/// What such identifiers begin with.
const PREFIX: &str = "CUS-";
/// What the random part is derived under.
const LABEL: &[u8] = b"clientele generated id v1";

/// What the identifiers of some rows are made of: the same rows get the same ones again, so that
/// work which is repeated makes nobody twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdSeed {
    at: Timestamp,
    id: Uuid,
}

impl IdSeed {
    /// The seed of a piece of work that began at a time and has a random id, neither of which
    /// may differ when it is repeated.
    pub fn new(at: Timestamp, id: Uuid) -> Self {
        Self { at, id }
    }

    /// The seed of a piece of work by an id that holds its time (RFC 9562, version 7). Of another
    /// version, the identifiers begin with 1970.
    pub fn of(id: Uuid) -> Self {
        let time = id.get_timestamp().map(|time| time.to_unix());
        let at = time.and_then(|(seconds, nanoseconds)| {
            let (seconds, nanoseconds) = (seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
            Timestamp::new(seconds, nanoseconds).ok()
        });
        Self::new(at.unwrap_or(Timestamp::UNIX_EPOCH), id)
    }

    /// A seed that nothing else has.
    pub fn random() -> Self {
        Self::new(Timestamp::now(), Uuid::new_v4())
    }

    /// The identifier of a row's record: a prefix and a [ULID](https://github.com/ulid/spec), so
    /// that identifiers sort by the millisecond in which they were made.
    pub(super) fn external_id(&self, row: u64) -> String {
        let mut hash = Sha256::new();
        hash.update(LABEL);
        hash.update(self.id.as_bytes());
        hash.update(row.to_be_bytes());
        let random = hash.finalize();
        let random = random
            .iter()
            .take(10)
            .fold(0, |all, byte| all << 8 | u128::from(*byte));
        let milliseconds = u64::try_from(self.at.as_millisecond()).unwrap_or(0);
        format!("{PREFIX}{}", Ulid::from_parts(milliseconds, random))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn seed(at: &str, id: u128) -> IdSeed {
        IdSeed::new(at.parse().unwrap(), Uuid::from_u128(id))
    }

    #[test]
    fn the_same_row_of_the_same_work_gets_the_same_id() {
        let work = seed("2026-01-15T08:30:00.123Z", 7);
        insta::assert_snapshot!(work.external_id(1), @"CUS-01KF0CD6XVMP7PZP242EBECDET");
        assert_eq!(work.external_id(1), work.external_id(1));
    }

    #[test]
    fn ids_differ_by_row_and_work_and_sort_by_time() {
        let works = [
            seed("2026-01-15T08:30:00Z", 1),
            seed("2026-01-15T08:30:00Z", 2),
            seed("2026-01-15T08:30:00.001Z", 1),
        ];
        let ids = works.map(|work| (1..=1_000).map(move |row| work.external_id(row)));
        let [first, second, later] = ids.map(HashSet::<String>::from_iter);
        let all: HashSet<&String> = first.iter().chain(&second).chain(&later).collect();
        assert_eq!(all.len(), 3_000);
        assert!(first.iter().chain(&second).max() < later.iter().min());
        assert!(all.iter().all(|id| id.len() == 30));
    }

    #[test]
    fn an_id_of_version_7_is_a_seed_by_itself() {
        let at: Timestamp = "2026-01-15T08:30:00.123Z".parse().unwrap();
        let time = uuid::Timestamp::from_unix(uuid::NoContext, at.as_second() as u64, 123_000_000);
        let id = Uuid::new_v7(time);
        assert_eq!(IdSeed::of(id), IdSeed::new(at, id));
        assert_eq!(IdSeed::of(Uuid::new_v4()).at, Timestamp::UNIX_EPOCH);
    }
}
