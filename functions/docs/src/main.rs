//! The cold start of the `docs` function.

use std::sync::Arc;

use clientele::config;
use lambda_http::{Error, Request, lambda_runtime::tracing, run, service_fn};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let docs_url: Arc<str> = config::docs_url(|name| std::env::var(name).ok())?.into();
    run(service_fn(move |request: Request| {
        let docs_url = Arc::clone(&docs_url);
        async move { Ok::<_, Error>(clientele_docs::handle(&docs_url, request)) }
    }))
    .await
}
