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
    use std::sync::Arc;

    use aws_credential_types::Credentials;
    use tempfile::NamedTempFile;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        time::Instant,
    };

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

    async fn listen() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    /// What is logged while a function starts that has its table there.
    async fn logged(port: u16) -> String {
        let store = store_at(port);
        let log = NamedTempFile::new().unwrap();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(Arc::new(log.reopen().unwrap()))
            .with_ansi(false)
            .without_time()
            .finish();
        // Holds for this thread, on which all of the test runs.
        let _guard = tracing::subscriber::set_default(subscriber);
        store.warm_up().await;
        std::fs::read_to_string(log.path()).unwrap()
    }

    fn warning(problem: &str) -> String {
        format!(
            " WARN clientele::store::warm_up: the table could not be reached at the start \
             problem=\"{problem}\"\n"
        )
    }

    // The clock stands still but for the waiting.
    #[tokio::test(start_paused = true)]
    async fn a_start_waits_two_seconds_for_a_table_that_does_not_answer() {
        let (_silent, port) = listen().await;
        let start = Instant::now();
        assert_eq!(logged(port).await, warning("no answer within 2 s"));
        assert_eq!(start.elapsed().as_secs(), 2);
    }

    #[tokio::test]
    async fn a_start_goes_on_at_once_when_the_table_refuses() {
        let (listener, port) = listen().await;
        let refuse = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            assert!(length > 0);
            let error = r#"{"__type":"com.amazon.coral.service#AccessDeniedException"}"#;
            let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length";
            let response = format!("{head}: {}\r\n\r\n{error}", error.len());
            stream.write_all(response.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        };
        let (logged, ()) = tokio::join!(logged(port), refuse);
        let problem = "DynamoDB GetItem failed: AccessDeniedException";
        assert_eq!(logged, warning(problem));
    }
}
