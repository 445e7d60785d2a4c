//! Bringing a file in: which columns become what, a dry run, the import.

mod form;
mod preview;
mod sending;
mod upload;

pub(crate) use form::empty;
pub(crate) use preview::preview;
pub(crate) use sending::send;
pub(crate) use upload::announce;
