//! A server of this machine that publishes keys, well or badly.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What the server does with a request.
#[derive(Clone)]
pub(super) enum Answer {
    /// Answers with a status line, further headers and a body.
    With(String, String),
    /// Promises a body and sends a part of it.
    Stalls,
    /// Closes the connection.
    HangsUp,
}

impl Answer {
    pub(super) fn ok(body: impl ToString) -> Self {
        Self::With("200 OK".to_owned(), body.to_string())
    }

    pub(super) fn keys(keys: &[Value]) -> Self {
        Self::ok(json!({ "keys": keys }))
    }
}

pub(super) struct KeyServer {
    pub(super) address: String,
    answer: Arc<Mutex<Answer>>,
    asked: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl KeyServer {
    pub(super) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let (answer, asked) = (Arc::new(Mutex::new(answer)), Arc::<AtomicUsize>::default());
        let (answers, count) = (Arc::clone(&answer), Arc::clone(&asked));
        let serving = tokio::spawn(async move {
            // Replies end by their length; connections stay open.
            let mut open = Vec::new();
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                read_request(&mut connection).await;
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answers.lock().unwrap().clone();
                let text = match answer {
                    Answer::With(head, body) => {
                        let length = body.len();
                        format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}")
                    }
                    Answer::Stalls => "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{".to_owned(),
                    Answer::HangsUp => continue,
                };
                // A client that has read enough of it closes the connection.
                let _ = connection.write_all(text.as_bytes()).await;
                open.push(connection);
            }
        });
        Self {
            address,
            answer,
            asked,
            serving,
        }
    }

    pub(super) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// How often it was asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Stops listening.
    pub(super) async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }
}

async fn read_request(connection: &mut TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(connection.read_u8().await.unwrap());
    }
}
