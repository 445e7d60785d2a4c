//! The DynamoDB table.
//!
//! [`layout`] knows how items are keyed and what their attributes are called. Values that users
//! supply never become part of an expression: names and values always travel as placeholders.

mod capacity;
mod conditional;
mod datasets;
mod erase;
mod error;
mod fence;
mod group;
mod import_ids;
mod item;
pub mod jobs;
pub mod layout;
mod organizations;
mod pages;
mod rate;
mod read;
mod replies;
mod retry;
mod rewrap;
mod settings;
mod source_tokens;
mod sources;
mod transact;
mod upsert;
pub mod verify;
mod visit;
mod warm_up;
mod wrapped_keys;

pub use capacity::Consumed;
pub use datasets::{FieldsChange, InUse, WorkspaceFields};
pub use erase::{Erasure, RemovedCustomer};
pub use error::StoreError;
pub use fence::{Fence, Standing};
pub use group::{FoundGroup, Group, GroupId, GroupIdError, Made};
pub use item::StoredRecord;
pub use organizations::{Organization, Source};
pub use pages::{Cursor, CursorError, PAGE_SIZE, Page};
pub use rate::Counted;
pub(crate) use replies::KEPT_FOR as REPLIES_KEPT_FOR;
pub use replies::{Claimed, KeptReply, KeyedRequest, ReplyClaim};
pub use rewrap::Rewrapped;
pub use settings::{NewSettings, SettingsChange};
pub use source_tokens::{Granted, ListedToken, MAX_TOKENS_OF_SOURCE, SourceGrant};
pub use upsert::{INSERTED_WHOLE, Outcome, Provenance};
pub use visit::Found;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use capacity::CapacityMeter;
use import_ids::ImportIds;

/// The table, through an SDK client.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
    capacity: Arc<CapacityMeter>,
    import_ids: Arc<ImportIds>,
}

impl Store {
    /// A table by its name.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
            capacity: Arc::default(),
            import_ids: Arc::default(),
        }
    }

    /// The capacity units that DynamoDB says this store has consumed so far.
    pub fn consumed(&self) -> Consumed {
        self.capacity.consumed()
    }
}
