//! `clientele verify`: checks the table's invariants, or a receipt of an erasure.

use std::{
    fmt::Display,
    fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use clientele::erasure::Proof;
use clientele_local::verification;

use super::CommandError;
use crate::cli::StackFlags;

pub(crate) async fn run(
    stack: &StackFlags,
    repair: bool,
    receipt: Option<&Path>,
) -> Result<ExitCode, CommandError> {
    let options = stack.options_for_one_command();
    let Some(path) = receipt else {
        let report = verification::verify(&options, repair).await?;
        return show(&report, report.is_clean());
    };
    let json = fs::read(path).map_err(|error| CommandError::Receipt(path.to_owned(), error))?;
    let receipt =
        Proof::parse(&json).map_err(|error| CommandError::NoReceipt(path.to_owned(), error))?;
    let proven = verification::prove(&options, &receipt).await?;
    show(&proven, proven.is_clean())
}

fn show(found: &impl Display, is_clean: bool) -> Result<ExitCode, CommandError> {
    writeln!(io::stdout(), "{found}")?;
    Ok(match is_clean {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
