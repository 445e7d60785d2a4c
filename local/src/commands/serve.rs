//! `clientele`: serves until it is told to stop.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clientele_local::{LocalStack, Options};

use super::{CommandError, signals::StopRequests};

pub(crate) async fn run(options: Options) -> Result<ExitCode, CommandError> {
    let mut stop_requests = StopRequests::listen()?;
    let stack = LocalStack::start(options).await?;
    announce(&stack)?;
    stop_requests.next().await;
    stack.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// The token for whoever reads along, and the one line that a program waits for.
pub(crate) fn announce(stack: &LocalStack) -> Result<(), CommandError> {
    let path = stack.data.token();
    let token = std::fs::read_to_string(&path)?;
    writeln!(
        io::stderr(),
        "token for organisation 1 with every scope, also in {}:\n{token}",
        path.display()
    )?;
    writeln!(io::stdout(), "ready {}", stack.endpoints)?;
    Ok(())
}
