//! Replies to requests with an idempotency key: claimed before the work, kept after it.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    Store, StoreError,
    capacity::Units,
    item::number,
    layout::{
        self, EXPIRES_AT, Item, JOB_ID, LEASE_UNTIL, OBJECT, OWNER, PK, REPLY, REQUEST_DIGEST,
    },
};
use crate::identity::OrganizationId;

/// How long a reply is kept.
pub(crate) const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long a request holds its key: a little longer than a function may run, which is 29 s.
const LEASE: SignedDuration = SignedDuration::from_secs(35);
/// How often others may be faster at taking over a key before it counts as theirs.
const TRIES: usize = 3;

/// One use of an idempotency key by one caller, as keyed digests: what callers choose as keys
/// may be personal, and so may what they ask.
#[derive(Debug, Clone)]
pub struct KeyedRequest {
    /// Whose caller it is.
    pub organization: OrganizationId,
    /// Of the caller and the key.
    pub key: [u8; 16],
    /// Of the method, the path, the query, the content type and the body.
    pub request: [u8; 32],
}

/// A key that is held by the call that has this.
#[derive(Debug)]
pub struct ReplyClaim {
    request: KeyedRequest,
    owner: Uuid,
    /// The id for a job that the work registers, the same whenever the work is done again. It
    /// tells when the key was first claimed.
    pub job_id: Uuid,
}

/// Where a sealed reply is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptReply {
    /// In the item.
    Here(Vec<u8>),
    /// In the bucket, under this key.
    InBucket(String),
}

/// What an idempotency key says of a request.
#[derive(Debug)]
pub enum Claimed {
    /// Nobody does it, so the caller does.
    Mine(ReplyClaim),
    /// Somebody does it, and has so long left.
    Running(Duration),
    /// It was done.
    Done(KeptReply),
    /// The key was used for another request.
    OtherRequest,
}

impl Store {
    /// Takes a key for a request, unless it is held or was used. One that expired, and that
    /// DynamoDB has not deleted yet, counts as never used.
    pub async fn claim_reply(
        &self,
        request: KeyedRequest,
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let mine = ReplyClaim {
            request,
            owner: Uuid::new_v4(),
            job_id: Uuid::now_v7(),
        };
        let Some(mut found) = self.put_claim(&mine, now).await? else {
            return Ok(Claimed::Mine(mine));
        };
        for _ in 0..TRIES {
            let stored = StoredClaim::read(&found)?;
            if stored.owner == mine.owner {
                // The reply to the write was lost, and the SDK wrote again.
                return Ok(Claimed::Mine(ReplyClaim {
                    job_id: stored.job_id,
                    ..mine
                }));
            }
            if stored.request != mine.request.request {
                return Ok(Claimed::OtherRequest);
            }
            let Some(lease_until) = stored.lease_until else {
                return kept(&found).map(Claimed::Done);
            };
            if lease_until > now {
                let left = lease_until.duration_since(now).unsigned_abs();
                return Ok(Claimed::Running(left));
            }
            match self.take_over(&mine, &stored, now).await? {
                Some(other) => found = other,
                None => {
                    return Ok(Claimed::Mine(ReplyClaim {
                        job_id: stored.job_id,
                        ..mine
                    }));
                }
            }
        }
        Ok(Claimed::Running(Duration::from_secs(1)))
    }

    /// Writes a new claim. Returns what is there instead, if something is.
    async fn put_claim(
        &self,
        claim: &ReplyClaim,
        now: Timestamp,
    ) -> Result<Option<Item>, StoreError> {
        let mut item = layout::reply(&claim.request).to_item();
        let digest = AttributeValue::B(claim.request.request.to_vec().into());
        item.insert(REQUEST_DIGEST.to_owned(), digest);
        item.insert(OWNER.to_owned(), text(claim.owner));
        item.insert(JOB_ID.to_owned(), text(claim.job_id));
        item.insert(LEASE_UNTIL.to_owned(), milliseconds(now + LEASE));
        let expires_at = (now + KEPT_FOR).as_second();
        item.insert(EXPIRES_AT.to_owned(), number(expires_at));
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(#pk) OR #expires_at <= :now")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#expires_at", EXPIRES_AT)
            .expression_attribute_values(":now", number(now.as_second()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(None)
            }
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => match &failed.item {
                    Some(item) => Ok(Some(item.clone())),
                    None => Err(StoreError::Contention("claiming an idempotency key")),
                },
                _ => Err(StoreError::call("PutItem")(error)),
            },
        }
    }

    /// Takes the key of a call that died or gave up. Returns what is there instead, if somebody
    /// was faster.
    async fn take_over(
        &self,
        mine: &ReplyClaim,
        stored: &StoredClaim,
        now: Timestamp,
    ) -> Result<Option<Item>, StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(layout::reply(&mine.request).to_item()))
            .update_expression("SET #owner = :me, #lease_until = :until")
            .condition_expression("#owner = :owner AND attribute_exists(#lease_until)")
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_names("#lease_until", LEASE_UNTIL)
            .expression_attribute_values(":me", text(mine.owner))
            .expression_attribute_values(":owner", text(stored.owner))
            .expression_attribute_values(":until", milliseconds(now + LEASE))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(None)
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    match &failed.item {
                        Some(item) => Ok(Some(item.clone())),
                        None => Err(StoreError::Contention("claiming an idempotency key")),
                    }
                }
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }

    /// Keeps the reply to a request. Returns whether it was kept: not if the call took longer
    /// than its lease, and another took its key over.
    pub async fn keep_reply(
        &self,
        claim: &ReplyClaim,
        reply: &KeptReply,
    ) -> Result<bool, StoreError> {
        let (attribute, value) = match reply {
            KeptReply::Here(sealed) => (REPLY, AttributeValue::B(sealed.clone().into())),
            KeptReply::InBucket(key) => (OBJECT, text(key)),
        };
        let update = self
            .client
            .update_item()
            .update_expression("SET #kept = :kept REMOVE #lease_until")
            .expression_attribute_names("#kept", attribute)
            .expression_attribute_values(":kept", value);
        self.end_claim(claim, update).await
    }

    /// Gives a key back, so that the request can be made again at once.
    pub async fn release_reply(&self, claim: &ReplyClaim) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .update_expression("SET #lease_until = :never")
            .expression_attribute_values(":never", number(0));
        self.end_claim(claim, update).await
    }

    /// Changes the item of a claim that is still held.
    async fn end_claim(
        &self,
        claim: &ReplyClaim,
        update: aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder,
    ) -> Result<bool, StoreError> {
        let result = update
            .table_name(&self.table)
            .set_key(Some(layout::reply(&claim.request).to_item()))
            .condition_expression("#owner = :me AND attribute_exists(#lease_until)")
            .expression_attribute_names("#owner", OWNER)
            .expression_attribute_names("#lease_until", LEASE_UNTIL)
            .expression_attribute_values(":me", text(claim.owner))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match result {
            Ok(output) => {
                self.capacity.add(Units::Write, &output.consumed_capacity);
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::call("UpdateItem")(error)),
            },
        }
    }
}

/// A claim as it is stored.
struct StoredClaim {
    request: [u8; 32],
    owner: Uuid,
    job_id: Uuid,
    /// Until when it is held; nothing once there is a reply.
    lease_until: Option<Timestamp>,
}

impl StoredClaim {
    fn read(item: &Item) -> Result<Self, StoreError> {
        let corrupt = |attribute| move || StoreError::corrupt("idempotency key", attribute);
        let uuid = |name: &'static str| {
            let value = item.get(name).and_then(|value| value.as_s().ok());
            value
                .and_then(|text| text.parse().ok())
                .ok_or_else(corrupt(name))
        };
        let digest = item.get(REQUEST_DIGEST).and_then(|value| value.as_b().ok());
        let digest = digest.and_then(|digest| digest.as_ref().try_into().ok());
        let lease_until = item.get(LEASE_UNTIL).map(|value| {
            let at = value.as_n().ok().and_then(|at| at.parse().ok());
            at.and_then(|at| Timestamp::from_millisecond(at).ok())
                .ok_or_else(corrupt(LEASE_UNTIL))
        });
        Ok(Self {
            request: digest.ok_or_else(corrupt(REQUEST_DIGEST))?,
            owner: uuid(OWNER)?,
            job_id: uuid(JOB_ID)?,
            lease_until: lease_until.transpose()?,
        })
    }
}

fn kept(item: &Item) -> Result<KeptReply, StoreError> {
    if let Some(AttributeValue::S(key)) = item.get(OBJECT) {
        return Ok(KeptReply::InBucket(key.clone()));
    }
    match item.get(REPLY) {
        Some(AttributeValue::B(sealed)) => Ok(KeptReply::Here(sealed.as_ref().to_vec())),
        _ => Err(StoreError::corrupt("idempotency key", REPLY)),
    }
}

fn text(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

fn milliseconds(time: Timestamp) -> AttributeValue {
    number(time.as_millisecond())
}
