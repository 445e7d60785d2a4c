//! `/console/groups`: groups, their customers page by page, one customer, deletion.

mod cell;
mod change;
mod customer;
mod erasure;
mod group;
mod list;
mod members;
mod table;

pub(crate) use group::{Group, Groups};

use clientele::web::Problem;

use super::{Shown, User};
use crate::site::redirect;

/// Answers a request below `/console/groups`.
pub(crate) async fn answer(user: &User<'_>, path: &[&str]) -> Shown {
    match (user.visit.is_read(), path) {
        (true, []) => list::page(user).await,
        (false, []) => list::create(user).await,
        (true, [id]) => members::numbered(user, id).await,
        (false, [id]) => members::asked(user, id).await,
        (false, [id, "customer"]) => customer::page(user, id).await,
        (false, [id, "rename"]) => change::rename(user, id).await,
        (true, [id, "delete"]) => change::confirm(user, id).await,
        (false, [id, "delete"]) => change::delete(user, id).await,
        (false, [id, "erase"]) => erasure::confirm(user, id).await,
        (false, [id, "erased"]) => erasure::erase(user, id).await,
        // Such a page answers a form, and the link to another language asks for it without.
        (true, [id, "customer" | "rename" | "erase" | "erased"]) => {
            let group = Group::named(user, id).await?;
            Ok(redirect(&user.page().link(&group.path()))?)
        }
        _ => Err(Problem::not_found("page").into()),
    }
}
