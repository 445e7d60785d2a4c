//! `clientele decrypt`: shows what an encrypted value says.

use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

use clientele_local::decryption;
use serde_json::Value;

use super::CommandError;
use crate::cli::{DecryptArguments, StackFlags};

/// The most that is read from the input: a page of customers is at most 5 MB.
const MAX_INPUT_BYTES: u64 = 16 * 1024 * 1024;

pub(crate) async fn run(
    stack: &StackFlags,
    arguments: DecryptArguments,
) -> Result<ExitCode, CommandError> {
    let input = match arguments.value.as_str() {
        "-" => {
            let mut input = String::new();
            io::stdin()
                .lock()
                .take(MAX_INPUT_BYTES)
                .read_to_string(&mut input)
                .map_err(CommandError::Input)?;
            input
        }
        value => value.to_owned(),
    };
    let options = stack.options_for_one_command();
    let DecryptArguments {
        organization,
        field,
        uid,
        ..
    } = arguments;
    let clear = match uid {
        Some(uid) => decryption::value(&options, organization, &uid, &field, &input).await?,
        None => decryption::page(&options, organization, &field, &input).await?,
    };
    match clear {
        // A text as it is, so that it can be used as it is.
        Value::String(text) => writeln!(io::stdout(), "{text}")?,
        other => writeln!(io::stdout(), "{other}")?,
    }
    Ok(ExitCode::SUCCESS)
}
