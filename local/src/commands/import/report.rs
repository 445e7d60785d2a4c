//! What became of a file.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use super::jobs::{Job, RowError};

/// How many row errors are shown; the job's report has them all.
const ERRORS_SHOWN: usize = 20;

/// A job that has ended, and how long it took since the file was sent.
pub(super) struct Report {
    job: Job,
    elapsed: Duration,
}

impl Report {
    pub(super) fn new(job: Job, elapsed: Duration) -> Self {
        Self { job, elapsed }
    }

    pub(super) fn job(&self) -> &Job {
        &self.job
    }

    /// Success only if every row was accepted.
    pub(super) fn exit_code(&self) -> ExitCode {
        if self.job.state == "completed" && self.job.rejected == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { job, elapsed } = self;
        let seconds = elapsed.as_secs_f64();
        let note = match job.mode.as_str() {
            "dry_run" => " (a dry run: nothing was written)",
            _ => "",
        };
        writeln!(out, "{}{note}", job.state.replace('_', " "))?;
        if let Some(error) = &job.error {
            writeln!(out, "{}: {}", error.code, error.message)?;
        }
        let counts = [
            ("created", job.created),
            ("updated", job.updated),
            ("unchanged", job.unchanged),
            ("superseded", job.superseded),
            ("duplicates", job.duplicates),
            ("rejected", job.rejected),
            ("rows", job.rows_read),
        ];
        for (name, count) in counts {
            writeln!(out, "{name:<12}{count}")?;
        }
        writeln!(out, "{:<12}{seconds:.1}", "seconds")?;
        let rate = job.rows_read as f64 / seconds.max(f64::EPSILON);
        writeln!(out, "{:<12}{rate:.0}", "rows/s")?;
        for warning in &job.warnings {
            writeln!(out, "warning: {}", warning.message)?;
        }
        for error in job.errors.iter().take(ERRORS_SHOWN) {
            print_error(out, error)?;
        }
        if job.errors.len() > ERRORS_SHOWN {
            writeln!(out, "… and {} more", job.errors.len() - ERRORS_SHOWN)?;
        }
        if job.rejected > 0 {
            let id = &job.id;
            writeln!(
                out,
                "the rejected rows: GET /v1/jobs/{id}/rejected.csv, or --rejected FILE here"
            )?;
        }
        Ok(())
    }
}

fn print_error(out: &mut impl Write, error: &RowError) -> io::Result<()> {
    if let Some(row) = error.row {
        write!(out, "row {row}")?;
    }
    if let Some(line) = error.line {
        write!(out, " (line {line})")?;
    }
    if let Some(column) = &error.column {
        write!(out, ", {column}")?;
    }
    writeln!(out, ": {}: {}", error.code, error.message)
}
