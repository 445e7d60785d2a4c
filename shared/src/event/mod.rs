//! Events: what they say of a customer, and which of two is the newer.
//!
//! An event takes the same path as a row, with two stops of its own: the
//! [`Validator`](crate::record::Validator) takes it out of its envelope, and a [`Clock`] knows when
//! each field was last spoken of. Whatever order events arrive in, each field ends up as the newest
//! event that speaks of it has it.

mod clock;
mod consent;
mod moment;
mod said;

pub use clock::Clock;
pub use consent::{Answer, Consent};
pub(crate) use moment::Moment;
pub use said::{Rank, Said};
