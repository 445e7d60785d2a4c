//! Which of two events about one customer is the newer.

use jiff::Timestamp;

/// An event's place among the events about one customer: by its time in microseconds, then by its
/// action, then, so that the order is total, by a keyed digest of what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    moment: Moment,
    digest: [u8; DIGEST_BYTES],
}

/// An event's time, and its action's place in the dataset's list: of two events of one time, the
/// update comes after the creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    microsecond: i64,
    action: u8,
}

const DIGEST_BYTES: usize = 8;

impl Moment {
    /// How many bytes it is written in.
    pub(super) const BYTES: usize = 9;

    pub(crate) fn new(at: Timestamp, action: u8) -> Self {
        Self {
            microsecond: at.as_microsecond(),
            action,
        }
    }

    /// The time.
    pub(super) fn time(self) -> Timestamp {
        Timestamp::from_microsecond(self.microsecond).unwrap_or(Timestamp::MAX)
    }

    /// Bytes that are ordered as moments are.
    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [self.action; Self::BYTES];
        let unsigned = self.microsecond.cast_unsigned() ^ (1 << 63);
        for (to, from) in bytes.iter_mut().zip(unsigned.to_be_bytes()) {
            *to = from;
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, action] = bytes;
        let unsigned = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        Self {
            microsecond: (unsigned ^ (1 << 63)).cast_signed(),
            action,
        }
    }
}

impl Version {
    /// How many bytes it is written in.
    const BYTES: usize = Moment::BYTES + DIGEST_BYTES;

    /// The version of an event of some moment; `digest` is one of all it says.
    pub(crate) fn new(moment: Moment, digest: &[u8; 32]) -> Self {
        Self {
            moment,
            digest: digest.first_chunk().copied().unwrap_or_default(),
        }
    }

    /// When the event happened.
    pub(super) fn moment(self) -> Moment {
        self.moment
    }

    /// Bytes that are ordered as versions are.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [self.moment.to_bytes().as_slice(), &self.digest].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (moment, digest) = bytes.split_first_chunk()?;
        Some(Self {
            moment: Moment::from_bytes(*moment),
            digest: digest.try_into().ok()?,
        })
    }
}

const _: () = assert!(Version::BYTES == 17);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version() -> impl Strategy<Value = Version> {
        let moment = (any::<i64>(), any::<u8>());
        (moment, any::<[u8; 8]>()).prop_map(|((microsecond, action), digest)| Version {
            moment: Moment {
                microsecond,
                action,
            },
            digest,
        })
    }

    proptest! {
        #[test]
        fn bytes_read_back_and_are_ordered_as_versions_are(a in version(), b in version()) {
            prop_assert_eq!(Version::from_bytes(&a.to_bytes()), Some(a));
            prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
        }
    }

    #[test]
    fn other_bytes_are_no_version() {
        for length in [0, 16, 18] {
            assert_eq!(Version::from_bytes(&vec![0; length]), None, "{length}");
        }
    }
}
