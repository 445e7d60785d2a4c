//! The environment of functions that other processes run over the stack, as `cargo lambda` does:
//! what `env.json` is for those in containers.

use clientele::config::Config;

use crate::{
    data_dir::{DataDir, DataDirError, write_private},
    endpoints::Endpoints,
};

/// Whose events `events/eventbridge_customer.json` are.
const EVENT_SOURCES: &str = "com.example.loyalty@123456789012=1";

/// Writes `NAME='value'` lines, which cargo-lambda and a shell read alike: both need the quotes, one
/// for an equals sign and the other for a space.
pub(crate) fn write(
    data: &DataDir,
    endpoints: &Endpoints,
    config: &Config,
) -> Result<(), DataDirError> {
    let master_key = data.master_key().display().to_string();
    let jwks = format!("file://{}", data.jwks().display());
    let docs_url = format!("{}/docs", endpoints.http);
    let rate_limit = config.rate_limit_per_minute.to_string();
    let variables = [
        ("TABLE_NAME", endpoints.table.as_str()),
        ("BUCKET_NAME", &endpoints.bucket),
        ("KMS_KEY_ID", ""),
        ("MASTER_KEY_FILE", &master_key),
        ("JWT_ISSUER", &config.jwt.issuer),
        ("JWT_AUDIENCE", &config.jwt.audience),
        ("JWT_SCOPE_PREFIX", &config.jwt.scope_prefix),
        ("JWKS", &jwks),
        ("INBOX_RETENTION", "delete"),
        ("DOCS_URL", &docs_url),
        ("RATE_LIMIT_PER_MINUTE", &rate_limit),
        ("EVENT_SOURCES", EVENT_SOURCES),
        ("AWS_ENDPOINT_URL_DYNAMODB", &endpoints.dynamodb),
        ("AWS_ENDPOINT_URL_S3", &endpoints.s3),
        ("AWS_REGION", &endpoints.region),
        ("AWS_ACCESS_KEY_ID", &endpoints.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &endpoints.secret_access_key),
    ];
    let lines = variables.map(|(name, value)| format!("{name}='{value}'\n"));
    write_private(&data.functions_env(), lines.concat().as_bytes())
}
