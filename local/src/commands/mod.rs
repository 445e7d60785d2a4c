//! One file a command.

use std::{io, path::PathBuf, process::ExitCode};

use clientele::erasure::ProofError;
use clientele_local::{
    StartError, data_dir::DataDirError, decryption::DecryptError, endpoints::EndpointsError,
    identity::IdentityError, preview::PreviewError, verification::VerifyError,
};
use thiserror::Error;

use self::import::{FileError, ImportError};

pub(crate) mod apply_fences;
pub(crate) mod decrypt;
pub(crate) mod import;
pub(crate) mod preview;
pub(crate) mod reset;
pub(crate) mod serve;
pub(crate) mod signals;
pub(crate) mod token;
pub(crate) mod verify;

/// Why a command could not do its work: one line for whoever typed it.
#[derive(Debug, Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Endpoints(#[from] EndpointsError),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    Decrypt(#[from] DecryptError),
    #[error(transparent)]
    Preview(#[from] PreviewError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("this deletes {0} and everything in it; repeat it with --yes")]
    NotConfirmed(PathBuf),
    #[error("cannot read {0}: {1}")]
    Receipt(PathBuf, #[source] io::Error),
    #[error("cannot use {0}: {1}")]
    NoReceipt(PathBuf, #[source] ProofError),
    #[error("cannot read the input: {0}")]
    Input(#[source] io::Error),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    #[error("cannot start: {0}")]
    Runtime(#[source] io::Error),
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] io::Error),
}

impl CommandError {
    /// 1 if the command ran and failed, 2 if it could not run.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Import(_) => ExitCode::FAILURE,
            _ => ExitCode::from(2),
        }
    }
}
