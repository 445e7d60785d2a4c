//! `clientele apply-fences`: brings a restored table to what the journal of erasures says.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clientele_local::verification;

use super::CommandError;
use crate::cli::StackFlags;

pub(crate) async fn run(stack: &StackFlags) -> Result<ExitCode, CommandError> {
    let options = stack.options_for_one_command();
    let applied = verification::apply_fences(&options).await?;
    writeln!(io::stdout(), "{applied}")?;
    Ok(ExitCode::SUCCESS)
}
