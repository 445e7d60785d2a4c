//! The cold start of the `docs` function.

use std::sync::Arc;

use clientele::log;
use clientele_docs::{AsMade, Docs, DocsSettings, handle};
use lambda_http::{Error, Request, run, service_fn};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// One thread: a function has a share of a processor, and more threads cost a start their making.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let docs = Arc::new(Docs::new(DocsSettings::from_env()));
    run(service_fn(move |request: Request| {
        let docs = Arc::clone(&docs);
        async move { Ok::<_, Error>(AsMade(handle(&docs, request).await)) }
    }))
    .await
}
