//! Reads a download on a thread of its own: decoding, validation and protection are blocking work.

use std::io::Read;

use tokio::{io::AsyncRead, runtime::Handle, sync::mpsc, task::JoinHandle};
use tokio_util::io::SyncIoBridge;

use super::{
    FileError, ImportError,
    batches::{Batch, BatchError, batches},
    run::Stopped,
    survey::{Repetitions, Survey, survey},
};
use crate::{bucket::OpenObject, decode::Hints, protection::Protector, record::Validator};

/// A blocking reader over an object's download.
pub(super) fn blocking(object: OpenObject) -> SyncIoBridge<impl AsyncRead + Unpin + use<>> {
    SyncIoBridge::new_with_handle(object.body.into_async_read(), Handle::current())
}

pub(super) async fn read_through(
    reader: impl Read + Send + 'static,
    hints: Hints,
    mut validator: Validator,
) -> Result<Survey, Stopped> {
    let survey = tokio::task::spawn_blocking(move || survey(reader, &hints, &mut validator)).await;
    survey.map_err(|_| ImportError::Reader)?.map_err(refused)
}

/// Starts a thread that reads batches, one ahead of the one being stored.
pub(super) fn read_batches(
    reader: impl Read + Send + 'static,
    hints: Hints,
    mut validator: Validator,
    protector: Protector,
    repetitions: Repetitions,
    skip: u64,
) -> (mpsc::Receiver<Batch>, JoinHandle<Result<(), Stopped>>) {
    let (sender, receiver) = mpsc::channel(1);
    let thread = tokio::task::spawn_blocking(move || {
        let hand_on = |batch| sender.blocking_send(batch).is_ok();
        batches(
            reader,
            &hints,
            &mut validator,
            &protector,
            &repetitions,
            skip,
            hand_on,
        )
        .map_err(|error| match error {
            BatchError::File(error) => refused(error),
            BatchError::Cipher(error) => error.into(),
        })
    });
    (receiver, thread)
}

/// A download that broke off says nothing about the file: it is to be read again.
pub(super) fn refused(error: FileError) -> Stopped {
    match error {
        FileError::Unreadable => Stopped::Failed(ImportError::Interrupted),
        error => Stopped::File(error),
    }
}
