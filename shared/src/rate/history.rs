//! A caller's requests, as few numbers as the law needs.

use std::collections::BTreeMap;

use super::{Quota, WINDOW_SECONDS};

/// How long a slot is kept beyond the window, in seconds: more than clocks of instances differ.
const KEPT_BEYOND_WINDOW: i64 = 5;
/// The most slots that one write removes. The next one removes more.
const MAX_REMOVED: usize = 100;

/// How many requests were admitted, and how many had been before each second of the last minute.
///
/// A number that was written never changes, so whoever knows an old history knows less, but
/// nothing wrong: every request that it does not know of has a higher number than those it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// When it began, in milliseconds since the epoch: tells one life of an item from the next.
    pub born: i64,
    /// Requests admitted since then.
    pub admitted: u64,
    /// By second, as the admitting instance's clock had it: the requests admitted before the
    /// first one of that second.
    pub slots: BTreeMap<i64, u64>,
}

/// A request that an instance believes there is room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which life of the item it is meant for.
    pub born: i64,
    /// It may be counted while fewer than this are.
    pub ceiling: u64,
    /// Its second.
    pub slot: i64,
    /// Seconds that no window reaches any more.
    pub stale: Vec<i64>,
}

impl History {
    /// A history of one request.
    pub fn begun(born: i64, second: i64) -> Self {
        Self {
            born,
            admitted: 1,
            slots: BTreeMap::from([(second, 0)]),
        }
    }

    /// Counts a request at a second, or says in how many seconds there is room for one.
    pub fn attempt(&self, now: i64, limit: u32) -> Result<Attempt, u64> {
        let ceiling = self.before_window(now).saturating_add(u64::from(limit));
        if self.admitted >= ceiling {
            return Err(self.wait(now, limit));
        }
        let kept_from = now - WINDOW_SECONDS - KEPT_BEYOND_WINDOW;
        let stale = self.slots.range(..kept_from).take(MAX_REMOVED);
        Ok(Attempt {
            born: self.born,
            ceiling,
            slot: now,
            stale: stale.map(|(second, _)| *second).collect(),
        })
    }

    /// What is left of a limit.
    pub fn quota(&self, now: i64, limit: u32) -> Quota {
        let used = self.admitted.saturating_sub(self.before_window(now));
        let oldest = self.slots.range(now - WINDOW_SECONDS..).next();
        Quota {
            limit,
            remaining: u64::from(limit).saturating_sub(used),
            reset: oldest.map_or(0, |(second, _)| until_left(*second, now)),
        }
    }

    /// Whether it says anything of the window that ends now.
    pub(super) fn is_of_window(&self, now: i64) -> bool {
        self.slots.range(now - WINDOW_SECONDS..).next().is_some()
    }

    /// Whether it was seen after another.
    pub(super) fn is_later(&self, other: &Self) -> bool {
        (self.born, self.admitted) > (other.born, other.admitted)
    }

    /// How many requests had been admitted before the window that ends now. A second that lies
    /// across its beginning belongs to it, so the window is up to a second too long, never too
    /// short. The least of the numbers counts, since clocks that differ mix the seconds' order.
    fn before_window(&self, now: i64) -> u64 {
        let within = self.slots.range(now - WINDOW_SECONDS..);
        let least = within.map(|(_, before)| *before).min();
        least.unwrap_or(self.admitted)
    }

    fn wait(&self, now: i64, limit: u32) -> u64 {
        let room_after = |second: &i64| {
            let then = second + WINDOW_SECONDS + 1;
            self.admitted < self.before_window(then).saturating_add(u64::from(limit))
        };
        let mut seconds = self.slots.range(now - WINDOW_SECONDS..).map(|(s, _)| *s);
        let last_in_the_way = seconds.find(room_after);
        last_in_the_way.map_or(1, |second| until_left(second, now))
    }
}

/// In how many seconds a second lies before the window. At least 1.
fn until_left(second: i64, now: i64) -> u64 {
    (second + WINDOW_SECONDS + 1 - now).max(1).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: u32 = 5;

    /// The item, as conditional writes change it.
    #[derive(Default)]
    struct Table(Option<History>);

    impl Table {
        fn begin(&mut self, born: i64, second: i64) -> bool {
            let is_new = self.0.is_none();
            self.0.get_or_insert_with(|| History::begun(born, second));
            is_new
        }

        fn count(&mut self, attempt: &Attempt) -> bool {
            let Some(item) = &mut self.0 else {
                return false;
            };
            if item.born != attempt.born || item.admitted >= attempt.ceiling {
                return false;
            }
            item.slots.entry(attempt.slot).or_insert(item.admitted);
            item.admitted += 1;
            for second in &attempt.stale {
                item.slots.remove(second);
            }
            true
        }
    }

    /// What an instance does at a moment.
    #[derive(Debug, Clone)]
    struct Step {
        instance: usize,
        /// Milliseconds since the last step.
        after: i64,
        reply_lost: bool,
        forgets: bool,
        /// Time to live deletes what was not used for two minutes.
        expires: bool,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let pause = prop_oneof![
            10 => 0..1_500_i64,
            3 => 1_500..15_000_i64,
            1 => 50_000..130_000_i64,
        ];
        let step = (0..3_usize, pause, 0..20_u8, 0..20_u8, any::<bool>());
        let step = step.prop_map(|(instance, after, lost, forgets, expires)| Step {
            instance,
            after,
            reply_lost: lost == 0,
            forgets: forgets == 0,
            expires,
        });
        prop::collection::vec(step, 1..200)
    }

    /// The clocks of the instances, in milliseconds.
    const CLOCKS: [i64; 3] = [0, 700, -2_300];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn no_60_seconds_hold_more_than_the_limit(steps in steps()) {
            let mut table = Table::default();
            let mut known: [Option<History>; 3] = Default::default();
            let mut admitted: Vec<i64> = Vec::new();
            let (mut time, mut last_use) = (1_000_000_000_i64, 0);
            for step in steps {
                time += step.after;
                if step.expires && time - last_use > 120_000 {
                    table.0 = None;
                }
                let (clock, instance) = (time + CLOCKS[step.instance], step.instance);
                if step.forgets {
                    known[instance] = None;
                }
                // As the limiter does it: from memory, then from what it was refused with.
                for _ in 0..3 {
                    let second = clock.div_euclid(1_000);
                    let counted = match &known[instance] {
                        None => table.begin(time, second),
                        Some(history) => match history.attempt(second, LIMIT) {
                            Ok(attempt) => table.count(&attempt),
                            Err(_) => break,
                        },
                    };
                    if counted {
                        admitted.push(clock);
                        last_use = time;
                    }
                    if !(counted && step.reply_lost) {
                        known[instance] = table.0.clone();
                    }
                    if counted {
                        break;
                    }
                }
            }
            for from in &admitted {
                let window = *from..from + 60_000;
                let within = admitted.iter().filter(|at| window.contains(at)).count();
                prop_assert!(within <= LIMIT as usize, "{within} from {from}");
            }
        }

        #[test]
        fn whoever_waits_as_told_is_let_in(
            seconds in prop::collection::vec(0..100_i64, 1..40),
            now in 0..160_i64,
        ) {
            let mut seconds = seconds;
            seconds.sort_unstable();
            let mut table = Table::default();
            table.begin(1, seconds[0]);
            for second in &seconds[1..] {
                if let Ok(attempt) = table.0.as_ref().unwrap().attempt(*second, LIMIT) {
                    table.count(&attempt);
                }
            }
            let history = table.0.unwrap();
            let now = now.max(seconds[seconds.len() - 1]);
            match history.attempt(now, LIMIT) {
                Ok(_) => prop_assert!(history.quota(now, LIMIT).remaining > 0),
                Err(wait) => {
                    let wait = i64::try_from(wait).unwrap();
                    prop_assert!((1..=61).contains(&wait));
                    prop_assert!(history.attempt(now + wait, LIMIT).is_ok());
                    prop_assert!(history.attempt(now + wait - 1, LIMIT).is_err());
                }
            }
        }
    }

    #[test]
    fn a_burst_is_forgotten_after_a_minute_and_not_before() {
        let mut table = Table::default();
        table.begin(1, 100);
        for _ in 1..LIMIT {
            let attempt = table.0.as_ref().unwrap().attempt(100, LIMIT).unwrap();
            assert!(table.count(&attempt));
        }
        let full = table.0.unwrap();
        assert_eq!(full.attempt(100, LIMIT), Err(61));
        assert_eq!(full.attempt(160, LIMIT), Err(1));
        assert_eq!(full.attempt(161, LIMIT).unwrap().ceiling, 10);
        assert_eq!(full.quota(100, LIMIT).remaining, 0);
        assert_eq!(full.quota(161, LIMIT).remaining, 5);
    }

    #[test]
    fn seconds_that_no_window_reaches_are_removed_but_not_at_once() {
        let history = History {
            born: 1,
            admitted: 9,
            slots: BTreeMap::from([(34, 0), (35, 2), (40, 4), (100, 8)]),
        };
        assert_eq!(history.attempt(100, 9).unwrap().stale, [34]);
    }
}
