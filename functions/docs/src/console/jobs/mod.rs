//! Jobs: what has been imported, what is running, what was refused.

mod cancelling;
mod files;
mod list;
mod one;
mod view;

pub(crate) use cancelling::cancel;
pub(crate) use files::{rejected, report};
pub(crate) use list::{Jobs, list};
pub(crate) use one::{one, status};
pub(crate) use view::JobView;
