//! Takes the tokens off transactions for the embedded engine.
//!
//! DynamoDB knows a transaction that is sent again within ten minutes by its token. The engine
//! keeps what it needs for that in memory, about 5 KB a transaction, and looks through all of it
//! at each further one: in the import of a million rows it was 120 MB. Without a token, a
//! transaction that is sent again fails on its own conditions, and whoever sent it finds by
//! reading that it had been written; that has to work anyhow, since a token expires.

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextMut,
    },
    error::BoxError,
};

const TARGET: &str = "x-amz-target";
const OPERATION: &str = "DynamoDB_20120810.TransactWriteItems";
const TOKEN: &str = "ClientRequestToken";

/// The same client, whose transactions have no tokens.
pub(crate) fn without_tokens(client: &Client) -> Client {
    let config = client.config().to_builder().interceptor(TakeTokensOff);
    Client::from_conf(config.build())
}

#[derive(Debug)]
struct TakeTokensOff;

impl Intercept for TakeTokensOff {
    fn name(&self) -> &'static str {
        "TakeTokensOff"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        if request.headers().get(TARGET) != Some(OPERATION) {
            return Ok(());
        }
        if let Some(body) = request.body().bytes().and_then(without_token) {
            let length = body.len().to_string();
            *request.body_mut() = body.into();
            request.headers_mut().insert("content-length", length);
        }
        Ok(())
    }
}

/// The request's JSON without its token. The SDK writes the token as the last member, so no
/// value that a user sent can be mistaken for it.
fn without_token(json: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(json).ok()?;
    let (rest, token) = text.rsplit_once(&format!(",\"{TOKEN}\":\""))?;
    let is_last = token.len() == "00000000-0000-0000-0000-000000000000\"}".len();
    is_last.then(|| format!("{rest}}}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_at_the_end_is_taken_off() {
        let token = "\"ClientRequestToken\":\"f2c1bd52-6b4e-4a3c-9c39-1d5f0a3a2a11\"";
        let body = format!("{{\"TransactItems\":[],{token}}}");
        let without = without_token(body.as_bytes()).unwrap();
        assert_eq!(without, b"{\"TransactItems\":[]}");
        let inside = format!("{{\"TransactItems\":[{{\"a\":1,{token}}}]}}");
        assert_eq!(without_token(inside.as_bytes()), None);
    }
}
