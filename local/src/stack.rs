//! Everything in one process, started and stopped as one.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    sync::Arc,
};

use clientele::{
    Registry, RegistryError,
    aws::AwsClients,
    config::DEFAULT_RATE_LIMIT,
    identity::{DataOrigin, IdentityError as NameError, OrganizationId},
    store::StoreError,
};
use clientele_docs::{Docs, DocsSettings, ProviderSettings};
use thiserror::Error;

use crate::{
    data_dir::{DataDir, DataDirError, DataDirLock, remove_if_present, write_private},
    dynamodb::DynamoDbError,
    endpoints::Endpoints,
    engine::{Engine, EngineListeners},
    environment, gateway,
    identity::{IdentityError, SigningKey, TokenRequest},
    inbox::Inbox,
    invocations::Invocations,
    s3::S3Error,
    server::{self, ListenError, Port, Server},
};

/// The organisation that every local stack has from the start.
pub const FIRST_ORGANIZATION: u64 = 1;
/// Its sources.
const FIRST_SOURCES: [&str; 2] = ["generic", "api"];

/// What a stack serves, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder.
    pub data: PathBuf,
    /// The address of all three servers: this machine's loopback address, unless containers are to
    /// reach them.
    pub address: IpAddr,
    /// The HTTP API's port.
    pub port: Port,
    /// The embedded DynamoDB's port.
    pub dynamodb_port: Port,
    /// The embedded S3's port.
    pub s3_port: Port,
    /// Another DynamoDB to use instead of the embedded one.
    pub dynamodb_endpoint: Option<String>,
    /// Another S3 to use instead of the embedded one. There is then no folder to
    /// watch: files are imported when that server notifies, or not at all.
    pub s3_endpoint: Option<String>,
    /// The requests that a principal may make in any 60 seconds.
    pub rate_limit_per_minute: u32,
    /// An identity provider that the console leads to, beside taking tokens. The API believes its
    /// tokens only if they are the stack's own.
    pub provider: Option<ProviderSettings>,
}

impl Options {
    /// A data folder served on any free ports, as tests do it.
    pub fn on_free_ports(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            address: Ipv4Addr::LOCALHOST.into(),
            port: Port::Exactly(0),
            dynamodb_port: Port::Exactly(0),
            s3_port: Port::Exactly(0),
            dynamodb_endpoint: None,
            s3_endpoint: None,
            rate_limit_per_minute: DEFAULT_RATE_LIMIT,
            provider: None,
        }
    }
}

/// Why a stack does not start: one line each, for the person who started it.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each variant is the error that it wraps")]
pub enum StartError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("cannot tell which port was taken: {0}")]
    Address(#[from] io::Error),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("the random source failed: {0}")]
    Random(String),
    #[error("{} does not hold a key of 32 bytes", .0.display())]
    MasterKey(PathBuf),
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    #[error(transparent)]
    S3(#[from] S3Error),
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error("cannot make organisation {FIRST_ORGANIZATION}: {0}")]
    FirstOrganization(#[from] StoreError),
    #[error("cannot make organisation {FIRST_ORGANIZATION}: {0}")]
    FirstName(#[from] NameError),
}

/// A running stack. Dropping it without [`stop`](Self::stop) leaves what a killed
/// process leaves: nothing is lost, and the next start takes up the inbox.
pub struct LocalStack {
    /// Where it can be reached.
    pub endpoints: Endpoints,
    /// The domain, over the stack's own table and bucket.
    pub registry: Arc<Registry>,
    /// The SDK clients that the functions use.
    pub clients: AwsClients,
    /// The data folder.
    pub data: DataDir,
    key: SigningKey,
    gateway: Server,
    inbox: Option<Inbox>,
    invocations: Arc<Invocations>,
    engine: Engine,
    lock: DataDirLock,
}

impl LocalStack {
    /// Starts a stack; it accepts requests when this returns.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let data = DataDir::new(&options.data)?;
        let lock = data.acquire()?;
        // What a killed stack has left would send clients to the wrong ports.
        remove_if_present(&data.endpoints())?;
        remove_if_present(&data.functions_env())?;
        if !options.address.is_loopback() {
            tracing::warn!(
                address = %options.address,
                "whoever reaches this address can read and change everything here"
            );
        }
        let listener = options.port.listen(options.address, "--port").await?;
        let listeners = EngineListeners::bind(&options).await?;

        let http_url = server::url(&listener)?;
        let key = SigningKey::of(&data)?;
        let engine = Engine::start(&options, &data, listeners).await?;
        let registry = engine.registry(&options, &data, &key, &http_url)?;
        ensure_first_organization(&registry).await?;

        let functions = gateway::Functions {
            registry: Arc::clone(&registry),
            docs: Arc::new(Docs::new(DocsSettings {
                docs_url: registry.config.docs_url.clone(),
                api_url: http_url.clone(),
                upload_origin: engine.s3_url.clone(),
                scope_prefix: registry.config.jwt.scope_prefix.clone(),
                provider: options.provider.clone(),
            })),
        };
        let gateway = gateway::serve(listener, functions);
        let invocations = Arc::new(Invocations::new(
            Arc::clone(&registry),
            data.failed_events(),
        ));
        let inbox = options.s3_endpoint.is_none().then(|| {
            let s3 = engine.clients.s3.clone();
            Inbox::watch(data.buckets(), s3, Arc::clone(&invocations))
        });
        let endpoints = Endpoints::new(
            &http_url,
            &engine.dynamodb_url,
            &engine.s3_url,
            &engine.credentials,
        );
        let stack = Self {
            endpoints,
            registry,
            clients: engine.clients.clone(),
            data,
            key,
            gateway,
            inbox,
            invocations,
            engine,
            lock,
        };
        stack.announce()?;
        Ok(stack)
    }

    /// Signs a token that this stack believes.
    pub fn token(&self, request: &TokenRequest) -> Result<String, IdentityError> {
        self.key.token(request)
    }

    /// Writes down the token, whose key it is signed with and, last, where the stack listens.
    fn announce(&self) -> Result<(), StartError> {
        let organization = OrganizationId::new(FIRST_ORGANIZATION)?;
        let token = self.token(&TokenRequest::for_everything_in(organization))?;
        write_private(&self.data.token(), token.as_bytes())?;
        let keys = &self.registry.config.jwt.jwks;
        write_private(&self.data.jwks(), keys.as_bytes())?;
        environment::write(&self.data, &self.endpoints, &self.registry.config)?;
        self.endpoints.write(&self.data)?;
        Ok(())
    }

    /// Stops in the order of dependence: no new work, then the work under way,
    /// then what it stands on.
    pub async fn stop(self) {
        for file in [self.data.endpoints(), self.data.functions_env()] {
            if let Err(error) = remove_if_present(&file) {
                tracing::warn!(%error, "a file with addresses stays behind");
            }
        }
        if let Some(inbox) = self.inbox {
            inbox.stop().await;
        }
        self.gateway.stop().await;
        self.invocations.stop().await;
        self.engine.stop().await;
        drop(self.lock);
    }
}

async fn ensure_first_organization(registry: &Registry) -> Result<(), StartError> {
    let organization = OrganizationId::new(FIRST_ORGANIZATION)?;
    registry.store.ensure_organization(organization).await?;
    for origin in FIRST_SOURCES {
        let origin: DataOrigin = origin.parse()?;
        registry.store.ensure_source(organization, &origin).await?;
    }
    Ok(())
}
