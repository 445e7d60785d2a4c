//! Signing in with the organization's own account: the authorization code flow of OAuth 2.0 with
//! a proof key (RFC 6749, 4.1; RFC 7636), as OAuth's security practice has it (RFC 9700).
//!
//! The console is a public client: it has no secret. The access token that comes of it is one that
//! the API believes, or it is of no use.

mod attempt;
mod callback;
mod client;
mod discovery;
mod start;

pub(crate) use callback::callback;
pub(crate) use start::start;

pub(crate) use discovery::Discovery;

/// Where the provider sends people back to; the page that they wanted is in a cookie, since
/// providers compare whole addresses.
const CALLBACK: &str = "/console/sign-in/callback";
