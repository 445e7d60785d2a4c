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

use clientele::web::Problem;
use futures::future::BoxFuture;
use http::{Method, Response, StatusCode};
use lambda_http::Body;

pub(crate) use provider::Discovery;

use crate::{site::redirect, visit::Visit};
use session::Session;
use sign_in::Why;
use stop::Stop;
use user::User;

/// What a page of the console comes to.
type Shown = Result<Response<String>, Stop>;

/// Answers a request below `/console`.
///
/// Boxed outside of any async function: inside one, the compiler cannot show that a future that
/// holds such references may change threads.
pub(crate) fn answer<'a>(
    visit: &'a Visit<'a>,
    path: &'a [&'a str],
) -> BoxFuture<'a, Result<Response<Body>, Problem>> {
    Box::pin(answered(visit, path))
}

async fn answered(visit: &Visit<'_>, path: &[&str]) -> Result<Response<Body>, Problem> {
    let is_write = visit.parts.method == Method::POST;
    if !is_write && !visit.is_read() {
        return Err(Problem::method_not_allowed("GET, HEAD, POST"));
    }
    if is_write && !visit.is_from_own_page() {
        let detail = "forms are taken from the console's own pages alone";
        let status = StatusCode::FORBIDDEN;
        return Err(Problem::new(status, "foreign_form", "Not allowed", detail));
    }
    let reply = match (is_write, path, Session::of(visit)) {
        (true, ["sign-in"], _) => sign_in::with_token(visit).await,
        (true, ["sign-out"], _) => sign_in::out(visit),
        (false, ["sign-in", "provider"], _) => provider::start(visit).await,
        (false, ["sign-in", "callback"], _) => provider::callback(visit).await,
        (.., None) => sign_in::page(visit, &visit.place, Why::Asked),
        (.., Some(session)) => {
            let user = User { visit, session };
            return match page(&user, is_write, path).await {
                Ok(response) => Ok(response),
                Err(stop) => Ok(stop.show(&user)?.map(Body::Text)),
            };
        }
    };
    Ok(reply?.map(Body::Text))
}

/// A page for somebody who has signed in.
async fn page(user: &User<'_>, is_write: bool, path: &[&str]) -> Result<Response<Body>, Stop> {
    let shown = match (is_write, path) {
        (false, []) => home::page(user).await,
        (false, ["import"]) => import::empty(user).await,
        (true, ["import"]) => import::send(user).await,
        (true, ["import", "preview"]) => import::preview(user).await,
        (true, ["import", "upload"]) => import::announce(user).await,
        (false, ["jobs"]) => jobs::list(user).await,
        (false, ["jobs", id]) => jobs::one(user, id).await,
        (false, ["jobs", id, "status"]) => jobs::status(user, id).await,
        (false, ["jobs", id, "rejected.csv"]) => jobs::rejected(user, id).await,
        (false, ["jobs", id, "report.json"]) => jobs::report(user, id).await,
        (true, ["jobs", id, "cancel"]) => jobs::cancel(user, id).await,
        // Where the language of a page leads that was answered to a form.
        (false, ["jobs", id, "cancel"]) => Ok(redirect(&page_of(user, &["jobs", id]))?),
        (false, ["sign-in"]) => Ok(redirect(&page_of(user, &[]))?),
        (false, ["workspace"]) => workspace::page(user).await,
        (false, ["workspace", file]) => return workspace::example(user, file).await,
        (_, ["fields"]) => fields::answer(user).await,
        (_, ["groups", rest @ ..]) => groups::answer(user, rest).await,
        (_, ["sources", rest @ ..]) => sources::answer(user, rest).await,
        (_, ["settings", rest @ ..]) => settings::answer(user, rest).await,
        _ => Err(Problem::not_found("page").into()),
    };
    Ok(shown?.map(Body::Text))
}

/// The address of a page of the console.
fn page_of(user: &User<'_>, path: &[&str]) -> String {
    let parts = path.iter().map(|part| format!("/{}", user::segment(part)));
    user.visit
        .place
        .link(&format!("/console{}", parts.collect::<String>()))
}
