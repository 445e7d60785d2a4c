//! Decrypting values that left the registry encrypted.

use clientele::{identity::OrganizationId, protection::KeyError};
use data_encoding::BASE64;
use serde_json::Value;
use thiserror::Error;

use crate::{
    Options,
    opened::{OpenError, Opened},
};

/// Why a value cannot be decrypted. The value is never repeated.
#[derive(Debug, Error)]
pub enum DecryptError {
    /// The data folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Not what the API gives.
    #[error("the value is not base64, so it is not an encrypted value as the API gives it")]
    Base64,
    /// A page that is not what the API gives.
    #[error("the page is not JSON as POST /v1/customer gives it, with customers that have a uid")]
    Page,
    /// The keys, or the value under them.
    #[error("{0}; check --organization, --uid and --field")]
    Keys(#[from] KeyError),
    /// Another format than the registry writes.
    #[error("the value was decrypted, but does not hold JSON")]
    Plaintext,
}

/// Decrypts a value of a record's field: base64, as the API gives it.
pub async fn value(
    options: &Options,
    organization: OrganizationId,
    uid: &str,
    field: &str,
    value: &str,
) -> Result<Value, DecryptError> {
    let sealed = sealed(value)?;
    let opened = Opened::open(options).await?;
    let clear = one(&opened, organization, uid, field, &sealed).await;
    opened.close().await;
    clear
}

/// Decrypts a field of every customer of a page: a reply of `POST /v1/customer`.
pub async fn page(
    options: &Options,
    organization: OrganizationId,
    field: &str,
    page: &str,
) -> Result<Value, DecryptError> {
    let mut page: Value = serde_json::from_str(page).map_err(|_| DecryptError::Page)?;
    let opened = Opened::open(options).await?;
    let decrypted = customers(&opened, organization, field, &mut page).await;
    opened.close().await;
    decrypted.map(|()| page)
}

async fn customers(
    opened: &Opened,
    organization: OrganizationId,
    field: &str,
    page: &mut Value,
) -> Result<(), DecryptError> {
    let customers = page.get_mut("customers").and_then(Value::as_array_mut);
    for customer in customers.ok_or(DecryptError::Page)? {
        let uid = customer.get("uid").and_then(Value::as_str);
        let uid = uid.ok_or(DecryptError::Page)?.to_owned();
        let profile = customer.get_mut("extended_profile");
        let Some(shown) = profile.and_then(|profile| at(profile, field)) else {
            continue;
        };
        if let Some(text) = shown.as_str() {
            let sealed = sealed(text)?;
            *shown = one(opened, organization, &uid, field, &sealed).await?;
        }
    }
    Ok(())
}

/// A field's value; in a list, that at `{list}/{0-based place}/{field}`.
fn at<'p>(profile: &'p mut Value, field: &str) -> Option<&'p mut Value> {
    match profile.get(field) {
        Some(_) => profile.get_mut(field),
        None => profile.pointer_mut(&format!("/{field}")),
    }
}

fn sealed(value: &str) -> Result<Vec<u8>, DecryptError> {
    let value = value.trim().as_bytes();
    BASE64.decode(value).map_err(|_| DecryptError::Base64)
}

async fn one(
    opened: &Opened,
    organization: OrganizationId,
    uid: &str,
    field: &str,
    sealed: &[u8],
) -> Result<Value, DecryptError> {
    let keys = &opened.registry.keys;
    let clear = keys
        .reading(organization, |keys| keys.open(uid, field, sealed))
        .await?;
    serde_json::from_slice(&clear).map_err(|_| DecryptError::Plaintext)
}
