//! Tokens of sources: an item by which each is found, and an item a source that lists them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem, Update};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Store, StoreError,
    item::number,
    layout::{
        self, CREATED_AT, CREATED_BY, DATA_ORIGIN, DATASETS, HASH, Item, Key, LOOKUP, ORGANIZATION,
        TOKENS,
    },
    read::Freshness,
    retry::Backoff,
};
use crate::{
    identity::{DataOrigin, OrganizationId},
    source_token::TokenHash,
};

/// The most tokens of one source: enough for each sender, and for changing them one by one.
pub const MAX_TOKENS_OF_SOURCE: usize = 10;

/// What a token lets its bearer do: push into one source, some datasets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceGrant {
    /// Whose source it is.
    pub organization: OrganizationId,
    /// The source.
    pub origin: DataOrigin,
    /// Names of datasets.
    pub datasets: Vec<String>,
}

/// A token as its source's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedToken {
    /// Its id, by which it is revoked.
    pub id: Uuid,
    /// Names of the datasets that it is for.
    pub datasets: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it: the subject of a user's token.
    pub created_by: String,
    /// What finds its item.
    lookup: String,
}

impl ListedToken {
    /// A token that is made now.
    pub fn new(
        id: Uuid,
        hash: &TokenHash,
        datasets: Vec<String>,
        created_by: &str,
        now: Timestamp,
    ) -> Self {
        // The table keeps milliseconds.
        let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        Self {
            id,
            datasets,
            created_at: now,
            created_by: created_by.to_owned(),
            lookup: hash.lookup(),
        }
    }
}

/// Whether a source has another token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// It has.
    Yes,
    /// It has [`MAX_TOKENS_OF_SOURCE`] already.
    TooMany,
}

impl Store {
    /// What a token grants, if there is such a token: read anew each time, so that a token which
    /// was revoked is worth nothing from then on.
    pub async fn source_grant(&self, hash: &TokenHash) -> Result<Option<SourceGrant>, StoreError> {
        let Some(item) = self.get(&layout::source_token(&hash.lookup())).await? else {
            return Ok(None);
        };
        let corrupt = |attribute| move || StoreError::corrupt("token", attribute);
        let stored = item.get(HASH).and_then(|value| value.as_b().ok());
        if !hash.is(stored.ok_or_else(corrupt(HASH))?.as_ref()) {
            return Ok(None);
        }
        let organization = item.get(ORGANIZATION).and_then(|value| value.as_n().ok());
        let organization = organization.and_then(|id| id.parse().ok());
        let origin = item.get(DATA_ORIGIN).and_then(|value| value.as_s().ok());
        let origin = origin.and_then(|origin| origin.parse().ok());
        Ok(Some(SourceGrant {
            organization: organization.ok_or_else(corrupt(ORGANIZATION))?,
            origin: origin.ok_or_else(corrupt(DATA_ORIGIN))?,
            datasets: read_datasets(&item).ok_or_else(corrupt(DATASETS))?,
        }))
    }

    /// Gives a source a token. One with the same id, made by a call that this one repeats, is
    /// replaced: nobody has seen it.
    pub async fn grant_source_token(
        &self,
        grant: &SourceGrant,
        hash: &TokenHash,
        token: &ListedToken,
    ) -> Result<Granted, StoreError> {
        let key = layout::source_tokens(grant.organization, &grant.origin);
        let mut backoff = Backoff::new("giving a source a token");
        loop {
            let listed = self.get(&key).await?.as_ref().map(read_list).transpose()?;
            let existing = listed.iter().flatten().find(|listed| listed.id == token.id);
            // The reply to the transaction was lost.
            if existing.is_some_and(|existing| existing.lookup == token.lookup) {
                return Ok(Granted::Yes);
            }
            let count = listed.as_ref().map_or(0, Vec::len);
            if existing.is_none() && count >= MAX_TOKENS_OF_SOURCE {
                return Ok(Granted::TooMany);
            }
            let mut actions = vec![self.put_new(token_item(grant, hash))?];
            actions.push(match &listed {
                None => self.put_new(new_list(&key, token))?,
                Some(_) => self.list_token(&key, token, count)?,
            });
            if let Some(existing) = existing {
                actions.push(self.delete_token(&existing.lookup)?);
            }
            if self.transact(actions).await?.is_done() {
                return Ok(Granted::Yes);
            }
            backoff.wait().await?;
        }
    }

    /// Takes a source's tokens back: one by its id, or all. Returns how many it had.
    pub async fn revoke_source_tokens(
        &self,
        organization: OrganizationId,
        origin: &DataOrigin,
        only: Option<Uuid>,
    ) -> Result<usize, StoreError> {
        let key = layout::source_tokens(organization, origin);
        let mut backoff = Backoff::new("revoking a source's tokens");
        let mut attempted = 0;
        loop {
            let listed = self.get(&key).await?.as_ref().map(read_list).transpose()?;
            let mut revoked = listed.unwrap_or_default();
            revoked.retain(|token| only.is_none_or(|only| token.id == only));
            // None is left, since a reply was lost, or somebody else was faster.
            if revoked.is_empty() {
                return Ok(attempted);
            }
            attempted = revoked.len();
            let mut actions = vec![self.unlist_tokens(&key, &revoked)?];
            for token in &revoked {
                actions.push(self.delete_token(&token.lookup)?);
            }
            if self.transact(actions).await?.is_done() {
                return Ok(attempted);
            }
            backoff.wait().await?;
        }
    }

    /// The tokens of several sources, by source.
    pub async fn source_tokens(
        &self,
        organization: OrganizationId,
        origins: &[DataOrigin],
    ) -> Result<HashMap<DataOrigin, Vec<ListedToken>>, StoreError> {
        let key = |origin: &DataOrigin| layout::source_tokens(organization, origin);
        let keys: Vec<Key> = origins.iter().map(key).collect();
        let read = |item: Item| read_list(&item);
        let mut found = self.get_many(&keys, Freshness::Strong, read).await?;
        let of = |origin: &DataOrigin| Some((origin.clone(), found.remove(&key(origin))?));
        Ok(origins.iter().filter_map(of).collect())
    }

    /// Adds a token to a list that has so many.
    fn list_token(
        &self,
        key: &Key,
        token: &ListedToken,
        count: usize,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("SET #tokens.#id = :token")
            .condition_expression("size(#tokens) = :count")
            .expression_attribute_names("#tokens", TOKENS)
            .expression_attribute_names("#id", token.id.to_string())
            .expression_attribute_values(":token", listed_attributes(token))
            .expression_attribute_values(":count", number(count))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Takes tokens off a list, if they are still what was read.
    fn unlist_tokens(
        &self,
        key: &Key,
        tokens: &[ListedToken],
    ) -> Result<TransactWriteItem, StoreError> {
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .expression_attribute_names("#tokens", TOKENS)
            .expression_attribute_names("#lookup", LOOKUP);
        let (mut removed, mut unchanged) = (Vec::new(), Vec::new());
        for (n, token) in tokens.iter().enumerate() {
            removed.push(format!("#tokens.#t{n}"));
            unchanged.push(format!("#tokens.#t{n}.#lookup = :t{n}"));
            update = update
                .expression_attribute_names(format!("#t{n}"), token.id.to_string())
                .expression_attribute_values(
                    format!(":t{n}"),
                    AttributeValue::S(token.lookup.clone()),
                );
        }
        let update = update
            .update_expression(format!("REMOVE {}", removed.join(", ")))
            .condition_expression(unchanged.join(" AND "))
            .build()
            .map_err(|_| StoreError::corrupt("request", "update"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn delete_token(&self, lookup: &str) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(layout::source_token(lookup).to_item()))
            .build()
            .map_err(|_| StoreError::corrupt("request", "delete"))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

/// What finds a token.
fn token_item(grant: &SourceGrant, hash: &TokenHash) -> Item {
    let mut item = layout::source_token(&hash.lookup()).to_item();
    let bytes = AttributeValue::B(hash.as_bytes().to_vec().into());
    item.insert(HASH.to_owned(), bytes);
    item.insert(ORGANIZATION.to_owned(), number(grant.organization));
    let origin = AttributeValue::S(grant.origin.to_string());
    item.insert(DATA_ORIGIN.to_owned(), origin);
    item.insert(DATASETS.to_owned(), texts(&grant.datasets));
    item
}

fn new_list(key: &Key, token: &ListedToken) -> Item {
    let tokens = HashMap::from([(token.id.to_string(), listed_attributes(token))]);
    let mut item = key.to_item();
    item.insert(TOKENS.to_owned(), AttributeValue::M(tokens));
    item
}

fn listed_attributes(token: &ListedToken) -> AttributeValue {
    let created_at = number(token.created_at.as_millisecond());
    AttributeValue::M(HashMap::from([
        (LOOKUP.to_owned(), AttributeValue::S(token.lookup.clone())),
        (DATASETS.to_owned(), texts(&token.datasets)),
        (CREATED_AT.to_owned(), created_at),
        (
            CREATED_BY.to_owned(),
            AttributeValue::S(token.created_by.clone()),
        ),
    ]))
}

/// A source's tokens, the oldest first.
fn read_list(item: &Item) -> Result<Vec<ListedToken>, StoreError> {
    let tokens = item.get(TOKENS).and_then(|tokens| tokens.as_m().ok());
    let token = |(id, value): (&String, &AttributeValue)| {
        let value = value.as_m().ok()?;
        let text = |name: &str| value.get(name)?.as_s().ok().cloned();
        let created_at = value.get(CREATED_AT)?.as_n().ok()?.parse().ok()?;
        Some(ListedToken {
            id: id.parse().ok()?,
            datasets: read_datasets(value)?,
            created_at: Timestamp::from_millisecond(created_at).ok()?,
            created_by: text(CREATED_BY)?,
            lookup: text(LOOKUP)?,
        })
    };
    let tokens: Option<Vec<ListedToken>> =
        tokens.and_then(|tokens| tokens.iter().map(token).collect());
    let mut tokens = tokens.ok_or(StoreError::corrupt("list of tokens", TOKENS))?;
    tokens.sort_by_key(|token| (token.created_at, token.id));
    Ok(tokens)
}

fn texts(texts: &[String]) -> AttributeValue {
    AttributeValue::L(texts.iter().cloned().map(AttributeValue::S).collect())
}

fn read_datasets(item: &Item) -> Option<Vec<String>> {
    let names = item.get(DATASETS)?.as_l().ok()?.iter();
    names.map(|name| name.as_s().ok().cloned()).collect()
}
