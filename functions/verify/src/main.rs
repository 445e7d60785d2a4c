//! The cold start of the `verify` function.

use std::sync::Arc;

use clientele::{Registry, aws::AwsConnection, config::Config};
use clientele_verify::Request;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let clients = AwsConnection::from_env()?.clients();
    let registry = Arc::new(Registry::new(Config::from_env()?, clients)?);
    registry.store.warm_up().await;
    run(service_fn(move |event: LambdaEvent<Request>| {
        let registry = Arc::clone(&registry);
        async move { clientele_verify::handle(&registry, event).await }
    }))
    .await
}
