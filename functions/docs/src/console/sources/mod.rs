//! `/console/sources`: where data comes from, and the tokens of programs.

mod grant;
mod list;
mod revoke;

use clientele::web::Problem;

use super::{Shown, User};
use crate::site::redirect;

/// Answers a request below `/console/sources`.
pub(crate) async fn answer(user: &User<'_>, path: &[&str]) -> Shown {
    match (user.visit.is_read(), path) {
        (true, []) => list::page(user).await,
        (false, []) => grant::grant(user).await,
        (true, [origin, "revoke"]) => revoke::confirm(user, origin).await,
        (false, [origin, "revoke"]) => revoke::revoke(user, origin).await,
        (true, [_]) => Ok(redirect(&user.page().link("/console/sources"))?),
        _ => Err(Problem::not_found("page").into()),
    }
}
