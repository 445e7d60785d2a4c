//! The first call to the table, before anybody waits for it.

use std::time::Duration;

use super::{Store, layout};

/// How long a starting function waits for the table. Lambda gives a start ten seconds.
const PATIENCE: Duration = Duration::from_secs(2);

impl Store {
    /// Reads an item that does not exist, for half a read unit, so that a connection is there when
    /// the first request comes: Lambda starts a function with a whole CPU and lets it have its
    /// share only afterwards, of which shaking hands over TLS takes tens of milliseconds.
    ///
    /// A table that does not answer within two seconds is the first request's to deal with.
    pub async fn warm_up(&self) {
        let reply = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(layout::none().to_item()))
            .send();
        let problem = match tokio::time::timeout(PATIENCE, reply).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => super::StoreError::call("GetItem")(error).to_string(),
            Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        tracing::warn!(problem, "the table could not be reached at the start");
    }
}
