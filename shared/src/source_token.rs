//! Tokens of sources: random, shown once, kept only as a hash.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What every token begins with, so that one that leaked is recognised by people and scanners.
const PREFIX: &str = "clientele_src_";
const RANDOM_BYTES: usize = 32;
/// How much of a hash finds a token in the table; the rest is compared.
const LOOKUP_BYTES: usize = 16;

/// A token in clear: `clientele_src_` and 256 random bits in base64url. There is no way to log it.
pub struct SourceToken(Zeroizing<String>);

/// A token as it is kept: its SHA-256. The token's 256 random bits need no salt and no slow hash.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl SourceToken {
    /// A new token.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        getrandom::fill(random.as_mut_slice())?;
        let text = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(random.as_slice()));
        Ok(Self(Zeroizing::new(text)))
    }

    /// The token that a request was sent with, if it is one of a source.
    pub fn parse(text: &str) -> Option<Self> {
        let random = text.strip_prefix(PREFIX)?;
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(random.as_bytes()).ok()?);
        let is_token = bytes.len() == RANDOM_BYTES;
        is_token.then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The token as text, to show it once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Its hash.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl TokenHash {
    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The part that finds it, in hex.
    pub(crate) fn lookup(&self) -> String {
        let part = self.0.first_chunk::<LOOKUP_BYTES>();
        part.map(|part| HEXLOWER.encode(part)).unwrap_or_default()
    }

    /// Whether a stored hash is this one, in a time that does not tell how much of it is.
    pub(crate) fn is(&self, stored: &[u8]) -> bool {
        self.0.as_slice().ct_eq(stored).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_no_other_does() {
        let [one, other] = [(); 2].map(|()| SourceToken::generate().unwrap());
        let read = SourceToken::parse(one.expose()).unwrap();
        assert!(read.hash().is(one.hash().as_bytes()));
        assert!(!read.hash().is(other.hash().as_bytes()));
        assert!(!read.hash().is(&one.hash().as_bytes()[..31]));
        assert_eq!(one.expose().len(), PREFIX.len() + 43);
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        let random = "A".repeat(43);
        let table = [
            (format!("{PREFIX}{random}"), true),
            (format!("{PREFIX}{random}A"), false),
            (format!("{PREFIX}{}", "A".repeat(42)), false),
            // The last character has bits that no token has.
            (format!("{PREFIX}{}B", "A".repeat(42)), false),
            (format!("{PREFIX}{}=", "A".repeat(42)), false),
            (format!("CLIENTELE_SRC_{random}"), false),
            (PREFIX.to_owned(), false),
            (random, false),
        ];
        for (text, is_token) in table {
            assert_eq!(SourceToken::parse(&text).is_some(), is_token, "{text}");
        }
    }
}
