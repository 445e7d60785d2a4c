//! What the functions that answer HTTP share: who calls, how errors and records look.

mod attachment;
mod job;
mod principal;
mod problem;
mod record;
mod request;

pub use attachment::attachment;
pub use job::{column_warnings, job_body, job_id, long_job_id, row_error};
pub use principal::{Principal, Refusal, Scope, Verifier, VerifierError};
pub use problem::Problem;
pub use record::{Reader, record_body};
pub use request::{Call, Reply, finish, json};
