//! Somebody who signs tokens.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
        RsaKeyPair,
    },
};
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{config::JwtConfig, web::Verifier};

pub(super) const ISSUER: &str = "https://issuer.example";
pub(super) const AUDIENCE: &str = "clientele";

/// Any time; tokens of these tests are valid then.
pub(super) fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// A key pair with an id.
pub(super) struct Signer {
    kid: &'static str,
    pair: Pair,
}

impl Signer {
    pub(super) fn es256(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let pair = Pair::Es256(pair);
        Self { kid, pair }
    }

    pub(super) fn eddsa(kid: &'static str) -> Self {
        let pair = Pair::EdDsa(Ed25519KeyPair::generate().unwrap());
        Self { kid, pair }
    }

    pub(super) fn rs256(kid: &'static str) -> Self {
        let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let pair = Pair::Rs256(pair);
        Self { kid, pair }
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Es256(_) => "ES256",
            Pair::EdDsa(_) => "EdDSA",
            Pair::Rs256(_) => "RS256",
        }
    }

    /// The public key as a JWK.
    pub(super) fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "x": base64(x), "y": base64(y)})
            }
            Pair::EdDsa(pair) => {
                let x = base64(pair.public_key());
                json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": x})
            }
            Pair::Rs256(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let (n, e) = (
                    n.big_endian_without_leading_zero(),
                    e.big_endian_without_leading_zero(),
                );
                json!({"kty": "RSA", "kid": self.kid, "n": base64(n), "e": base64(e)})
            }
        }
    }

    pub(super) fn header(&self) -> Value {
        json!({"alg": self.algorithm(), "typ": "JWT", "kid": self.kid})
    }

    pub(super) fn signature(&self, content: &str) -> Vec<u8> {
        let (random, content) = (SystemRandom::new(), content.as_bytes());
        match &self.pair {
            Pair::Es256(pair) => pair.sign(&random, content).unwrap().as_ref().to_vec(),
            Pair::EdDsa(pair) => pair.sign(content).as_ref().to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, content, &mut signature);
                signed.unwrap();
                signature
            }
        }
    }

    /// A token of any header and claims, as they are spelled.
    pub(super) fn sign(&self, header: &str, claims: &str) -> String {
        let content = format!("{}.{}", base64(header), base64(claims));
        let signature = base64(self.signature(&content));
        format!("{content}.{signature}")
    }

    /// A good token.
    pub(super) fn token(&self) -> String {
        self.token_at(noon())
    }

    /// A token that is good at another time.
    pub(super) fn token_at(&self, time: Timestamp) -> String {
        self.sign(&self.header().to_string(), &claims_at(time).to_string())
    }

    /// A verifier that knows this key, described as the JWK says.
    pub(super) fn verifier_with(&self, change: impl FnOnce(&mut Value)) -> Verifier {
        let mut jwk = self.jwk();
        change(&mut jwk);
        verifier(&json!({"keys": [jwk]}).to_string())
    }

    pub(super) fn verifier(&self) -> Verifier {
        self.verifier_with(|_| ())
    }
}

/// A verifier over a literal key set or the address of one.
pub(super) fn verifier(jwks: &str) -> Verifier {
    let config = JwtConfig {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        scope_prefix: String::new(),
        jwks: jwks.to_owned(),
    };
    Verifier::new(&config).unwrap()
}

/// The claims of a good token.
pub(super) fn claims() -> Value {
    claims_at(noon())
}

fn claims_at(time: Timestamp) -> Value {
    let time = time.as_second();
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "user-7", "organization_id": 1,
        "scope": "records:read", "iat": time - 60, "nbf": time - 60, "exp": time + 3600,
    })
}
