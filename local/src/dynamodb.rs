//! DynamoDB: an embedded engine over one SQLite file, and the table in it.

use std::{convert::Infallible, io, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    client::Waiters,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        TimeToLiveSpecification, TimeToLiveStatus,
    },
};
use dynoxide::Database;
use thiserror::Error;
use tokio::net::TcpListener;

use crate::{aws::explain, data_dir::DataDir, server::Server};

/// The table's name on a local stack.
pub const TABLE: &str = "clientele-local";
const TTL_ATTRIBUTE: &str = "expires_at";
/// How often expired items are deleted; on AWS it may take days.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
const TABLE_READY_WITHIN: Duration = Duration::from_secs(30);

/// Why there is no table.
#[derive(Debug, Error)]
pub enum DynamoDbError {
    /// The SQLite file cannot be used.
    #[error("cannot open {path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// What the engine says.
        reason: String,
    },
    /// A DynamoDB server refused to make the table.
    #[error("cannot prepare the table {TABLE}: {0}")]
    Table(String),
}

/// Makes room for a table where there is none, or only half of one. The engine makes a table in
/// two steps, and cannot use what it finds when it was killed between them.
fn begin(data: &DataDir) -> io::Result<()> {
    let (database, marker) = (data.database(), data.unfinished_database());
    if marker.exists() {
        for ending in ["", "-wal", "-shm"] {
            let mut file = database.clone().into_os_string();
            file.push(ending);
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    } else if !database.exists() {
        std::fs::File::create_new(&marker)?.sync_all()?;
    }
    Ok(())
}

/// Notes that the table is whole.
pub(crate) fn finish(data: &DataDir) -> Result<(), DynamoDbError> {
    match std::fs::remove_file(data.unfinished_database()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(DynamoDbError::Table(error.to_string()))
        }
        _ => Ok(()),
    }
}

/// Serves the data folder's table to any DynamoDB client.
pub(crate) async fn serve(data: &DataDir, listener: TcpListener) -> Result<Server, DynamoDbError> {
    let path = data.database().display().to_string();
    begin(data).map_err(|error| DynamoDbError::Open {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    let open = {
        let path = path.clone();
        // Opening an engine that was killed replays its log.
        tokio::task::spawn_blocking(move || Database::new(&path))
    };
    let database = match open.await {
        Ok(Ok(database)) => database,
        Ok(Err(error)) => {
            let reason = error.to_string();
            return Err(DynamoDbError::Open { path, reason });
        }
        Err(error) => {
            let reason = error.to_string();
            return Err(DynamoDbError::Open { path, reason });
        }
    };
    Ok(Server::spawn(|stop| async move {
        let served =
            dynoxide::server::serve_with_shutdown(listener, database.clone(), stop.received());
        tokio::select! {
            result = served => if let Err(error) = result {
                tracing::error!(error, "the DynamoDB endpoint failed");
            },
            never = delete_expired(database) => match never {},
        }
    }))
}

async fn delete_expired(database: Database) -> Infallible {
    let mut due = tokio::time::interval(SWEEP_EVERY);
    loop {
        due.tick().await;
        let database = database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        if let Ok(Err(error)) = swept {
            tracing::warn!(%error, "expired items could not be deleted");
        }
    }
}

/// Makes the table if it is absent, on the embedded engine or any other.
pub(crate) async fn ensure_table(client: &Client) -> Result<(), DynamoDbError> {
    create_table(client).await?;
    client
        .wait_until_table_exists()
        .table_name(TABLE)
        .wait(TABLE_READY_WITHIN)
        .await
        .map_err(refused)?;
    enable_expiry(client).await
}

async fn create_table(client: &Client) -> Result<(), DynamoDbError> {
    let mut create = client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest);
    for (name, key_type) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(key_type);
        create = create
            .attribute_definitions(attribute.build().map_err(refused)?)
            .key_schema(key.build().map_err(refused)?);
    }
    match create.send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(service_error) if service_error.is_resource_in_use_exception() => Ok(()),
            _ => Err(refused(error)),
        },
    }
}

/// DynamoDB refuses to turn on what is on already, hence the look first.
async fn enable_expiry(client: &Client) -> Result<(), DynamoDbError> {
    let described = client
        .describe_time_to_live()
        .table_name(TABLE)
        .send()
        .await
        .map_err(refused)?;
    let status = described
        .time_to_live_description()
        .and_then(|description| description.time_to_live_status());
    if let Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling) = status {
        return Ok(());
    }
    let specification = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(TTL_ATTRIBUTE)
        .build()
        .map_err(refused)?;
    client
        .update_time_to_live()
        .table_name(TABLE)
        .time_to_live_specification(specification)
        .send()
        .await
        .map_err(refused)?;
    Ok(())
}

fn refused(error: impl std::error::Error) -> DynamoDbError {
    DynamoDbError::Table(explain(error))
}
