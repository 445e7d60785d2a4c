//! `clientele verify`: checks the table's invariants.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clientele_local::verification;

use super::CommandError;
use crate::cli::StackFlags;

pub(crate) async fn run(stack: &StackFlags, repair: bool) -> Result<ExitCode, CommandError> {
    let options = stack.options_for_one_command();
    let report = verification::verify(&options, repair).await?;
    writeln!(io::stdout(), "{report}")?;
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
