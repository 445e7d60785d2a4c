//! How items are keyed and what their attributes are called. Nothing else knows.
//!
//! | item | pk | sk |
//! | --- | --- | --- |
//! | customer | customer_uid | `RECORD` |
//! | meter | customer_uid | `METER#` device_uid |
//! | membership | `GROUP#{org}#{group}#{first hex digit of the uid's hash}` | `{16 hex of the hash}#{uid}` |
//! | counter of a group | `COUNT#{org}#{group}` | first 2 hex digits of the hash |
//! | organisation, group, source, wrapped key, integer counter | `ORG#{org}` | `ORGANIZATION`, `GROUP#…`, `SOURCE#…`, `KEY#…`, `INTEGER#…` |
//! | workspace fields: one item with all of them as JSON | `ORG#{org}` | `FIELDS` |
//! | job, its row errors, its parts that are done | `JOB#{org}#{uuid}` | `JOB`, `ERRORS#{first row}`, `PART#{number}` |
//! | fence of an erased customer | `FENCE#{org}#{keyed digest of customer_uid}` | `FENCE` |
//! | entry in the list of jobs | `JOBS#{org}` | import id, 20 digits |
//! | tokens of a source, as a list | `ORG#{org}` | `TOKENS#{source}` |
//! | token of a source | `TOKEN#{first 32 hex of its SHA-256}` | `TOKEN` |
//! | reply kept for an idempotency key | `REPLY#{org}#{32 hex of the key's digest}` | `REPLY` |
//! | a caller's requests | `RATE#{org}#{32 hex of the caller's hash}` | `RATE` |
//! | nothing: the key that a starting function asks for | `NONE` | `NONE` |
//!
//! A deleted group stays, marked with its job, until that has removed its members; its counters
//! stay closed for a day.
//!
//! The integer counters: of sources, imports and groups, and `{dataset}.{field}` of a dataset that
//! counts its records, such as `INTEGER#contacts.id`.
//!
//! A customer_uid begins with a digit, so no record's key equals another item's.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::{GroupId, KeyedRequest, StoreError};
use crate::{
    caller::CallerId,
    identity::{CustomerUid, DataOrigin, DeviceUid, OrganizationId, RecordId, UidHash},
    protection::{KeyPurpose, UidDigest},
};

/// An item: attribute names and values.
pub type Item = HashMap<String, AttributeValue>;

/// The partition key's attribute.
pub const PK: &str = "pk";
/// The sort key's attribute.
pub const SK: &str = "sk";
/// The attribute with the second since the epoch at which DynamoDB may delete the item.
pub const EXPIRES_AT: &str = "expires_at";

pub(super) const DATASET: &str = "dataset";
pub(super) const PROFILE: &str = "profile";
pub(super) const CUSTOM: &str = "custom";
pub(super) const DIGEST: &str = "digest";
pub(super) const VALUE_DIGESTS: &str = "value_digests";
/// On a record that comes in events: when its fields were last spoken of.
pub(super) const CLOCK: &str = "clock";
/// Of a clock: the newest event.
pub(super) const NEWEST: &str = "n";
/// Of a clock: the fields that another event was the last to speak of.
pub(super) const OTHERS: &str = "f";
/// Of a clock: what events said of agreements.
pub(super) const CONSENTS: &str = "c";
pub(super) const GROUPS: &str = "groups";
pub(super) const CREATED_AT: &str = "created_at";
pub(super) const UPDATED_AT: &str = "updated_at";
pub(super) const SOURCE_ID: &str = "source_id";
pub(super) const IMPORT_ID: &str = "import_id";
pub(super) const LAST_SOURCE_ID: &str = "last_source_id";
pub(super) const LAST_IMPORT_ID: &str = "last_import_id";
pub(super) const MEMBERS: &str = "members";
/// On a counter of a source's group: how often a record that it counts, or that it would count,
/// was erased.
pub(super) const ERASURES: &str = "erasures";
/// On a fence: the receipt of the erasure.
pub(super) const RECEIPT: &str = "receipt";
/// On a meter's membership: the bytes of its customer_uid, and its device_uid.
pub(super) const CUSTOMER_UID: &str = "c";
pub(super) const DEVICE_UID: &str = "d";
pub(super) const NAME: &str = "name";
pub(super) const VALUE: &str = "value";
pub(super) const VERSION: &str = "version";
pub(super) const FIELDS: &str = "fields";
pub(super) const WRAPPED: &str = "wrapped";
pub(super) const CHECK: &str = "check";
/// On a version of a key: the rotation that made it.
pub(super) const MADE_BY: &str = "made_by";
pub(super) const RETIRED_AT: &str = "retired_at";
pub(super) const PSEUDONYMS: &str = "pseudonyms";
pub(super) const UNKNOWN_COLUMNS: &str = "unknown_columns";
pub(super) const JOB_ID: &str = "job_id";
/// On a group that can be deleted: later made, higher.
pub(super) const NUMBER: &str = "number";
/// On a group that was deleted: the job that removes its memberships.
pub(super) const DELETED_BY: &str = "deleted_by";
/// On a counter: the number of the deleted group that it counted, which gains no more members.
pub(super) const CLOSED: &str = "closed";
/// Of a source's tokens.
pub(super) const TOKENS: &str = "tokens";
pub(super) const LOOKUP: &str = "lookup";
pub(super) const HASH: &str = "hash";
pub(super) const DATASETS: &str = "datasets";
pub(super) const CREATED_BY: &str = "created_by";
pub(super) const ORGANIZATION: &str = "organization";
pub(super) const DATA_ORIGIN: &str = "data_origin";
/// Of a request with an idempotency key.
pub(super) const REQUEST_DIGEST: &str = "request";
pub(super) const OWNER: &str = "owner";
pub(super) const LEASE_UNTIL: &str = "lease_until";
pub(super) const REPLY: &str = "reply";
pub(super) const OBJECT: &str = "object";
/// Of a caller's requests: short names, since the item is written with every request.
pub(super) const BORN: &str = "born";
pub(super) const ADMITTED: &str = "n";
pub(super) const SLOTS: &str = "slots";

/// The primary key of an item.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }

    /// The key as the attributes of a request.
    pub(super) fn to_item(&self) -> Item {
        HashMap::from([
            (PK.to_owned(), AttributeValue::S(self.pk.clone())),
            (SK.to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }

    /// The key of an item that was read.
    pub(super) fn of(item: &Item) -> Result<Self, StoreError> {
        let text = |name: &'static str| match item.get(name) {
            Some(AttributeValue::S(text)) => Ok(text.clone()),
            _ => Err(StoreError::corrupt("of unknown kind", name)),
        };
        Ok(Self::new(text(PK)?, text(SK)?))
    }
}

const RECORD: &str = "RECORD";
const METER: &str = "METER#";
const SOURCE: &str = "SOURCE#";

pub(super) fn record(id: &RecordId) -> Key {
    match id {
        RecordId::Customer(customer) => Key::new(customer.to_string(), RECORD),
        RecordId::Meter(customer, device) => {
            Key::new(customer.to_string(), format!("{METER}{device}"))
        }
    }
}

/// The record that a key belongs to, if it is a record's.
pub(super) fn record_id(key: &Key) -> Option<RecordId> {
    let customer = CustomerUid::parse(&key.pk)?;
    if key.sk == RECORD {
        return Some(RecordId::Customer(customer));
    }
    let device = DeviceUid::parse(key.sk.strip_prefix(METER)?)?;
    RecordId::meter(customer, device).ok()
}

pub(super) fn membership(organization: OrganizationId, group: &GroupId, id: &RecordId) -> Key {
    let hash = id.hash();
    Key::new(
        members(organization, group, hash.shard()),
        format!("{hash}#{id}"),
    )
}

/// The attributes of a membership: thin on purpose, only what finds the record.
pub(super) fn membership_item(
    organization: OrganizationId,
    group: &GroupId,
    id: &RecordId,
) -> Item {
    let mut item = membership(organization, group, id).to_item();
    if let RecordId::Meter(customer, device) = id {
        item.insert(
            CUSTOMER_UID.to_owned(),
            AttributeValue::S(customer.to_string()),
        );
        item.insert(DEVICE_UID.to_owned(), AttributeValue::S(device.to_string()));
    }
    item
}

/// The record that a membership leads to.
pub(super) fn member(item: &Item) -> Result<RecordId, StoreError> {
    let corrupt = || StoreError::corrupt("membership", SK);
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    let id = match (text(CUSTOMER_UID), text(DEVICE_UID)) {
        (Some(customer), Some(device)) => {
            let customer = CustomerUid::parse(customer).ok_or_else(corrupt)?;
            let device = DeviceUid::parse(device).ok_or_else(corrupt)?;
            RecordId::meter(customer, device).map_err(|_| corrupt())?
        }
        _ => {
            let (_, uid) = text(SK)
                .and_then(|sk| sk.split_once('#'))
                .ok_or_else(corrupt)?;
            RecordId::Customer(CustomerUid::parse(uid).ok_or_else(corrupt)?)
        }
    };
    Ok(id)
}

/// The partition of one sixteenth of a group's memberships.
pub(super) fn members(organization: OrganizationId, group: &GroupId, shard: u8) -> String {
    format!("GROUP#{organization}#{group}#{shard:x}")
}

/// The sort key after which the memberships of a hash, or of none, have all gone by.
pub(super) fn after_hash(hash: &str) -> String {
    match hash {
        // Before every hexadecimal digit.
        "" => "#".to_owned(),
        hash => format!("{hash}~"),
    }
}

/// The group whose membership or counter an item is.
pub(super) fn group_of(pk: &str) -> Option<(OrganizationId, GroupId, KindInGroup)> {
    let (kind, rest) = match pk.strip_prefix("GROUP#") {
        Some(rest) => (KindInGroup::Membership, rest.rsplit_once('#')?.0),
        None => (KindInGroup::Counter, pk.strip_prefix("COUNT#")?),
    };
    let (organization, group) = rest.split_once('#')?;
    Some((organization.parse().ok()?, group.parse().ok()?, kind))
}

/// What an item of a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KindInGroup {
    Membership,
    Counter,
}

/// The sort key at which the memberships of a bucket begin.
pub(super) fn bucket_start(bucket: u8) -> String {
    format!("{bucket:02x}")
}

/// The bucket in a counter's or the beginning of a membership's sort key.
pub(super) fn bucket_of(sk: &str) -> Option<u8> {
    u8::from_str_radix(sk.get(..2)?, 16).ok()
}

/// The sort key of a membership, for a cursor.
pub(super) fn membership_sort_key(hash: UidHash, uid: &str) -> String {
    format!("{hash}#{uid}")
}

pub(super) fn counter(organization: OrganizationId, group: &GroupId, bucket: u8) -> Key {
    Key::new(counters(organization, group), bucket_start(bucket))
}

pub(super) fn counters(organization: OrganizationId, group: &GroupId) -> String {
    format!("COUNT#{organization}#{group}")
}

/// Where the meters of a customer are: the partition, and how their sort keys begin.
pub(super) fn meters(customer: &CustomerUid) -> (String, &'static str) {
    (customer.to_string(), METER)
}

fn of_organization(organization: OrganizationId) -> String {
    format!("ORG#{organization}")
}

pub(super) fn organization(organization: OrganizationId) -> Key {
    Key::new(of_organization(organization), "ORGANIZATION")
}

pub(super) fn group(organization: OrganizationId, group: &GroupId) -> Key {
    Key::new(of_organization(organization), format!("{GROUP}{group}"))
}

const GROUP: &str = "GROUP#";

/// The id in a group's sort key.
pub(super) fn group_id(sk: &str) -> Option<GroupId> {
    sk.strip_prefix(GROUP)?.parse().ok()
}

/// The partition of an organisation's groups, and the first and last sort key of those that
/// come after an id.
pub(super) fn groups_after(
    organization: OrganizationId,
    after: Option<&GroupId>,
) -> (String, String, String) {
    let from = match after {
        Some(id) => format!("{GROUP}{id}\0"),
        None => GROUP.to_owned(),
    };
    // A character after every one of an id.
    let to = format!("{GROUP}~");
    (of_organization(organization), from, to)
}

/// The partition and the beginning of the sort keys of an organisation's groups.
pub(super) fn groups(organization: OrganizationId) -> (String, &'static str) {
    (of_organization(organization), "GROUP#")
}

/// The group in a group's item, if all of some source's records are in it. A dataset of the
/// organisation's own has sources too.
pub(super) fn group_of_source(item: &Item) -> Option<GroupId> {
    let id = item.get(SK)?.as_s().ok()?.strip_prefix("GROUP#")?;
    let dataset = item.get(DATASET)?.as_s().ok()?;
    let origin = id.strip_prefix(dataset.as_str())?.strip_prefix('.')?;
    origin.parse::<DataOrigin>().ok()?;
    id.parse().ok()
}

pub(super) fn source(organization: OrganizationId, origin: &DataOrigin) -> Key {
    Key::new(of_organization(organization), format!("{SOURCE}{origin}"))
}

/// The fields of an organisation's workspace.
pub(super) fn workspace_fields(organization: OrganizationId) -> Key {
    Key::new(of_organization(organization), "FIELDS")
}

/// The partition of an organisation's sources, and between which sort keys those after a name
/// are. No name has a character after `z`.
pub(super) fn sources_after(
    organization: OrganizationId,
    after: Option<&DataOrigin>,
) -> (String, String, String) {
    let after = after.map_or("", DataOrigin::as_str);
    let first = format!("{SOURCE}{after}\0");
    (of_organization(organization), first, format!("{SOURCE}~"))
}

/// The list of a source's tokens.
pub(super) fn source_tokens(organization: OrganizationId, origin: &DataOrigin) -> Key {
    Key::new(of_organization(organization), format!("TOKENS#{origin}"))
}

/// A token, by the part of its hash that finds it.
pub(super) fn source_token(lookup: &str) -> Key {
    Key::new(format!("TOKEN#{lookup}"), "TOKEN")
}

pub(super) fn wrapped_key(organization: OrganizationId, purpose: KeyPurpose, version: u32) -> Key {
    let purpose = purpose.as_str();
    Key::new(
        of_organization(organization),
        format!("KEY#{purpose}#{version:010}"),
    )
}

/// The partition and the beginning of the sort keys of an organisation's wrapped keys.
pub(super) fn wrapped_keys(organization: OrganizationId) -> (String, &'static str) {
    (of_organization(organization), "KEY#")
}

/// The purpose and version in a wrapped key's sort key.
pub(super) fn wrapped_key_of(sk: &str) -> Option<(KeyPurpose, u32)> {
    let (purpose, version) = sk.strip_prefix("KEY#")?.split_once('#')?;
    let purpose = KeyPurpose::ALL
        .into_iter()
        .find(|p| p.as_str() == purpose)?;
    Some((purpose, version.parse().ok()?))
}

/// What keeps an erased customer from coming back.
pub(super) fn fence(organization: OrganizationId, digest: UidDigest) -> Key {
    Key::new(format!("FENCE#{organization}#{digest}"), "FENCE")
}

/// A counter of an organisation's integer ids.
pub(super) fn integer(organization: OrganizationId, name: &str) -> Key {
    Key::new(of_organization(organization), format!("INTEGER#{name}"))
}

pub(super) fn job(organization: OrganizationId, id: Uuid) -> Key {
    Key::new(format!("JOB#{organization}#{id}"), "JOB")
}

/// The row errors of the batch that begins at a row.
pub(super) fn job_errors(organization: OrganizationId, id: Uuid, first_row: u64) -> Key {
    Key::new(
        format!("JOB#{organization}#{id}"),
        format!("{JOB_ERRORS}{first_row:020}"),
    )
}

/// What says that a part of a job was imported.
pub(super) fn job_part(organization: OrganizationId, id: Uuid, number: u32) -> Key {
    Key::new(
        format!("JOB#{organization}#{id}"),
        format!("PART#{number:010}"),
    )
}

pub(super) const JOB_ERRORS: &str = "ERRORS#";

/// An entry in an organisation's list of jobs, in the order in which they were registered.
pub(super) fn job_entry(organization: OrganizationId, import_id: u64) -> Key {
    Key::new(job_entries(organization), format!("{import_id:020}"))
}

pub(super) fn job_entries(organization: OrganizationId) -> String {
    format!("JOBS#{organization}")
}

/// What became of the request that was first made with an idempotency key.
pub(super) fn reply(request: &KeyedRequest) -> Key {
    let digest = HEXLOWER.encode(&request.key);
    Key::new(format!("REPLY#{}#{digest}", request.organization), "REPLY")
}

/// How many requests a caller made.
pub(super) fn rate(caller: &CallerId) -> Key {
    let digest = HEXLOWER.encode(caller.digest());
    Key::new(format!("RATE#{}#{digest}", caller.organization()), "RATE")
}

/// A key that no item has.
pub(super) fn none() -> Key {
    Key::new("NONE", "NONE")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::identity::UidPart;

    fn ids() -> [RecordId; 2] {
        let organization = OrganizationId::new(1).unwrap();
        let customer = CustomerUid::new(
            organization,
            "generic".parse().unwrap(),
            UidPart::parse("a-1-hop#x").unwrap(),
        );
        let serial = UidPart::parse("b-#c").unwrap();
        let device = DeviceUid::new(organization, "Ho-p", serial).unwrap();
        let meter = RecordId::meter(customer.clone(), device).unwrap();
        [RecordId::Customer(customer), meter]
    }

    #[test]
    fn keys_lead_back_to_their_records() {
        let organization = OrganizationId::new(1).unwrap();
        let group = "customers.generic".parse().unwrap();
        for id in ids() {
            assert!(record_id(&record(&id)) == Some(id.clone()));
            assert!(member(&membership_item(organization, &group, &id)).unwrap() == id);
            let pk = membership(organization, &group, &id).pk;
            let expected = (organization, group.clone(), KindInGroup::Membership);
            assert_eq!(group_of(&pk), Some(expected));
        }
    }

    proptest! {
        #[test]
        fn equal_keys_imply_equal_records(
            a in ("[-%#a1]{1,6}", "[-%#a1]{1,6}", "[-%#a1]{1,6}"),
            b in ("[-%#a1]{1,6}", "[-%#a1]{1,6}", "[-%#a1]{1,6}"),
        ) {
            let organization = OrganizationId::new(1).unwrap();
            let group = "g".parse().unwrap();
            let records = |(external_id, manufacturer, serial): &(String, String, String)| {
                let part = |text: &str| UidPart::parse(text).unwrap();
                let origin = "generic".parse().unwrap();
                let customer = CustomerUid::new(organization, origin, part(external_id));
                let device = DeviceUid::new(organization, manufacturer, part(serial)).unwrap();
                let meter = RecordId::meter(customer.clone(), device).unwrap();
                [RecordId::Customer(customer), meter]
            };
            let all: Vec<_> = [records(&a), records(&b)].concat();
            for one in &all {
                for other in &all {
                    let same_kind = matches!(one, RecordId::Meter(..)) == matches!(other, RecordId::Meter(..));
                    prop_assert_eq!(record(one) == record(other), one == other);
                    if same_kind {
                        // A group has one dataset, so only records of one kind share it.
                        let keys = [one, other].map(|id| membership(organization, &group, id));
                        prop_assert_eq!(keys[0] == keys[1], one == other);
                    }
                }
            }
        }
    }

    #[test]
    fn the_longest_parts_fit_dynamodbs_keys() {
        let organization = OrganizationId::new(crate::identity::MAX_ORGANIZATION_ID).unwrap();
        let longest = UidPart::parse(&"x".repeat(255)).unwrap();
        let origin: DataOrigin = "o".repeat(32).parse().unwrap();
        let customer = CustomerUid::new(organization, origin, longest.clone());
        let device = DeviceUid::new(organization, &"-".repeat(64), longest).unwrap();
        let id = RecordId::meter(customer, device).unwrap();
        let group: GroupId = "g".repeat(64).parse().unwrap();
        for key in [record(&id), membership(organization, &group, &id)] {
            assert!(key.pk.len() <= 2_048, "{}", key.pk.len());
            assert!(key.sk.len() <= 1_024, "{}", key.sk.len());
        }
    }
}
