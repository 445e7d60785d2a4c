//! What the functions that answer HTTP share: who calls, how errors and records look.

mod attachment;
mod audit;
mod customer_group;
pub mod door;
mod idempotency;
mod job;
mod principal;
mod problem;
mod quota;
mod record;
mod request;
mod route;
mod token;

pub use attachment::attachment;
pub use audit::AuditLine;
pub use customer_group::customer_group;
pub use idempotency::REPLAYED;
pub use job::{column_warnings, job_body, job_id, long_job_id, row_error};
pub use principal::{Principal, Scope};
pub use problem::Problem;
pub use record::{record_body, revealed_body};
pub use request::{Call, Reply, enveloped_len, host, json};
pub use route::{Dialect, ENDPOINTS, Endpoint, Operation, Route};
pub use token::{FetchError, Refusal, Verifier, VerifierError};
