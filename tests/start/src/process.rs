//! One process from its start to its first answer.

use std::{
    io,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncWriteExt,
    process::{Child, ChildStdin, Command},
};

use crate::{
    Error,
    cpu_share::CpuShare,
    runtime_api::{RuntimeApi, Sign},
};

/// How long a function may take before it counts as dead.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one start took.
pub(crate) struct Start {
    /// When the process began.
    pub(crate) began: Instant,
    /// From the start of the process to its first request for an event.
    pub(crate) first_poll: Duration,
    /// From the start of the process to the end of its first invocation.
    pub(crate) first_response: Duration,
    /// What all its threads spent on a CPU until then.
    pub(crate) cpu: Duration,
    /// The most memory that it had, in bytes.
    pub(crate) peak_memory: u64,
}

/// Starts a function, gives it one event and ends it once it has answered. The error of one that
/// fails, or answers without the expected text, has its log.
pub(crate) async fn start(
    binary: &Path,
    environment: &[(&str, String)],
    event: &str,
    expected: &str,
    share: Option<&CpuShare>,
) -> Result<Start, Error> {
    let mut api = RuntimeApi::with_event(event.to_owned()).await?;
    let log = tempfile::NamedTempFile::new()?;
    let mut command = match share {
        None => Command::new(binary),
        // It waits for a line, so that moving it into its group is not measured.
        Some(share) => {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", "echo $$ > \"$0\" && read -r line && exec \"$1\""]);
            shell.args([share.members().as_path(), binary]);
            shell
        }
    };
    command
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
        .stdin(if share.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(log.reopen()?)
        .stderr(log.reopen()?)
        .kill_on_drop(true);

    let mut began = Instant::now();
    let mut child = command.spawn()?;
    let pid = child.id().ok_or("the process has no id")?;
    let mut spent_before = Duration::ZERO;
    if let (Some(share), Some(gate)) = (share, child.stdin.take()) {
        share.until_member(pid).await?;
        spent_before = cpu_time(pid)?;
        began = open(gate).await?;
    }
    let measured = tokio::time::timeout(PATIENCE, follow(&mut api, &mut child)).await;
    let measured = measured.unwrap_or_else(|_| Err("it does not answer".into()));
    let measured = measured.and_then(|(polled, answered, answer)| {
        if !answer.contains(expected) {
            return Err(format!("it answers {answer}").into());
        }
        Ok((polled, answered))
    });
    let (polled, answered) = measured.map_err(|error| {
        let log = std::fs::read_to_string(log.path()).unwrap_or_default();
        format!("{}: {error}\n{log}", binary.display())
    })?;
    let start = Start {
        began,
        first_poll: polled.duration_since(began),
        first_response: answered.duration_since(began),
        cpu: cpu_time(pid)?.saturating_sub(spent_before),
        peak_memory: peak_memory(pid)?,
    };
    child.kill().await?;
    Ok(start)
}

/// Lets a waiting process go on, and says when.
async fn open(mut gate: ChildStdin) -> Result<Instant, Error> {
    let now = Instant::now();
    gate.write_all(b"\n").await?;
    Ok(now)
}

async fn follow(
    api: &mut RuntimeApi,
    child: &mut Child,
) -> Result<(Instant, Instant, String), Error> {
    let mut polled = None;
    loop {
        tokio::select! {
            sign = api.signs.recv() => match (sign, polled) {
                (Some(Sign::Poll(at)), None) => polled = Some(at),
                (Some(Sign::Response(at, answer)), Some(polled)) => return Ok((polled, at, answer)),
                (Some(Sign::Failure(at, error)), Some(polled)) => return Ok((polled, at, error)),
                (Some(Sign::Failure(_, error)), None) => return Err(format!("it failed: {error}").into()),
                _ => return Err("it does not follow the runtime API".into()),
            },
            status = child.wait() => return Err(format!("it ended: {}", status?).into()),
        }
    }
}

/// The kernel's number for a thread that there is no more.
const NO_SUCH_PROCESS: i32 = 3;

/// The time that a process's threads ran, from the scheduler's own books, which forget a thread
/// when it ends.
fn cpu_time(pid: u32) -> Result<Duration, Error> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let line = match std::fs::read_to_string(thread?.path().join("schedstat")) {
            Ok(line) => line,
            // It has ended since the listing.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    || error.raw_os_error() == Some(NO_SUCH_PROCESS) =>
            {
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let spent = line.split_whitespace().next().unwrap_or_default();
        nanoseconds += spent.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

fn peak_memory(pid: u32) -> Result<u64, Error> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes = kibibytes.ok_or("the kernel does not say how much memory a process had")?;
    Ok(kibibytes.parse::<u64>()? * 1024)
}
