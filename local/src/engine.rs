//! What the functions stand on: DynamoDB, S3 and the registry over both.

use std::sync::Arc;

use clientele::{
    Registry,
    aws::AwsClients,
    config::{Config, DEFAULT_RATE_LIMIT, DocsUrl, InboxRetention, KeyWrapping},
};
use tokio::net::TcpListener;

use crate::{
    Options, StartError,
    aws::LocalCredentials,
    data_dir::{DataDir, read_or_create_secret},
    dynamodb::{self, TABLE},
    endpoints::Endpoints,
    identity::SigningKey,
    s3::{self, BUCKET},
    server::{self, Server},
    transaction_tokens::without_tokens,
};

const MASTER_KEY_BYTES: usize = 32;

/// DynamoDB and S3, each either embedded or another server's.
pub(crate) struct Engine {
    pub(crate) dynamodb_url: String,
    pub(crate) s3_url: String,
    pub(crate) credentials: LocalCredentials,
    pub(crate) clients: AwsClients,
    /// The embedded servers.
    servers: Vec<Server>,
}

/// Where the embedded servers will listen. Taking every port before anything is
/// opened makes a port in use cheap to find out.
pub(crate) struct EngineListeners {
    dynamodb: Option<TcpListener>,
    s3: Option<TcpListener>,
}

impl EngineListeners {
    pub(crate) async fn bind(options: &Options) -> Result<Self, StartError> {
        let dynamodb = match options.dynamodb_endpoint {
            Some(_) => None,
            None => Some(
                options
                    .dynamodb_port
                    .listen(options.address, "--dynamodb-port")
                    .await?,
            ),
        };
        let s3 = match options.s3_endpoint {
            Some(_) => None,
            None => Some(options.s3_port.listen(options.address, "--s3-port").await?),
        };
        Ok(Self { dynamodb, s3 })
    }
}

impl Engine {
    /// Starts what is embedded; the table and the bucket are there afterwards.
    pub(crate) async fn start(
        options: &Options,
        data: &DataDir,
        listeners: EngineListeners,
    ) -> Result<Self, StartError> {
        let credentials = match (&options.dynamodb_endpoint, &options.s3_endpoint) {
            (None, None) => LocalCredentials::for_embedded_servers(),
            _ => LocalCredentials::for_other_servers(),
        };
        let mut servers = Vec::new();
        let dynamodb_url = match listeners.dynamodb {
            Some(listener) => {
                let url = server::url(&listener)?;
                servers.push(dynamodb::serve(data, listener).await?);
                url
            }
            None => options.dynamodb_endpoint.clone().unwrap_or_default(),
        };
        let s3_url = match listeners.s3 {
            Some(listener) => {
                let url = server::url(&listener)?;
                servers.push(s3::serve(data, &credentials, listener).await?);
                url
            }
            None => options.s3_endpoint.clone().unwrap_or_default(),
        };
        let mut clients = credentials.connection(&dynamodb_url, &s3_url).clients();
        if options.dynamodb_endpoint.is_none() {
            clients.dynamodb = without_tokens(&clients.dynamodb);
        }
        dynamodb::ensure_table(&clients.dynamodb).await?;
        dynamodb::finish(data)?;
        if options.s3_endpoint.is_some() {
            s3::ensure_bucket(&clients.s3).await?;
        }
        Ok(Self {
            dynamodb_url,
            s3_url,
            credentials,
            clients,
            servers,
        })
    }

    /// The domain over these services.
    pub(crate) fn registry(
        &self,
        options: &Options,
        data: &DataDir,
        key: &SigningKey,
        http_url: &str,
    ) -> Result<Arc<Registry>, StartError> {
        let limit = options.rate_limit_per_minute;
        registry(data, key, http_url, limit, self.clients.clone())
    }

    pub(crate) async fn stop(self) {
        for server in self.servers {
            server.stop().await;
        }
    }
}

/// The domain over a stack that another process runs.
pub(crate) fn registry_of_running(
    data: &DataDir,
    endpoints: &Endpoints,
) -> Result<Arc<Registry>, StartError> {
    let key = SigningKey::of(data)?;
    let clients = endpoints.clients();
    registry(data, &key, &endpoints.http, DEFAULT_RATE_LIMIT, clients)
}

fn registry(
    data: &DataDir,
    key: &SigningKey,
    http_url: &str,
    rate_limit_per_minute: u32,
    clients: AwsClients,
) -> Result<Arc<Registry>, StartError> {
    ensure_master_key(data)?;
    let config = Config {
        table: TABLE.to_owned(),
        bucket: BUCKET.to_owned(),
        key_wrapping: KeyWrapping::File(data.master_key()),
        jwt: key.jwt_config(),
        inbox_retention: InboxRetention::Delete,
        docs_url: DocsUrl::new(&format!("{http_url}/docs")),
        rate_limit_per_minute,
    };
    Ok(Arc::new(Registry::new(config, clients)?))
}

fn ensure_master_key(data: &DataDir) -> Result<(), StartError> {
    let path = data.master_key();
    let key = read_or_create_secret(&path, || {
        let mut key = vec![0; MASTER_KEY_BYTES];
        match getrandom::fill(&mut key) {
            Ok(()) => Ok(key),
            Err(error) => Err(StartError::Random(error.to_string())),
        }
    })?;
    if key.len() != MASTER_KEY_BYTES {
        return Err(StartError::MasterKey(path));
    }
    Ok(())
}
