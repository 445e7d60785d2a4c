//! `clientele token`: signs a token with the local key.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clientele_local::{
    Options,
    data_dir::DataDir,
    identity::{SigningKey, TokenRequest},
};

use super::CommandError;
use crate::cli::TokenArguments;

pub(crate) fn run(options: &Options, arguments: TokenArguments) -> Result<ExitCode, CommandError> {
    let data = DataDir::new(&options.data)?;
    // A folder without a key is not served yet, and may not even be there.
    let key = if data.jwt_key().exists() {
        data.check_ours()?;
        SigningKey::of(&data)?
    } else {
        let _lock = data.acquire()?;
        SigningKey::of(&data)?
    };
    let mut request = TokenRequest::for_everything_in(arguments.organization);
    request.groups = arguments.groups;
    if let Some(scope) = arguments.scope {
        request.scope = scope;
    }
    if let Some(user) = arguments.user {
        request.user = user;
    }
    if let Some(ttl) = arguments.ttl {
        request.ttl = ttl;
    }
    writeln!(io::stdout(), "{}", key.token(&request)?)?;
    Ok(ExitCode::SUCCESS)
}
