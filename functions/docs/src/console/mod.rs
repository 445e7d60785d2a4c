//! The console: the registry's API as pages, for people.

mod claims;
mod fields;
mod groups;
mod home;
mod import;
mod jobs;
mod mistakes;
mod provider;
mod session;
mod settings;
mod sign_in;
mod sources;
mod stop;
mod user;
mod workspace;

use clientele::web::{Problem, Reply};
use futures::future::BoxFuture;
use http::{Method, StatusCode};

pub(crate) use provider::Discovery;

use crate::visit::Visit;
use session::Session;
use stop::Stop;
use user::User;

/// What a page of the console comes to.
type Shown = Result<http::Response<String>, Stop>;

/// Answers a request below `/console`.
///
/// Boxed outside of any async function: inside one, the compiler cannot show that a future that
/// holds such references may change threads.
pub(crate) fn answer<'a>(visit: &'a Visit<'a>, path: &'a [&'a str]) -> BoxFuture<'a, Reply> {
    Box::pin(answered(visit, path))
}

async fn answered(visit: &Visit<'_>, path: &[&str]) -> Reply {
    let is_write = visit.parts.method == Method::POST;
    if !is_write && !visit.is_read() {
        return Err(Problem::method_not_allowed("GET, HEAD, POST"));
    }
    if is_write && !visit.is_from_own_page() {
        let detail = "forms are taken from the console's own pages alone";
        let status = StatusCode::FORBIDDEN;
        return Err(Problem::new(status, "foreign_form", "Not allowed", detail));
    }
    match (is_write, path) {
        (true, ["sign-in"]) => return sign_in::with_token(visit).await,
        (true, ["sign-out"]) => return sign_in::out(visit),
        (false, ["sign-in", "provider"]) => return provider::start(visit).await,
        (false, ["sign-in", "callback"]) => return provider::callback(visit).await,
        _ => {}
    }
    let Some(session) = Session::of(visit) else {
        return sign_in::page(visit, None);
    };
    let user = User { visit, session };
    let shown = match (is_write, path) {
        (false, []) => home::page(&user),
        (false, ["import"]) => import::form(&user, None).await,
        (true, ["import"]) => import::send(&user).await,
        (true, ["import", "preview"]) => import::preview(&user).await,
        (true, ["import", "upload"]) => import::announce(&user).await,
        (false, ["jobs"]) => jobs::list(&user).await,
        (false, ["jobs", id]) => jobs::one(&user, id).await,
        (false, ["jobs", id, "status"]) => jobs::status(&user, id).await,
        (false, ["jobs", id, "rejected.csv"]) => jobs::rejected(&user, id).await,
        (false, ["jobs", id, "report.json"]) => jobs::report(&user, id).await,
        (true, ["jobs", id, "cancel"]) => jobs::cancel(&user, id).await,
        (_, ["fields"]) => fields::answer(&user).await,
        (_, ["groups", rest @ ..]) => groups::answer(&user, rest).await,
        (_, ["sources", rest @ ..]) => sources::answer(&user, rest).await,
        (_, ["settings", rest @ ..]) => settings::answer(&user, rest).await,
        _ => Err(Problem::not_found("page").into()),
    };
    shown.or_else(|stop| stop.show(&user))
}
