//! `clientele preview`: shows how a file is read.

use std::{
    io::{self, BufWriter},
    process::ExitCode,
};

use clientele_local::preview::{Preview, PreviewError};

use super::CommandError;
use crate::cli::PreviewArguments;

/// Rows that are shown when nobody says how many.
const SHOWN_ROWS: usize = 20;

pub(crate) fn run(arguments: PreviewArguments) -> Result<ExitCode, CommandError> {
    let preview = Preview {
        rows: arguments.rows.or((!arguments.csv).then_some(SHOWN_ROWS)),
        file: arguments.file,
        dataset: arguments.dataset,
        csv: arguments.csv,
    };
    let mut output = BufWriter::new(io::stdout().lock());
    match preview.show(&mut output, &mut io::stderr()) {
        // Whoever reads the output, `head` say, has seen enough.
        Err(PreviewError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(ExitCode::SUCCESS)
        }
        shown => Ok(shown.map(|()| ExitCode::SUCCESS)?),
    }
}
