//! A listening server: how it gets its port and how it stops.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use thiserror::Error;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// How long requests under way may take to finish when a server stops.
const GRACE: Duration = Duration::from_secs(5);

/// Which port to listen on. Port 0 is any free one.
#[derive(Debug, Clone, Copy)]
pub enum Port {
    /// This port or an error.
    Exactly(u16),
    /// This port if it is free, else any that is.
    Preferably(u16),
}

/// Why a server cannot listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Somebody else listens there.
    #[error("port {port} is in use; choose another with {flag}, or 0 for any free one")]
    InUse {
        /// The port.
        port: u16,
        /// The flag that changes it.
        flag: &'static str,
    },
    /// The system refused.
    #[error("cannot listen on {address}, port {port} (--address, {flag}): {source}")]
    Refused {
        /// The address, which may be none of this machine's.
        address: IpAddr,
        /// The port.
        port: u16,
        /// The flag that changes it.
        flag: &'static str,
        /// The refusal.
        source: io::Error,
    },
}

impl Port {
    /// Listens on one address, by default the loopback one: nothing here is meant for a network.
    pub(crate) async fn listen(
        self,
        address: IpAddr,
        flag: &'static str,
    ) -> Result<TcpListener, ListenError> {
        let (Port::Exactly(port) | Port::Preferably(port)) = self;
        match TcpListener::bind((address, port)).await {
            Ok(listener) => Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => match self {
                Port::Exactly(_) => Err(ListenError::InUse { port, flag }),
                Port::Preferably(_) => {
                    TcpListener::bind((address, 0))
                        .await
                        .map_err(|source| ListenError::Refused {
                            address,
                            port: 0,
                            flag,
                            source,
                        })
                }
            },
            Err(source) => Err(ListenError::Refused {
                address,
                port,
                flag,
                source,
            }),
        }
    }
}

/// A server in a task of its own.
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Runs what `serve` makes until it has heeded its stop signal.
    pub(crate) fn spawn<F>(serve: impl FnOnce(StopSignal) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(StopSignal(stopped)));
        Self { stop, task }
    }

    /// Accepts nothing more and waits a while for requests under way.
    pub(crate) async fn stop(self) {
        let Self { stop, mut task } = self;
        // A server that has ended already has nobody to hear this.
        let _ = stop.send(());
        if tokio::time::timeout(GRACE, &mut task).await.is_err() {
            task.abort();
        }
    }
}

/// Tells a server to stop.
pub(crate) struct StopSignal(oneshot::Receiver<()>);

impl StopSignal {
    /// Resolves when the server is to stop, or when nobody is left to tell it.
    pub(crate) async fn received(self) {
        let _ = self.0.await;
    }
}

/// The URL of a listener.
pub(crate) fn url(listener: &TcpListener) -> io::Result<String> {
    let address: SocketAddr = listener.local_addr()?;
    Ok(format!("http://{address}"))
}
