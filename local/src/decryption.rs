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
        let Some(profile) = customer.get_mut("extended_profile") else {
            continue;
        };
        for (path, shown) in places(profile, field) {
            if let Some(text) = shown.as_str() {
                let sealed = sealed(text)?;
                *shown = one(opened, organization, &uid, &path, &sealed).await?;
            }
        }
    }
    Ok(())
}

/// The values of a field, and the path of each. In lists, `{list}[].{field}` is that of every
/// element, at `{list}/{0-based place}/{field}`.
fn places<'p>(profile: &'p mut Value, field: &str) -> Vec<(String, &'p mut Value)> {
    let Some((list, name)) = field.split_once("[].") else {
        let value = profile.get_mut(field);
        return value
            .map(|value| (field.to_owned(), value))
            .into_iter()
            .collect();
    };
    let elements = profile.get_mut(list).and_then(Value::as_array_mut);
    let elements = elements.into_iter().flatten().enumerate();
    let place = |(index, element): (usize, &'p mut Value)| {
        Some((format!("{list}/{index}/{name}"), element.get_mut(name)?))
    };
    elements.filter_map(place).collect()
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
