//! What the looks through the folder have shown so far.

use std::{collections::HashMap, time::SystemTime};

use super::folder::{Look, Version};

/// Every object at the last look, and whether it has been delivered.
#[derive(Default)]
pub(super) struct Sightings {
    objects: HashMap<String, Sighting>,
    at: Option<SystemTime>,
}

struct Sighting {
    version: Version,
    delivered: bool,
}

/// What a look shows that the one before did not.
pub(super) struct Changes {
    /// Objects that have stopped changing, oldest first.
    pub(super) arrived: Vec<(String, Version)>,
    /// Objects that are no longer there, and when they last were.
    pub(super) gone: Vec<(String, SystemTime)>,
}

impl Sightings {
    /// Takes in another look. An object arrives when two looks in a row agree on
    /// its version: a copy by hand may take longer than one interval.
    pub(super) fn compare(&mut self, look: Look) -> Changes {
        let mut before = std::mem::take(&mut self.objects);
        let last_seen = self.at.replace(look.began);
        let mut arrived = Vec::new();
        for (key, version) in look.objects {
            let sighting = match before.remove(&key) {
                Some(sighting) if sighting.version == version => {
                    if !sighting.delivered {
                        arrived.push((key.clone(), version));
                    }
                    Sighting {
                        version,
                        delivered: true,
                    }
                }
                _ => Sighting {
                    version,
                    delivered: false,
                },
            };
            self.objects.insert(key, sighting);
        }
        arrived.sort_by_key(|(_, version): &(String, Version)| version.changed);
        let gone = last_seen.into_iter().flat_map(|last_seen| {
            let keys = before.keys().cloned();
            keys.map(move |key| (key, last_seen)).collect::<Vec<_>>()
        });
        Changes {
            gone: gone.collect(),
            arrived,
        }
    }

    /// Has an object arrive again at the next look.
    pub(super) fn forget_delivery(&mut self, key: &str) {
        if let Some(sighting) = self.objects.get_mut(key) {
            sighting.delivered = false;
        }
    }
}
