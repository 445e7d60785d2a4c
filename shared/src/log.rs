//! What the functions log: one JSON object a line, on standard output, as Lambda expects it in
//! its JSON format.
//!
//! `timestamp` and `level` are the names that Lambda looks for; `target` tells the audit's lines
//! (`clientele::audit`) from others; `fields` has the message and its values.
//!
//! The audit is written whatever the level; but Lambda itself drops lines below the level that a
//! function's settings name, so that has to be `INFO` or finer.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, Registry,
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

const AUDIT: &str = "clientele::audit";

/// Starts logging, once per process, at the level that the function's settings on Lambda ask for
/// (`AWS_LAMBDA_LOG_LEVEL`, `INFO` unless set).
pub fn init() {
    let level = level(std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().as_deref());
    Registry::default().with(lines(level, io::stdout)).init();
    // A panic's message may quote what was worked on.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a panic ended this invocation");
    }));
}

/// Levels below `INFO` are for this project's own lines alone: what the SDK and the HTTP client say
/// there repeats what they send.
fn lines<W>(level: LevelFilter, writer: W) -> impl Layer<Registry> + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let targets = Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_target("clientele", level)
        .with_target(AUDIT, level.max(LevelFilter::INFO));
    fmt::layer().json().with_writer(writer).with_filter(targets)
}

/// One of Lambda's levels; it has one more than there are here.
fn level(name: Option<&str>) -> LevelFilter {
    match name {
        Some("FATAL") => LevelFilter::ERROR,
        name => name
            .and_then(|name| name.parse().ok())
            .unwrap_or(LevelFilter::INFO),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing::subscriber::with_default;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged_at(setting: Option<&str>, say: impl FnOnce()) -> Vec<Value> {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = lines(level(setting), move || writer.clone());
        with_default(Registry::default().with(layer), say);
        let bytes = kept.0.lock().unwrap();
        let lines = bytes.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_says_when_how_grave_who_and_what() {
        let lines = logged_at(None, || {
            tracing::warn!(target: "clientele::audit", action = "delete", "audit");
        });
        let [line] = &lines[..] else {
            panic!("{lines:?}");
        };
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(timestamp.parse::<jiff::Timestamp>().is_ok(), "{timestamp}");
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["target"], "clientele::audit");
        let fields = serde_json::json!({"message": "audit", "action": "delete"});
        assert_eq!(line["fields"], fields);
    }

    #[test]
    fn what_is_finer_than_info_is_our_own() {
        let say = || {
            tracing::debug!(target: "aws_smithy_runtime", "a body");
            tracing::debug!(target: "clientele::import", "ours");
            tracing::info!(target: "aws_smithy_runtime", "theirs");
            tracing::error!(target: "clientele::import", "bad");
            tracing::info!(target: AUDIT, "who");
        };
        let table: [(Option<&str>, &[&str]); 7] = [
            (None, &["theirs", "bad", "who"]),
            (Some("INFO"), &["theirs", "bad", "who"]),
            (Some("DEBUG"), &["ours", "theirs", "bad", "who"]),
            (Some("TRACE"), &["ours", "theirs", "bad", "who"]),
            (Some("ERROR"), &["bad", "who"]),
            (Some("FATAL"), &["bad", "who"]),
            (Some("nonsense"), &["theirs", "bad", "who"]),
        ];
        for (setting, expected) in table {
            let lines = logged_at(setting, say);
            let said = lines
                .iter()
                .map(|line| line["fields"]["message"].as_str().unwrap());
            assert_eq!(said.collect::<Vec<_>>(), expected, "{setting:?}");
        }
    }
}
