//! A progress bar on stderr; nothing where stderr is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::jobs::Job;

const FRAME: Duration = Duration::from_millis(100);

/// A spinner that becomes a bar when the number of rows is known.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn start() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_message("waiting");
        bar.enable_steady_tick(FRAME);
        Self { bar }
    }

    pub(super) fn show(&self, job: &Job) {
        if let Some(total) = job.rows_total
            && self.bar.length() != Some(total)
        {
            self.bar.set_length(total);
            self.bar.set_style(bar_style());
        }
        self.bar.set_message(job.state.clone());
        self.bar.set_position(job.rows_read);
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn bar_style() -> ProgressStyle {
    let template = "{msg} {bar:40} {human_pos}/{human_len} rows  {elapsed}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
