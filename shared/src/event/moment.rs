//! When an event happened.

use jiff::Timestamp;

/// An event's time in microseconds, and its action's place in the dataset's list: of two events of
/// one time, the update comes after the creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    microsecond: i64,
    action: u8,
}

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
    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [self.action; Self::BYTES];
        let unsigned = self.microsecond.cast_unsigned() ^ (1 << 63);
        for (to, from) in bytes.iter_mut().zip(unsigned.to_be_bytes()) {
            *to = from;
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, action] = bytes;
        let unsigned = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        Self {
            microsecond: (unsigned ^ (1 << 63)).cast_signed(),
            action,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment() -> impl Strategy<Value = Moment> {
        (any::<i64>(), any::<u8>()).prop_map(|(microsecond, action)| Moment {
            microsecond,
            action,
        })
    }

    proptest! {
        #[test]
        fn bytes_read_back_and_are_ordered_as_moments_are(a in moment(), b in moment()) {
            prop_assert_eq!(Moment::from_bytes(a.to_bytes()), a);
            prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
        }
    }
}
