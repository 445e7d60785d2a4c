//! Finds, makes and caches the organisations' keys.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Nonce, Payload},
};
use aws_sdk_kms::primitives::Blob;
use jiff::Timestamp;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use thiserror::Error;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{CipherError, KeyPurpose, OrganizationKeys, Secret, WrappedKey, keys::check_value};
use crate::{
    config::KeyWrapping,
    identity::OrganizationId,
    store::{Store, StoreError},
};

/// How long unwrapped keys stay in memory.
pub(super) const CACHE_FOR: Duration = Duration::from_secs(5 * 60);
/// The key of KMS's encryption context that binds a wrapped key to its organisation.
const CONTEXT: &str = "organization_id";
const NONCE_BYTES: usize = 12;

/// Why an organisation's keys are not to be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The local key file cannot be read.
    #[error("the key file cannot be read: {0}")]
    KeyFile(#[source] std::io::Error),
    /// The local key file does not hold 32 bytes.
    #[error("the key file must hold exactly 32 bytes")]
    KeyFileLength,
    /// KMS refused.
    #[error("AWS KMS {operation} failed: {code}")]
    Kms {
        /// The API's name for the call.
        operation: &'static str,
        /// AWS's error code.
        code: String,
    },
    /// A wrapped key does not unwrap to the key that was wrapped.
    #[error("a stored key is damaged or was wrapped by another master key")]
    Unwrap,
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random numbers")]
    Random,
    /// The organisation has no keys yet, since nothing was written for it.
    #[error("the organization has no keys")]
    None,
    /// A value does not open with the organisation's keys.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The organisations' keys: read from the table, unwrapped, kept for at most 5 minutes.
pub struct KeyRing {
    pub(super) store: Store,
    wrapper: Wrapper,
    cache: Mutex<HashMap<OrganizationId, (Instant, Arc<OrganizationKeys>)>>,
}

/// What wraps keys at rest.
enum Wrapper {
    Kms {
        client: aws_sdk_kms::Client,
        key_id: String,
    },
    File(Secret),
}

impl KeyRing {
    /// A key ring over the table, wrapping as configured.
    pub fn new(
        store: Store,
        wrapping: &KeyWrapping,
        kms: aws_sdk_kms::Client,
    ) -> Result<Self, KeyError> {
        let wrapper = match wrapping {
            KeyWrapping::Kms(key_id) => Wrapper::Kms {
                client: kms,
                key_id: key_id.clone(),
            },
            KeyWrapping::File(path) => {
                let bytes = Zeroizing::new(std::fs::read(path).map_err(KeyError::KeyFile)?);
                let key = bytes.as_slice().try_into();
                Wrapper::File(Secret::from_bytes(
                    key.map_err(|_| KeyError::KeyFileLength)?,
                ))
            }
        };
        Ok(Self {
            store,
            wrapper,
            cache: Mutex::default(),
        })
    }

    /// An organisation's keys, for reading. [`KeyError::None`] when nothing was written yet.
    pub async fn existing(
        &self,
        organization: OrganizationId,
    ) -> Result<Arc<OrganizationKeys>, KeyError> {
        let mut cache = self.cache.lock().await;
        // Dropping an old entry erases its keys.
        cache.retain(|_, (since, _)| since.elapsed() < CACHE_FOR);
        if let Some((_, keys)) = cache.get(&organization) {
            return Ok(Arc::clone(keys));
        }
        let keys = self.load(organization).await?.ok_or(KeyError::None)?;
        let keys = Arc::new(keys);
        cache.insert(organization, (Instant::now(), Arc::clone(&keys)));
        Ok(keys)
    }

    /// An organisation's keys as they are now, whatever is cached.
    pub async fn reload(
        &self,
        organization: OrganizationId,
    ) -> Result<Arc<OrganizationKeys>, KeyError> {
        self.forget(organization).await;
        self.existing(organization).await
    }

    /// Lets go of an organisation's cached keys.
    pub async fn forget(&self, organization: OrganizationId) {
        self.cache.lock().await.remove(&organization);
    }

    /// Lets go of all cached keys.
    pub async fn forget_all(&self) {
        self.cache.lock().await.clear();
    }

    /// Decrypts with an organisation's keys. Where a value needs a version that is not cached,
    /// since the keys were rotated meanwhile, they are read again, once.
    pub async fn reading<T>(
        &self,
        organization: OrganizationId,
        open: impl Fn(&OrganizationKeys) -> Result<T, CipherError>,
    ) -> Result<T, KeyError> {
        match open(&*self.existing(organization).await?) {
            Err(CipherError::KeyVersion(_)) => Ok(open(&*self.reload(organization).await?)?),
            opened => Ok(opened?),
        }
    }

    /// An organisation's keys, made on first use. Two first uses at once agree on one key.
    pub async fn for_writing(
        &self,
        organization: OrganizationId,
    ) -> Result<Arc<OrganizationKeys>, KeyError> {
        match self.existing(organization).await {
            Err(KeyError::None) => {}
            found => return found,
        }
        let stored = self.store.wrapped_keys(organization).await?;
        for purpose in KeyPurpose::ALL {
            if stored.iter().any(|key| key.purpose == purpose) {
                continue;
            }
            let secret = Secret::generate().map_err(|_| KeyError::Random)?;
            let key = self.wrapped(organization, purpose, 1, &secret).await?;
            // If it exists meanwhile, the one that exists is read below.
            self.store.create_wrapped_key(organization, &key).await?;
        }
        self.existing(organization).await
    }

    /// An organisation's keys for a dry run, which writes nothing: where there are none yet,
    /// keys that nobody will ever see again do, since nothing is stored to compare with.
    pub async fn for_dry_run(
        &self,
        organization: OrganizationId,
    ) -> Result<Arc<OrganizationKeys>, KeyError> {
        match self.existing(organization).await {
            Err(KeyError::None) => {}
            found => return found,
        }
        let mut keys = Vec::new();
        for purpose in KeyPurpose::ALL {
            keys.push((
                purpose,
                1,
                Secret::generate().map_err(|_| KeyError::Random)?,
            ));
        }
        OrganizationKeys::new(keys)
            .map(Arc::new)
            .ok_or(KeyError::None)
    }

    /// A new key, ready to be stored.
    pub(super) async fn wrapped(
        &self,
        organization: OrganizationId,
        purpose: KeyPurpose,
        version: u32,
        secret: &Secret,
    ) -> Result<WrappedKey, KeyError> {
        Ok(WrappedKey {
            purpose,
            version,
            wrapped: self.wrapper.wrap(organization, secret).await?,
            check: check_value(purpose, version, secret),
            created_at: Timestamp::now(),
            retired_at: None,
            made_by: None,
        })
    }

    /// A stored key in clear, if it is the one that was stored.
    pub(super) async fn unwrapped(
        &self,
        organization: OrganizationId,
        key: &WrappedKey,
    ) -> Result<Secret, KeyError> {
        let secret = self.wrapper.unwrap(organization, &key.wrapped).await?;
        let check = check_value(key.purpose, key.version, &secret);
        match bool::from(check.ct_eq(&key.check)) {
            true => Ok(secret),
            false => Err(KeyError::Unwrap),
        }
    }

    async fn load(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<OrganizationKeys>, KeyError> {
        let mut keys = Vec::new();
        for key in self.store.wrapped_keys(organization).await? {
            if key.retired_at.is_some() {
                continue;
            }
            let secret = self.unwrapped(organization, &key).await?;
            keys.push((key.purpose, key.version, secret));
        }
        if !keys.is_empty() {
            tracing::info!(
                target: "clientele::audit",
                action = "keys.unwrap", organization = organization.get(), keys = keys.len(),
                "an organization's keys were unwrapped"
            );
        }
        Ok(OrganizationKeys::new(keys))
    }
}

impl Wrapper {
    async fn wrap(
        &self,
        organization: OrganizationId,
        secret: &Secret,
    ) -> Result<Vec<u8>, KeyError> {
        match self {
            Self::Kms { client, key_id } => {
                let output = client
                    .encrypt()
                    .key_id(key_id)
                    .encryption_context(CONTEXT, organization.to_string())
                    .plaintext(Blob::new(secret.expose()))
                    .send()
                    .await
                    .map_err(kms_error("Encrypt"))?;
                let blob = output.ciphertext_blob.ok_or(KeyError::Unwrap)?;
                Ok(blob.into_inner())
            }
            Self::File(master) => {
                let organization = organization.to_string();
                let mut nonce = [0; NONCE_BYTES];
                getrandom::fill(&mut nonce).map_err(|_| KeyError::Random)?;
                let payload = Payload {
                    msg: secret.expose(),
                    aad: organization.as_bytes(),
                };
                let ciphertext = Aes256Gcm::new(master.expose().into())
                    .encrypt(&Nonce::<Aes256Gcm>::from(nonce), payload)
                    .map_err(|_| KeyError::Unwrap)?;
                Ok([nonce.as_slice(), &ciphertext].concat())
            }
        }
    }

    async fn unwrap(
        &self,
        organization: OrganizationId,
        wrapped: &[u8],
    ) -> Result<Secret, KeyError> {
        let plaintext = match self {
            Self::Kms { client, key_id } => {
                let output = client
                    .decrypt()
                    .key_id(key_id)
                    .encryption_context(CONTEXT, organization.to_string())
                    .ciphertext_blob(Blob::new(wrapped))
                    .send()
                    .await
                    .map_err(kms_error("Decrypt"))?;
                output.plaintext.ok_or(KeyError::Unwrap)?.into_inner()
            }
            Self::File(master) => {
                let organization = organization.to_string();
                let (nonce, ciphertext) = wrapped
                    .split_first_chunk::<NONCE_BYTES>()
                    .ok_or(KeyError::Unwrap)?;
                let payload = Payload {
                    msg: ciphertext,
                    aad: organization.as_bytes(),
                };
                Aes256Gcm::new(master.expose().into())
                    .decrypt(&Nonce::<Aes256Gcm>::from(*nonce), payload)
                    .map_err(|_| KeyError::Unwrap)?
            }
        };
        let plaintext = Zeroizing::new(plaintext);
        let bytes = plaintext.as_slice().try_into();
        bytes.map(Secret::from_bytes).map_err(|_| KeyError::Unwrap)
    }
}

fn kms_error<E, R>(
    operation: &'static str,
) -> impl FnOnce(aws_sdk_kms::error::SdkError<E, R>) -> KeyError
where
    E: aws_sdk_kms::error::ProvideErrorMetadata,
{
    move |error| KeyError::Kms {
        operation,
        code: match error.as_service_error() {
            Some(service) => service.code().unwrap_or("unknown").to_owned(),
            None => "no answer".to_owned(),
        },
    }
}
