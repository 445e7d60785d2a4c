//! An AWS endpoint over TLS that answers at once, and knows nothing: a table without items, a
//! bucket without objects.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::{Router, extract::State, serve::Listener};
use http::{HeaderMap, Method, Response, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
    server::TlsStream,
};

use crate::Error;

/// Where a Debian machine, as Amazon Linux, has the roots that everybody trusts.
const SYSTEM_ROOTS: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// Connections that may wait to be served.
const MAX_READY: usize = 64;

/// A running endpoint.
pub(crate) struct Endpoint {
    /// Where it is.
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    folder: TempDir,
}

/// What one process did at the endpoint.
#[derive(Default)]
pub(crate) struct Seen {
    /// When it first connected.
    pub(crate) connected: Option<Instant>,
    /// What it called, in that order.
    pub(crate) calls: Vec<String>,
}

impl Endpoint {
    /// An endpoint on a free port of this machine, with a certificate of its own authority.
    pub(crate) async fn start() -> Result<Self, Error> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])?;
        let certificate = certificate.signed_by(&key, &authority)?;

        let folder = tempfile::tempdir()?;
        let pem = authority.pem();
        std::fs::write(folder.path().join("authority.pem"), &pem)?;
        let mut all = pem;
        for system in SYSTEM_ROOTS {
            all.push_str(&std::fs::read_to_string(system).unwrap_or_default());
        }
        std::fs::write(folder.path().join("all-roots.pem"), all)?;

        let mut tls = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )?;
        // As DynamoDB, which does not speak HTTP/2.
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let tcp = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = tcp.local_addr()?;
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (shaken, ready) = mpsc::channel(MAX_READY);
        let tls = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(shake_hands(tcp, tls, Arc::clone(&seen), shaken));
        let listener = TlsListener { address, ready };
        let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            address,
            seen,
            folder,
        })
    }

    /// The root of the endpoint's certificate, as `AWS_CA_BUNDLE` names it.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// The same root among those of the system, for functions that load them all.
    pub(crate) fn all_roots(&self) -> PathBuf {
        self.folder.path().join("all-roots.pem")
    }

    /// What was seen since the last time.
    pub(crate) fn take_seen(&self) -> Seen {
        std::mem::take(&mut *lock(&self.seen))
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    State(seen): State<Arc<Mutex<Seen>>>,
    method: Method,
    headers: HeaderMap,
) -> Response<String> {
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.rsplit('.').next());
    let name = operation.map_or_else(|| format!("S3 {method}"), str::to_owned);
    lock(&seen).calls.push(name);
    let body = match operation {
        Some("BatchGetItem") => {
            r#"{"Responses":{},"UnprocessedKeys":{},"ConsumedCapacity":[{"CapacityUnits":0.5}]}"#
        }
        Some("TransactWriteItems" | "TransactGetItems") => {
            r#"{"ConsumedCapacity":[{"CapacityUnits":2}]}"#
        }
        Some("Query" | "Scan") => {
            r#"{"Items":[],"Count":0,"ScannedCount":0,"ConsumedCapacity":{"CapacityUnits":0.5}}"#
        }
        Some(_) => r#"{"ConsumedCapacity":{"CapacityUnits":0.5}}"#,
        None => {
            let mut none = Response::new(
                "<Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>".to_owned(),
            );
            *none.status_mut() = StatusCode::NOT_FOUND;
            return none;
        }
    };
    let mut response = Response::new(body.to_owned());
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/x-amz-json-1.0"),
    );
    response
}

type Connection = (TlsStream<TcpStream>, SocketAddr);

/// Lets everybody in who comes, each in a task of its own: `verify` opens several connections at
/// once.
async fn shake_hands(
    tcp: TcpListener,
    tls: TlsAcceptor,
    seen: Arc<Mutex<Seen>>,
    shaken: mpsc::Sender<Connection>,
) {
    loop {
        let Ok((stream, address)) = tcp.accept().await else {
            continue;
        };
        lock(&seen).connected.get_or_insert_with(Instant::now);
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let (tls, shaken) = (tls.clone(), shaken.clone());
        tokio::spawn(async move {
            if let Ok(stream) = tls.accept(stream).await {
                // Whoever is not listened to any more gets no answer.
                let _ = shaken.send((stream, address)).await;
            }
        });
    }
}

/// Connections whose handshake is done.
struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<Connection>,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connection {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
