//! Lambda's asynchronous invocation of the import function: a queue, a time limit,
//! two retries, and a place for what fails every time.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clientele::Registry;
use tokio::{sync::Semaphore, task::JoinSet};
use uuid::Uuid;

mod attempt;
mod failed_event;

/// How many invocations run at once; the others wait.
const CONCURRENCY: usize = 3;
/// How long a failed event waits before each retry. Lambda waits one minute, then two.
const RETRY_WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// How long invocations under way may take to finish when the stack stops.
const GRACE: Duration = Duration::from_secs(5);

/// An event on its way to the import function.
pub(crate) struct Invocation {
    /// The same in every attempt.
    pub(crate) request_id: Uuid,
    /// JSON, as Lambda would hand it over.
    pub(crate) event: String,
}

/// The queue in front of the import function. Dropping it ends what is under way.
pub(crate) struct Invocations {
    importer: Arc<Importer>,
    tasks: Mutex<JoinSet<()>>,
}

struct Importer {
    registry: Arc<Registry>,
    failed_events: PathBuf,
    slots: Semaphore,
}

impl Invocations {
    /// An empty queue; what fails every time ends in the folder `failed_events`.
    pub(crate) fn new(registry: Arc<Registry>, failed_events: PathBuf) -> Self {
        let importer = Arc::new(Importer {
            registry,
            failed_events,
            slots: Semaphore::new(CONCURRENCY),
        });
        Self {
            importer,
            tasks: Mutex::default(),
        }
    }

    /// Queues an event and returns at once.
    pub(crate) fn submit(&self, invocation: Invocation) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // A set keeps the tasks that have ended until somebody asks for them.
        while tasks.try_join_next().is_some() {}
        let importer = Arc::clone(&self.importer);
        tasks.spawn(async move { importer.run(invocation).await });
    }

    /// Waits a while for what is under way, then cuts it short: the files are
    /// still in the inbox, and their imports resume at the next start.
    pub(crate) async fn stop(&self) {
        // Whoever waits for a slot gives up, so that only running attempts are waited for.
        self.importer.slots.close();
        let mut tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        let all_done = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all_done).await.is_err() {
            tasks.shutdown().await;
        }
    }
}

impl Importer {
    /// Attempts an event until it succeeds or has had its retries.
    async fn run(&self, invocation: Invocation) {
        let id = invocation.request_id;
        let mut waits = RETRY_WAITS.iter();
        let failure = loop {
            let Ok(slot) = self.slots.acquire().await else {
                return;
            };
            let Err(failure) = attempt::attempt(&self.registry, &invocation).await else {
                return failed_event::discard(&self.failed_events, id);
            };
            // Others may go ahead meanwhile.
            drop(slot);
            let Some(wait) = waits.next() else {
                break failure;
            };
            tracing::warn!(
                request_id = %id,
                error_type = failure.error_type,
                error = failure.error_message,
                "an import failed; it is tried again in {} s",
                wait.as_secs()
            );
            tokio::time::sleep(*wait).await;
        };
        tracing::error!(
            request_id = %id,
            error_type = failure.error_type,
            error = failure.error_message,
            "an import failed every time; its event is in {}",
            self.failed_events.display()
        );
        failed_event::record(&self.failed_events, &invocation, &failure);
    }
}
