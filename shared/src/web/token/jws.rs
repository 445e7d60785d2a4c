//! Signed content in compact form (RFC 7515): `header.payload.signature`.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::Value;

use super::{MAX_TOKEN_BYTES, Refusal, key::Key, members::Members};

/// Header members that would have the token choose how it is checked, or that ask for what is
/// not done here: a key or certificate in the token or at an address of its choice, extensions,
/// encryption, compression, a token inside.
const NOT_TAKEN: [&str; 9] = [
    "jwk", "jku", "x5c", "x5u", "crit", "b64", "enc", "zip", "cty",
];
/// What access and identity tokens call themselves (RFC 7519, RFC 9068), if they do.
const TYPES: [&str; 3] = ["jwt", "at+jwt", "application/at+jwt"];

/// A signed content whose signature is still to be checked.
pub(super) struct Jws<'t> {
    pub(super) header: Header,
    signed: &'t str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What a header must say, and no more than may be said.
#[derive(Deserialize)]
pub(super) struct Header {
    alg: String,
    pub(super) kid: String,
    typ: Option<String>,
}

impl<'t> Jws<'t> {
    /// Takes a token apart.
    pub(super) fn parse(token: &'t str) -> Result<Self, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Form)?;
        let (header, payload) = (decode(header)?, decode(payload)?);
        let signature = decode(signature)?;
        Ok(Self {
            header: Header::parse(&header)?,
            signed,
            payload,
            signature,
        })
    }

    /// The payload, if a key has signed it.
    pub(super) fn verified_payload(self, key: &Key) -> Result<Vec<u8>, Refusal> {
        if self.header.alg != key.algorithm() {
            return Err(Refusal::Algorithm);
        }
        match key.has_signed(self.signed.as_bytes(), &self.signature) {
            true => Ok(self.payload),
            false => Err(Refusal::Signature),
        }
    }
}

impl Header {
    fn parse(json: &[u8]) -> Result<Self, Refusal> {
        let members = Members::parse(json).ok_or(Refusal::Header)?;
        if let Some(name) = NOT_TAKEN.iter().find(|name| members.contains_key(**name)) {
            return Err(Refusal::HeaderMember(name));
        }
        let header: Self =
            serde_json::from_value(Value::Object(members)).map_err(|_| Refusal::Header)?;
        let is_taken = |typ: &String| TYPES.contains(&typ.to_ascii_lowercase().as_str());
        match header.typ.as_ref().is_none_or(is_taken) {
            true => Ok(header),
            false => Err(Refusal::Type),
        }
    }
}

/// Reads one spelling only: no padding, no white space, no bits left over.
fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    BASE64URL_NOPAD
        .decode(part.as_bytes())
        .map_err(|_| Refusal::Form)
}
