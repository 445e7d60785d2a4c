//! Randomness that a failed test names, so that it can be had again.

use std::{env, fmt};

/// A stream of random numbers from a seed (SplitMix64, by Steele, Lea and Flood).
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    variable: &'static str,
    seed: u64,
    state: u64,
}

impl Chance {
    /// Seeded by an environment variable or, without it, by the clock. Prints which.
    pub(crate) fn from_env(variable: &'static str) -> Self {
        let seed = match env::var(variable) {
            Ok(seed) => seed.parse().expect("a seed is a number"),
            Err(_) => jiff::Timestamp::now().as_microsecond().unsigned_abs(),
        };
        let chance = Self {
            variable,
            seed,
            state: seed,
        };
        println!("{chance}");
        chance
    }

    /// A stream of its own for a numbered part of a test.
    pub(crate) fn branch(&self, number: u64) -> Self {
        let mut branch = self.clone();
        branch.state = self.seed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93);
        branch.next();
        branch
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// One of some things.
    pub(crate) fn of<T: Copy>(&mut self, things: &[T]) -> T {
        things[usize::try_from(self.below(things.len() as u64)).unwrap()]
    }

    /// Puts things in a random order.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            let other = self.below(last as u64 + 1);
            things.swap(last, usize::try_from(other).unwrap());
        }
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.variable, self.seed)
    }
}
