//! AES-256-GCM (NIST SP 800-38D) with nonces of 96 and tags of 128 bits.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Nonce, Payload},
};
use zeroize::Zeroizing;

/// Bytes of a nonce.
pub(super) const NONCE_BYTES: usize = 12;

/// Encrypts; the tag follows the ciphertext. A nonce must never come twice under one key. Fails
/// only for texts beyond the algorithm's limit of 64 GiB.
pub(super) fn encrypt(
    key: &[u8; 32],
    nonce: [u8; NONCE_BYTES],
    associated_data: &[u8],
    plaintext: &[u8],
) -> Option<Vec<u8>> {
    let payload = Payload {
        msg: plaintext,
        aad: associated_data,
    };
    let nonce = Nonce::<Aes256Gcm>::from(nonce);
    Aes256Gcm::new(key.into()).encrypt(&nonce, payload).ok()
}

/// Decrypts, if key, nonce, associated data and every bit are those of the encryption.
pub(super) fn decrypt(
    key: &[u8; 32],
    nonce: [u8; NONCE_BYTES],
    associated_data: &[u8],
    ciphertext_and_tag: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let payload = Payload {
        msg: ciphertext_and_tag,
        aad: associated_data,
    };
    let nonce = Nonce::<Aes256Gcm>::from(nonce);
    let decrypted = Aes256Gcm::new(key.into()).decrypt(&nonce, payload);
    decrypted.ok().map(Zeroizing::new)
}
