//! The cold start of the `pages` function.

use std::sync::Arc;

use clientele::{Registry, aws::AwsConnection, config::Config, log};
use lambda_http::{Error, Request, run, service_fn};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// One thread: a function has a share of a processor, and more threads cost a start their making.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let clients = AwsConnection::from_env()?.clients();
    let registry = Arc::new(Registry::new(Config::from_env()?, clients)?);
    registry.store.warm_up().await;
    run(service_fn(move |request: Request| {
        let registry = Arc::clone(&registry);
        async move { Ok::<_, Error>(clientele_pages::handle(&registry, request).await) }
    }))
    .await
}
