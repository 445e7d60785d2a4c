//! 256 secret bits.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A 256-bit key in memory: erased when dropped, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Takes 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// 256 bits from the operating system's random source.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The bytes, for wrapping.
    pub(super) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key in base64, for those who may decrypt by themselves.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::BASE64.encode(&self.0))
    }

    /// HMAC-SHA256 (RFC 2104) of the parts one after the other.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        // A key of the digest's output size is always accepted.
        let mut mac = Hmac::<Sha256>::new(&self.0.into_block());
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

trait IntoBlock {
    fn into_block(self) -> hmac::digest::Key<Hmac<Sha256>>;
}

impl IntoBlock for [u8; 32] {
    /// RFC 2104 fills a short key up with zeros to the hash's block of 64 bytes.
    fn into_block(self) -> hmac::digest::Key<Hmac<Sha256>> {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(self) {
            *to = from;
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 1, has a key of 20 bytes; the zeros that fill it up change nothing.
    #[test]
    fn the_mac_is_hmac_sha256() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let mac = Secret::from_bytes(key).mac(&[b"Hi ", b"There"]);
        assert_eq!(
            data_encoding::HEXLOWER.encode(&mac),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }
}
