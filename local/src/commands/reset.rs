//! `clientele reset`: deletes the data folder.

use std::process::ExitCode;

use clientele_local::{Options, data_dir::DataDir};

use super::CommandError;

pub(crate) fn run(options: &Options, confirmed: bool) -> Result<ExitCode, CommandError> {
    let data = DataDir::new(&options.data)?;
    let lock = data.acquire_existing()?;
    if !confirmed {
        return Err(CommandError::NotConfirmed(data.root().to_owned()));
    }
    data.delete(lock)?;
    Ok(ExitCode::SUCCESS)
}
