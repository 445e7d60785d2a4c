//! When an event happened.

use jiff::Timestamp;

/// An event's time in nanoseconds, and its action's place in the dataset's list: of two events of
/// one time, the update comes after the creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    nanosecond: i128,
    action: u8,
}

/// Of a time: its nanoseconds since the epoch, from year -9999 to 9999, need no more.
const TIME_BYTES: usize = 12;

impl Moment {
    /// How many bytes it is written in.
    pub(super) const BYTES: usize = TIME_BYTES + 1;

    pub(crate) fn new(at: Timestamp, action: u8) -> Self {
        Self {
            nanosecond: at.as_nanosecond(),
            action,
        }
    }

    /// The time.
    pub(super) fn time(self) -> Timestamp {
        Timestamp::from_nanosecond(self.nanosecond).unwrap_or(Timestamp::MAX)
    }

    /// Bytes that are ordered as moments are.
    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [self.action; Self::BYTES];
        let unsigned = self.nanosecond.wrapping_add(OFFSET).to_be_bytes();
        let time = unsigned.iter().skip(unsigned.len() - TIME_BYTES);
        for (to, from) in bytes.iter_mut().zip(time) {
            *to = *from;
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [time @ .., action] = bytes;
        let unsigned = time
            .iter()
            .fold(0, |all, byte| all << 8 | i128::from(*byte));
        Self {
            nanosecond: unsigned - OFFSET,
            action,
        }
    }
}

/// Makes every time positive.
const OFFSET: i128 = 1 << (TIME_BYTES * 8 - 1);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment() -> impl Strategy<Value = Moment> {
        let times = Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond();
        (times, any::<u8>()).prop_map(|(nanosecond, action)| Moment { nanosecond, action })
    }

    proptest! {
        #[test]
        fn bytes_read_back_and_are_ordered_as_moments_are(a in moment(), b in moment()) {
            prop_assert_eq!(Moment::from_bytes(a.to_bytes()), a);
            prop_assert_eq!(a.cmp(&b), a.to_bytes().cmp(&b.to_bytes()));
        }
    }
}
