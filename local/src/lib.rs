//! Clientele on one machine: the Lambda functions, and all that they need of AWS,
//! in one process.
//!
//! ```text
//! client → gateway (API Gateway)  → api, pages ┐
//! file   → s3 → inbox → invocations → import   ├→ registry → dynamodb, s3
//! ```
//!
//! The functions get the same events as on AWS, as JSON, and reach DynamoDB and S3
//! through the same SDK. [`LocalStack`] starts and stops it all.

mod aws;
pub mod data_dir;
pub mod decryption;
pub mod dynamodb;
pub mod endpoints;
mod engine;
mod environment;
mod gateway;
pub mod identity;
mod inbox;
mod invocations;
mod opened;
pub mod preview;
pub mod s3;
pub mod server;
mod stack;
mod transaction_tokens;
pub mod verification;

pub use aws::{REGION, explain};
pub use opened::OpenError;
pub use stack::{FIRST_ORGANIZATION, LocalStack, Options, StartError};
