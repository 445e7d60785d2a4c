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

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use tokio::{net::TcpListener, time::Instant};

    use super::*;
    use crate::aws::{AwsConnection, TrustedRoots};

    /// A store whose table is at this port of this machine.
    fn store_at(port: u16) -> Store {
        let connection = AwsConnection {
            region: "eu-west-1".to_owned(),
            credentials: Credentials::new("key", "secret", None, None, "test"),
            dynamodb_endpoint: Some(format!("http://127.0.0.1:{port}")),
            s3_endpoint: None,
            kms_endpoint: None,
            trusted_roots: TrustedRoots::of_the_system(),
        };
        Store::new(connection.clients().dynamodb, "table")
    }

    // The clock stands still but for the waiting.
    #[tokio::test(start_paused = true)]
    async fn a_start_waits_two_seconds_for_a_table_that_does_not_answer() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let store = store_at(silent.local_addr().unwrap().port());
        let start = Instant::now();
        store.warm_up().await;
        assert_eq!(start.elapsed().as_secs(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_goes_on_without_a_table() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let store = store_at(closed.local_addr().unwrap().port());
        drop(closed);
    }
}
