//! What DynamoDB says it consumed: units are money.

use std::{
    ops::Sub,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Capacity units of the on-demand mode.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Consumed {
    /// Read units: 4 KB strongly consistent, or twice that eventually consistent.
    pub read: f64,
    /// Write units: 1 KB, or half that in a transaction.
    pub write: f64,
}

impl Sub for Consumed {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            read: self.read - earlier.read,
            write: self.write - earlier.write,
        }
    }
}

/// Which kind of units a call consumes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Units {
    Read,
    Write,
}

/// Adds up units, in tenths: the smallest read costs half a unit.
#[derive(Debug, Default)]
pub(super) struct CapacityMeter {
    read: AtomicU64,
    write: AtomicU64,
}

impl CapacityMeter {
    pub(super) fn add<'c>(
        &self,
        units: Units,
        consumed: impl IntoIterator<Item = &'c ConsumedCapacity>,
    ) {
        let total: f64 = consumed.into_iter().filter_map(|c| c.capacity_units).sum();
        let tenths = (total * 10.0).round() as u64;
        match units {
            Units::Read => self.read.fetch_add(tenths, Ordering::Relaxed),
            Units::Write => self.write.fetch_add(tenths, Ordering::Relaxed),
        };
    }

    pub(super) fn consumed(&self) -> Consumed {
        let units = |tenths: &AtomicU64| tenths.load(Ordering::Relaxed) as f64 / 10.0;
        Consumed {
            read: units(&self.read),
            write: units(&self.write),
        }
    }
}
