//! What the functions log while the tests run.

use std::{
    io,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use serde_json::Value;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Lines of every test of this process, as Lambda would hand them to CloudWatch.
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Writer<'a>;

    fn make_writer(&'a self) -> Writer<'a> {
        Writer(LINES.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Writer<'a>(MutexGuard<'a, Vec<u8>>);

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps every line from now on: Lambda's level, and everything that is our own.
pub(crate) fn capture() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let filter = "info,dynoxide=off,s3s=off,clientele=trace,clientele_local=off";
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::new(filter))
            .with_writer(Lines)
            .init();
    });
}

/// All lines so far.
pub(crate) fn captured() -> String {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&lines).into_owned()
}

/// The audit's lines about a request.
pub(crate) fn audit_of(request_id: &str) -> Vec<Value> {
    let lines = captured();
    let lines = lines.lines().filter(|line| line.contains(request_id));
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["target"] == "clientele::audit")
        .map(|line| line["fields"].clone())
        .collect()
}
