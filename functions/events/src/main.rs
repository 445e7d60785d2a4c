//! The cold start of the `events` function.

use std::sync::Arc;

use clientele::{
    Registry,
    aws::AwsConnection,
    config::{Config, EventSources},
    log,
};
use clientele_events::EventBridgeEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// One thread: a function has a share of a processor, and more threads cost a start their making.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log::init();
    let sources = Arc::new(EventSources::from_env()?);
    let clients = AwsConnection::from_env()?.clients();
    let registry = Arc::new(Registry::new(Config::from_env()?, clients)?);
    registry.store.warm_up().await;
    run(service_fn(move |event: LambdaEvent<EventBridgeEvent>| {
        let (registry, sources) = (Arc::clone(&registry), Arc::clone(&sources));
        async move { clientele_events::handle(&registry, &sources, event).await }
    }))
    .await
}
