//! A job as the API shows it.

use clientele::web::Scope;
use serde::Deserialize;

use crate::console::claims::Claims;

/// What the console shows of a job; the API says more.
#[derive(Deserialize)]
pub(crate) struct JobView {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) operation: String,
    pub(crate) mode: String,
    pub(crate) dataset: String,
    pub(crate) source: String,
    pub(crate) group: Option<String>,
    pub(crate) filename: String,
    pub(crate) sha256: Option<String>,
    pub(crate) format: Option<String>,
    pub(crate) encoding: Option<String>,
    pub(crate) delimiter: Option<String>,
    #[serde(default)]
    pub(crate) columns: Vec<Column>,
    #[serde(default)]
    pub(crate) warnings: Vec<Told>,
    pub(crate) rows_read: u64,
    pub(crate) rows_total: Option<u64>,
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) unchanged: u64,
    pub(crate) superseded: u64,
    pub(crate) duplicates: u64,
    pub(crate) rejected: u64,
    pub(crate) percent: Option<u64>,
    pub(crate) rows_per_second: Option<u64>,
    pub(crate) cancel_requested: bool,
    pub(crate) created_at: String,
    pub(crate) started_at: Option<String>,
    pub(crate) finished_at: Option<String>,
    pub(crate) error: Option<Told>,
    pub(crate) remark: Option<Told>,
    #[serde(default)]
    pub(crate) errors: Vec<RowError>,
}

/// What a file's column became.
#[derive(Deserialize)]
pub(crate) struct Column {
    pub(crate) header: String,
    pub(crate) field: Option<String>,
}

/// A code and what it means here.
#[derive(Deserialize)]
pub(crate) struct Told {
    pub(crate) code: Option<String>,
    pub(crate) message: String,
}

/// What is wrong with a row, or odd.
#[derive(Deserialize)]
pub(crate) struct RowError {
    pub(crate) row: u64,
    pub(crate) line: Option<u64>,
    pub(crate) column: Option<String>,
    pub(crate) code: String,
    pub(crate) severity: String,
    pub(crate) message: String,
}

impl JobView {
    /// Whether nothing more will happen.
    pub(crate) fn is_ended(&self) -> bool {
        !matches!(self.state.as_str(), "queued" | "running")
    }

    /// Whether only what would happen was looked at.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.mode == "dry_run"
    }

    /// Whether it has come to the file's end.
    pub(crate) fn is_completed(&self) -> bool {
        matches!(
            self.state.as_str(),
            "completed" | "completed_with_rejections"
        )
    }

    /// Whether somebody can stop it: it is under way, nobody has asked yet, and they may start one.
    pub(crate) fn may_be_stopped(&self, by: &Claims) -> bool {
        let is_theirs = by.has(Scope::RecordsWrite)
            && (self.operation != "rewrap" || by.has(Scope::WorkspaceAdmin));
        let can_be = self.operation != "delete_group" && !self.is_ended();
        is_theirs && can_be && !self.cancel_requested
    }

    /// The message of its state.
    pub(crate) fn state_words(&self) -> &'static str {
        match self.state.as_str() {
            "queued" => "state-queued",
            "running" if self.cancel_requested => "state-stopping",
            "running" => "state-running",
            "completed" => "state-completed",
            "completed_with_rejections" => "state-completed-with-rejections",
            "cancelled" => "state-cancelled",
            _ => "state-failed",
        }
    }

    /// How its state stands out.
    pub(crate) fn state_badge(&self) -> &'static str {
        match self.state.as_str() {
            "completed" => "good",
            "completed_with_rejections" => "warn",
            "failed" => "bad",
            "cancelled" => "muted",
            _ => "",
        }
    }

    /// The message of the delimiter of a csv.
    pub(crate) fn delimiter_words(&self) -> Option<&'static str> {
        Some(match self.delimiter.as_deref()? {
            ";" => "delimiter-semicolon",
            "\t" => "delimiter-tab",
            "|" => "delimiter-bar",
            _ => "delimiter-comma",
        })
    }

    /// The message of what it does.
    pub(crate) fn operation_words(&self) -> &'static str {
        match (self.operation.as_str(), self.mode.as_str()) {
            (_, "dry_run") => "operation-dry-run",
            ("update", _) | (_, "update") => "operation-update",
            ("rewrap", _) => "operation-rewrap",
            ("delete_group", _) => "operation-delete-group",
            (_, "all_or_nothing") => "operation-all-or-nothing",
            _ => "operation-import",
        }
    }
}
