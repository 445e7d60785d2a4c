//! Ctrl-C and SIGTERM.

use super::CommandError;

/// The requests to stop. They are listened for from the start, because one that
/// comes before is lost where a shell has the signal ignored.
pub(crate) struct StopRequests {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopRequests {
    /// Takes the signals over from the system's own handling.
    pub(crate) fn listen() -> Result<Self, CommandError> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(CommandError::Signals)?,
            terminate: signal(SignalKind::terminate()).map_err(CommandError::Signals)?,
        })
    }

    /// Resolves at the next request.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl StopRequests {
    /// The system's own handling ends the process until somebody waits.
    pub(crate) fn listen() -> Result<Self, CommandError> {
        Ok(Self {})
    }

    /// Resolves at the next request.
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
