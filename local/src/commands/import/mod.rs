//! `clientele import`: sends one file the way that any S3 client would, and watches
//! its job the way that any HTTP client would.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use aws_sdk_s3::{error::SdkError, primitives::ByteStream};
use clientele::dataset::{Dataset, workspace::WORKSPACE};
use clientele_local::{
    FIRST_ORGANIZATION, LocalStack, StartError,
    data_dir::{DataDir, DataDirError},
    endpoints::Endpoints,
};
use thiserror::Error;

use self::{
    jobs::{Job, Jobs},
    progress::Progress,
    report::Report,
};
use super::{CommandError, serve, signals::StopRequests};
use crate::cli::{ImportArguments, StackFlags};

mod jobs;
mod progress;
mod rejected;
mod report;

/// How often a job is looked at: well below the API's 300 requests a minute.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How long a file may wait for its job.
const JOB_WITHIN: Duration = Duration::from_secs(30);
/// How long another process that has the data folder may take to start or stop.
const STACK_WITHIN: Duration = Duration::from_secs(10);

/// Why a file is not sent at all.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not a file", .0.display())]
    NotAFile(PathBuf),
    #[error("the file's name is not UTF-8, so it cannot be an S3 key")]
    Name,
    #[error("import needs the embedded S3: it cannot know whether another server notifies")]
    OtherS3,
}

/// Why a file's fate is not known.
#[derive(Debug, Error)]
pub(crate) enum ImportError {
    #[error("the token in {path} cannot be read: {source}")]
    Token { path: String, source: io::Error },
    #[error("the file could not be put into the inbox: {0}")]
    Put(String),
    #[error("the HTTP API cannot be reached: {0}")]
    Http(String),
    #[error(
        "the process that imports the file has stopped; the import goes on the next time that Clientele starts with this data folder"
    )]
    StackStopped,
    #[error("the HTTP API answered {status}: {detail}")]
    Refused { status: u16, detail: String },
    #[error(
        "no job appeared for {0} within {seconds} s; it is still in the inbox: its import waits for others or keeps failing, and the stack's log tells which",
        seconds = JOB_WITHIN.as_secs()
    )]
    StillWaiting(String),
    #[error(
        "the file {0} was refused; it is now in the bucket's failed/ folder, and the stack's log says why"
    )]
    NoJob(String),
    #[error("the rejected rows cannot be written to {}: {source}", .path.display())]
    RejectedFile { path: PathBuf, source: io::Error },
    #[error("interrupted; what is still in the inbox is imported at the next start")]
    Interrupted,
}

impl From<reqwest::Error> for ImportError {
    fn from(error: reqwest::Error) -> Self {
        match error.is_connect() {
            true => Self::StackStopped,
            false => Self::Http(clientele_local::explain(error)),
        }
    }
}

pub(crate) async fn run(
    flags: &StackFlags,
    arguments: ImportArguments,
) -> Result<ExitCode, CommandError> {
    let key = object_key(&arguments)?;
    let target = Target::find_or_start(flags).await?;
    let status = import_and_tell(&target, &arguments, &key).await;
    target.stop().await;
    status
}

async fn import_and_tell(
    target: &Target,
    arguments: &ImportArguments,
    key: &str,
) -> Result<ExitCode, CommandError> {
    let mut stop_requests = StopRequests::listen()?;
    let report = tokio::select! {
        report = import(target, arguments, key) => report?,
        () = stop_requests.next() => return Err(ImportError::Interrupted.into()),
    };
    report.print(&mut io::stdout().lock())?;
    if let Some(path) = &arguments.rejected {
        rejected::save(target, &report, path).await?;
    }
    if arguments.wait
        && let Some(stack) = &target.stack
    {
        serve::announce(stack)?;
        stop_requests.next().await;
    }
    Ok(report.exit_code())
}

/// How the file is to be imported, if not as usual.
fn mode(arguments: &ImportArguments) -> Option<&'static str> {
    match (arguments.dry_run, arguments.all_or_nothing) {
        (true, _) => Some("dry_run"),
        (_, true) => Some("all_or_nothing"),
        _ => None,
    }
}

/// Where the file goes, once it is certain that there is one.
fn object_key(arguments: &ImportArguments) -> Result<String, FileError> {
    let path = &arguments.file;
    let metadata = std::fs::metadata(path).map_err(|source| FileError::Unreadable {
        path: path.clone(),
        source,
    })?;
    if !metadata.is_file() {
        return Err(FileError::NotAFile(path.clone()));
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or(FileError::Name)?;
    let ImportArguments { dataset, .. } = arguments;
    let builtin = Dataset::builtin(dataset);
    let own = builtin.as_ref().and_then(|dataset| dataset.source());
    let source = match (&arguments.source, own) {
        (Some(source), _) => source.as_str(),
        (None, Some(own)) => own.as_str(),
        (None, None) if dataset == WORKSPACE => WORKSPACE,
        (None, None) => "generic",
    };
    let group = arguments.group.iter().map(|group| format!("{group}/"));
    let group: String = group.collect();
    Ok(format!(
        "inbox/{FIRST_ORGANIZATION}/{source}/{dataset}/{group}{name}"
    ))
}

/// The stack that imports: the one that has the data folder, or our own.
struct Target {
    endpoints: Endpoints,
    token: String,
    stack: Option<LocalStack>,
}

impl Target {
    async fn find_or_start(flags: &StackFlags) -> Result<Self, CommandError> {
        let options = flags.options_for_one_command();
        let data = DataDir::new(&options.data)?;
        let give_up = Instant::now() + STACK_WITHIN;
        let mut again = tokio::time::interval(LOOK_EVERY);
        loop {
            again.tick().await;
            let stack = match LocalStack::start(options.clone()).await {
                Ok(stack) if flags.s3_endpoint.is_some() => {
                    stack.stop().await;
                    return Err(FileError::OtherS3.into());
                }
                Ok(stack) => Some(stack),
                // It is served by another process, or about to be.
                Err(StartError::DataDir(DataDirError::InUse(folder))) => {
                    if Instant::now() > give_up {
                        return Err(DataDirError::InUse(folder).into());
                    }
                    None
                }
                Err(error) => return Err(error.into()),
            };
            let endpoints = match &stack {
                Some(stack) => Some(stack.endpoints.clone()),
                None => Endpoints::of_running(&data)?,
            };
            let Some(endpoints) = endpoints else { continue };
            let token = read_token(&data.token())?;
            return Ok(Self {
                endpoints,
                token,
                stack,
            });
        }
    }

    async fn stop(self) {
        if let Some(stack) = self.stack {
            stack.stop().await;
        }
    }
}

fn read_token(path: &Path) -> Result<String, ImportError> {
    std::fs::read_to_string(path).map_err(|source| ImportError::Token {
        path: path.display().to_string(),
        source,
    })
}

async fn import(
    target: &Target,
    arguments: &ImportArguments,
    key: &str,
) -> Result<Report, ImportError> {
    let jobs = Jobs::new(&target.endpoints.http, &target.token)?;
    let before = jobs.newest_import().await?;
    let began = Instant::now();
    let key = put(&target.endpoints, arguments, key).await?;

    let progress = Progress::start();
    let mut job = first_sight(&target.endpoints, &jobs, &key, before).await?;
    let mut due = tokio::time::interval(LOOK_EVERY);
    while !job.has_ended() {
        progress.show(&job);
        due.tick().await;
        job = jobs.get(&job.id).await?;
    }
    progress.finish();
    // Only a job's own page lists its row errors.
    let job = jobs.get(&job.id).await?;
    Ok(Report::new(job, began.elapsed()))
}

/// Puts the file under a name that no other waits under, and returns the key.
async fn put(
    endpoints: &Endpoints,
    arguments: &ImportArguments,
    key: &str,
) -> Result<String, ImportError> {
    let s3 = endpoints.clients().s3;
    for key in std::iter::once(key.to_owned()).chain((2..).map(|n| numbered(key, n))) {
        let body = ByteStream::from_path(&arguments.file)
            .await
            .map_err(|error| ImportError::Put(error.to_string()))?;
        let mut put = s3
            .put_object()
            .bucket(&endpoints.bucket)
            .key(&key)
            .if_none_match("*")
            .body(body);
        if let Some(mode) = mode(arguments) {
            put = put.metadata("mode", mode);
        }
        match put.send().await {
            Ok(_) => return Ok(key),
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(ImportError::Put(clientele_local::explain(error))),
        }
    }
    Err(ImportError::Put("no name is free".to_owned()))
}

/// Whether another file of this name is still in the inbox, waiting or being imported.
fn is_taken<E>(error: &SdkError<E>) -> bool {
    let response = error.raw_response();
    response.is_some_and(|response| response.status().as_u16() == 412)
}

/// The key with a number before the file name's extension.
fn numbered(key: &str, number: u32) -> String {
    let (folders, name) = key.rsplit_once('/').unwrap_or(("", key));
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{folders}/{stem}-{number}.{extension}"),
        None => format!("{folders}/{name}-{number}"),
    }
}

/// Waits until the file's job is there. A job is made before its file leaves the
/// inbox, so a file that has left without one was refused.
async fn first_sight(
    endpoints: &Endpoints,
    jobs: &Jobs,
    key: &str,
    before: u64,
) -> Result<Job, ImportError> {
    let s3 = endpoints.clients().s3;
    let give_up = Instant::now() + JOB_WITHIN;
    let mut due = tokio::time::interval(LOOK_EVERY);
    while Instant::now() < give_up {
        due.tick().await;
        let head = s3.head_object().bucket(&endpoints.bucket).key(key);
        let has_left = match head.send().await {
            Ok(_) => false,
            Err(error) => error.as_service_error().is_some_and(|e| e.is_not_found()),
        };
        if let Some(job) = jobs.of_key_after(key, before).await? {
            return Ok(job);
        }
        if has_left {
            return Err(ImportError::NoJob(key.to_owned()));
        }
    }
    Err(ImportError::StillWaiting(key.to_owned()))
}
