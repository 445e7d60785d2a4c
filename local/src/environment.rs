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
///
/// An error if the folder's path cannot be quoted for both.
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
        ("INBOX_RETENTION", config.inbox_retention.as_str()),
        ("DOCS_URL", &docs_url),
        ("API_URL", &endpoints.http),
        ("CONSOLE_CLIENT_ID", ""),
        ("CONSOLE_SCOPES", "openid"),
        ("UPLOAD_ORIGIN", &endpoints.s3),
        ("RATE_LIMIT_PER_MINUTE", &rate_limit),
        ("EVENT_SOURCES", EVENT_SOURCES),
        ("AWS_ENDPOINT_URL_DYNAMODB", &endpoints.dynamodb),
        ("AWS_ENDPOINT_URL_S3", &endpoints.s3),
        ("AWS_REGION", &endpoints.region),
        ("AWS_ACCESS_KEY_ID", &endpoints.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &endpoints.secret_access_key),
    ];
    let mut lines = String::new();
    for (name, value) in variables {
        // Nothing but paths is of the user's own choice.
        let value = quoted(value).ok_or_else(|| DataDirError::Unquotable(data.root().into()))?;
        lines.push_str(&format!("{name}={value}\n"));
    }
    write_private(&data.functions_env(), lines.as_bytes())
}

/// A value in quotes that both readers read as it is. Between single ones there is no apostrophe for
/// both; between double ones a shell knows escapes, variables, commands and its history.
fn quoted(value: &str) -> Option<String> {
    if value.contains(char::is_control) {
        return None;
    }
    match value.contains('\'') {
        false => Some(format!("'{value}'")),
        true if value.contains(['"', '$', '`', '!', '\\']) => None,
        true => Some(format!("\"{value}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_cargo_lambda_and_shells() {
        let table = [
            ("", Some("''")),
            ("/home/ann/my files", Some("'/home/ann/my files'")),
            ("a=b \"$c\" `d`!", Some("'a=b \"$c\" `d`!'")),
            ("/home/o'hara", Some("\"/home/o'hara\"")),
            ("/home/o'hara/$x", None),
            ("/home/o'hara/\"x\"", None),
            ("/home/o'hara/`x`", None),
            ("/home/o'hara!", None),
            ("/home/o'hara\\", None),
            ("C:\\files", Some("'C:\\files'")),
            ("a\nTABLE_NAME=b", None),
        ];
        for (value, expected) in table {
            assert_eq!(quoted(value).as_deref(), expected, "{value}");
        }
    }
}
