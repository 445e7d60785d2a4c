//! `/console/settings`: what holds for the whole organization, and its encryption keys.

mod change;
mod keys;

pub(crate) use change::Settings;

use clientele::web::Problem;

use super::{Shown, User};
use crate::site::redirect;

/// Answers a request below `/console/settings`.
pub(crate) async fn answer(user: &User<'_>, path: &[&str]) -> Shown {
    match (user.visit.is_read(), path) {
        (true, []) => change::page(user).await,
        (false, []) => change::change(user).await,
        (false, ["keys"]) => keys::list(user).await,
        (false, ["keys", "rotate"]) => keys::rotate(user).await,
        (false, ["keys", "rewrap"]) => keys::rewrap(user).await,
        (true, ["keys", ..]) => Ok(redirect(&user.page().link("/console/settings"))?),
        _ => Err(Problem::not_found("page").into()),
    }
}
