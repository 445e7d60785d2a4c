//! Public keys (RFC 7517, RFC 7518, RFC 8037).

use std::{collections::HashMap, sync::Arc};

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{
    Algorithm, DecodingKey, crypto,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use super::roca::is_of_the_faulty_generator;

/// A public key of the issuer, and the one algorithm that it is for.
pub(super) struct Key {
    public: DecodingKey,
    algorithm: Algorithm,
}

impl Key {
    /// The key of a JWK that may verify signatures: P-256 with ES256, RSA of 2048 to 8192 bits
    /// with RS256, Ed25519 with EdDSA. Others are `None`.
    fn from_jwk(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let is_for_signatures =
            |public_key_use: &PublicKeyUse| *public_key_use == PublicKeyUse::Signature;
        let may_verify =
            |operations: &Vec<KeyOperations>| operations.contains(&KeyOperations::Verify);
        let (algorithm, name) = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
                (Algorithm::ES256, KeyAlgorithm::ES256)
            }
            AlgorithmParameters::RSA(key) => {
                let modulus = BASE64URL_NOPAD.decode(key.n.as_bytes()).ok()?;
                if is_of_the_faulty_generator(&modulus) {
                    return None;
                }
                (Algorithm::RS256, KeyAlgorithm::RS256)
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
            }
            _ => return None,
        };
        let fits = common.public_key_use.as_ref().is_none_or(is_for_signatures)
            && common.key_operations.as_ref().is_none_or(may_verify)
            && common.key_algorithm.is_none_or(|given| given == name);
        let public = DecodingKey::from_jwk(jwk).ok()?;
        fits.then_some(Self { public, algorithm })
    }

    /// The algorithm as `alg` names it.
    pub(super) fn algorithm(&self) -> &'static str {
        match self.algorithm {
            Algorithm::ES256 => "ES256",
            Algorithm::RS256 => "RS256",
            _ => "EdDSA",
        }
    }

    /// Whether a signature over a content is this key's. Sizes of keys and signatures, and
    /// whether a key is a point of its curve, are checked by AWS-LC.
    pub(super) fn has_signed(&self, content: &[u8], signature: &[u8]) -> bool {
        let signature = BASE64URL_NOPAD.encode(signature);
        crypto::verify(&signature, content, &self.public, self.algorithm).unwrap_or(false)
    }
}

/// Why a document holds no keys.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a JSON Web Key Set")]
pub struct KeySetError;

/// An issuer's keys by their ids.
pub(super) struct KeySet(HashMap<String, Arc<Key>>);

impl KeySet {
    /// Reads a JSON Web Key Set. Keys without an id, or that cannot or must not verify tokens,
    /// are left out, as RFC 7517 (section 5) has it; of two keys with one id, the first stays.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Document {
            keys: Vec<Value>,
        }
        let document: Document = serde_json::from_slice(json).map_err(|_| KeySetError)?;
        let mut keys = HashMap::new();
        for value in document.keys {
            // Keys of kinds that are yet to come, or that are broken, do not spoil the others.
            let Ok(jwk) = serde_json::from_value::<Jwk>(value) else {
                continue;
            };
            if let (Some(key), Some(kid)) = (Key::from_jwk(&jwk), jwk.common.key_id) {
                keys.entry(kid).or_insert_with(|| Arc::new(key));
            }
        }
        Ok(Self(keys))
    }

    pub(super) fn get(&self, kid: &str) -> Option<Arc<Key>> {
        self.0.get(kid).cloned()
    }
}
