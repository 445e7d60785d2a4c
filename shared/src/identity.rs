//! Who a record belongs to and what it is called: organisations, sources, uids.
//!
//! ```text
//! customer_uid = {organization}-{data_origin}-{external_id}
//! device_uid   = {organization}-{manufacturer}-{serial_number}
//! meter's uid  = {customer_uid}-{device_uid}
//! ```
//!
//! The last part of a uid is verbatim. A part that another part follows has its
//! `%` and `-` percent-encoded, so that no two different records of one dataset
//! share a uid; `data_origin` cannot hold either character.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The longest part of a uid, in bytes of UTF-8: it keeps every key within DynamoDB's limits
/// (2,048 bytes for a partition key, 1,024 for a sort key).
pub const MAX_PART_BYTES: usize = 255;
/// The longest manufacturer, in bytes of UTF-8, before it is percent-encoded.
pub const MAX_MANUFACTURER_BYTES: usize = 64;
/// The longest data origin, in characters.
pub const MAX_DATA_ORIGIN: usize = 32;
/// The largest organisation id: the largest integer that every JSON reader keeps (2^53 − 1).
pub const MAX_ORGANIZATION_ID: u64 = (1 << 53) - 1;

/// The source of workspaces, called as their dataset.
const WORKSPACE: &str = crate::dataset::workspace::WORKSPACE;

/// Why a text cannot be an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// Nothing is left after trimming.
    #[error("it is empty")]
    Empty,
    /// It is too long for a key.
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
    /// It holds a control character.
    #[error("it holds a control character")]
    ControlCharacter,
    /// A data origin outside its alphabet.
    #[error("a data origin is 1 to {MAX_DATA_ORIGIN} characters of a-z, 0-9 and _")]
    DataOrigin,
    /// An organisation id outside its range.
    #[error("an organization id is an integer from 1 to {MAX_ORGANIZATION_ID}")]
    OrganizationId,
}

/// The tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct OrganizationId(u64);

impl OrganizationId {
    /// An id from 1 to [`MAX_ORGANIZATION_ID`].
    pub fn new(id: u64) -> Result<Self, IdentityError> {
        match id {
            1..=MAX_ORGANIZATION_ID => Ok(Self(id)),
            _ => Err(IdentityError::OrganizationId),
        }
    }

    /// The number itself.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for OrganizationId {
    type Err = IdentityError;

    /// Decimal digits without sign or leading zero, so that each id has one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with('0') || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(IdentityError::OrganizationId);
        }
        Self::new(text.parse().map_err(|_| IdentityError::OrganizationId)?)
    }
}

impl<'de> Deserialize<'de> for OrganizationId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The name of a source inside its organisation: `[a-z0-9_]{1,32}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct DataOrigin(String);

impl DataOrigin {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a dialect keeps this source for itself: contacts, events and workspaces
    /// each own the customers of one source, so that no two datasets share a customer.
    pub fn is_reserved(&self) -> bool {
        matches!(self.0.as_str(), "external" | "events") || self.is_workspace()
    }

    /// Whether it is the source of workspaces, whose customers have the fields that their
    /// organisation has defined.
    pub fn is_workspace(&self) -> bool {
        self.0 == WORKSPACE
    }

    /// The source of workspaces.
    pub fn workspace() -> Self {
        Self(WORKSPACE.to_owned())
    }
}

impl FromStr for DataOrigin {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let in_alphabet = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if text.is_empty() || text.len() > MAX_DATA_ORIGIN || !text.bytes().all(in_alphabet) {
            return Err(IdentityError::DataOrigin);
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for DataOrigin {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for DataOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One user-given part of a uid: trimmed, NFC, 1 to 255 bytes, no control characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UidPart(String);

impl UidPart {
    /// Normalises and checks a text.
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        Self::parse_within(text, MAX_PART_BYTES)
    }

    /// A digest in lower-case hex.
    pub(crate) fn of_digest(digest: &[u8; 32]) -> Self {
        Self(data_encoding::HEXLOWER.encode(digest))
    }

    fn parse_within(text: &str, limit: usize) -> Result<Self, IdentityError> {
        let normalized = normalize(text);
        if normalized.is_empty() {
            return Err(IdentityError::Empty);
        }
        if normalized.len() > limit {
            return Err(IdentityError::TooLong(limit));
        }
        if normalized.chars().any(char::is_control) {
            return Err(IdentityError::ControlCharacter);
        }
        Ok(Self(normalized))
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn encoded(&self) -> String {
        self.0.replace('%', "%25").replace('-', "%2D")
    }
}

/// Trims and brings a text to Unicode's composed form (NFC), as every stored text is.
pub fn normalize(text: &str) -> String {
    let trimmed = text.trim();
    if is_nfc(trimmed) {
        trimmed.to_owned()
    } else {
        trimmed.nfc().collect()
    }
}

/// What a customer is called.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CustomerUid {
    organization: OrganizationId,
    origin: DataOrigin,
    external_id: UidPart,
}

impl CustomerUid {
    /// A customer of a source.
    pub fn new(organization: OrganizationId, origin: DataOrigin, external_id: UidPart) -> Self {
        Self {
            organization,
            origin,
            external_id,
        }
    }

    /// Reads a uid as [`Display`](fmt::Display) writes it.
    pub fn parse(uid: &str) -> Option<Self> {
        let (organization, rest) = uid.split_once('-')?;
        let (origin, external_id) = rest.split_once('-')?;
        let part = UidPart::parse(external_id).ok()?;
        // Only the normalised spelling is a uid.
        (part.as_str() == external_id).then_some(())?;
        Some(Self::new(
            organization.parse().ok()?,
            origin.parse().ok()?,
            part,
        ))
    }

    /// The organisation that the customer belongs to.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// The source that the customer came from.
    pub fn origin(&self) -> &DataOrigin {
        &self.origin
    }

    /// The customer's id at the source.
    pub fn external_id(&self) -> &str {
        self.external_id.as_str()
    }
}

impl fmt::Display for CustomerUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}-{}",
            self.organization, self.origin, self.external_id.0
        )
    }
}

/// What a device is called within an organisation.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DeviceUid {
    organization: OrganizationId,
    manufacturer: String,
    serial_number: UidPart,
}

impl DeviceUid {
    /// A device by its maker, whatever the case it is written in, and its serial number.
    pub fn new(
        organization: OrganizationId,
        manufacturer: &str,
        serial_number: UidPart,
    ) -> Result<Self, IdentityError> {
        let manufacturer = UidPart::parse_within(manufacturer, MAX_MANUFACTURER_BYTES)?;
        // Lower-casing can leave the composed form and lengthen the text.
        let lowered = UidPart::parse(&manufacturer.0.to_lowercase())?;
        Ok(Self {
            organization,
            manufacturer: lowered.encoded(),
            serial_number,
        })
    }

    /// Reads a uid as [`Display`](fmt::Display) writes it.
    pub fn parse(uid: &str) -> Option<Self> {
        let (organization, rest) = uid.split_once('-')?;
        let (manufacturer, serial_number) = rest.split_once('-')?;
        Some(Self {
            organization: organization.parse().ok()?,
            manufacturer: manufacturer.to_owned(),
            serial_number: UidPart::parse(serial_number).ok()?,
        })
    }
}

impl fmt::Display for DeviceUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}-{}",
            self.organization, self.manufacturer, self.serial_number.0
        )
    }
}

/// Which record: a customer, or a meter at a customer.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum RecordId {
    /// A customer.
    Customer(CustomerUid),
    /// A meter and the customer it is at.
    Meter(CustomerUid, DeviceUid),
}

impl RecordId {
    /// A meter at a customer. The customer's external id, as it stands encoded in the
    /// meter's uid, may take [`MAX_PART_BYTES`].
    pub fn meter(customer: CustomerUid, device: DeviceUid) -> Result<Self, IdentityError> {
        if customer.external_id.encoded().len() > MAX_PART_BYTES {
            return Err(IdentityError::TooLong(MAX_PART_BYTES));
        }
        Ok(Self::Meter(customer, device))
    }

    /// Reads a meter's uid as [`Display`](fmt::Display) writes it: only its last part can hold a `-`.
    pub fn parse_meter(uid: &str) -> Option<Self> {
        let mut parts = uid.splitn(4, '-');
        let (organization, origin) = (parts.next()?, parts.next()?);
        let (external_id, device) = (parts.next()?, parts.next()?);
        let external_id = external_id.replace("%2D", "-").replace("%25", "%");
        let customer = CustomerUid::new(
            organization.parse().ok()?,
            origin.parse().ok()?,
            UidPart::parse(&external_id).ok()?,
        );
        let id = Self::meter(customer, DeviceUid::parse(device)?).ok()?;
        (id.to_string() == uid).then_some(id)
    }

    /// The customer: the record itself, or the one that the meter is at.
    pub fn customer(&self) -> &CustomerUid {
        match self {
            Self::Customer(customer) | Self::Meter(customer, _) => customer,
        }
    }

    /// The hash that spreads records over partitions and orders them in a group.
    pub fn hash(&self) -> UidHash {
        UidHash::of(&self.to_string())
    }
}

impl fmt::Display for RecordId {
    /// The record's uid.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer(customer) => customer.fmt(f),
            Self::Meter(customer, device) => write!(
                f,
                "{}-{}-{}-{device}",
                customer.organization,
                customer.origin,
                customer.external_id.encoded()
            ),
        }
    }
}

impl fmt::Debug for RecordId {
    /// External ids stay out of logs: some sources put phone numbers there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({})", self.hash())
    }
}

/// The first 64 bits of a uid's SHA-256, written as 16 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UidHash(u64);

impl UidHash {
    /// Hashes a uid.
    pub fn of(uid: &str) -> Self {
        let digest = Sha256::digest(uid.as_bytes());
        let head = digest.first_chunk::<8>().copied().unwrap_or_default();
        Self(u64::from_be_bytes(head))
    }

    /// The first hex digit, 0 to 15: which of a group's 16 partitions.
    pub fn shard(self) -> u8 {
        self.bucket() >> 4
    }

    /// The first two hex digits, 0 to 255: which of a group's 256 counters.
    pub fn bucket(self) -> u8 {
        (self.0 >> 56) as u8
    }
}

impl fmt::Display for UidHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for UidHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn customer(external_id: &str) -> CustomerUid {
        CustomerUid::new(
            OrganizationId::new(1).unwrap(),
            "generic".parse().unwrap(),
            UidPart::parse(external_id).unwrap(),
        )
    }

    fn meter(external_id: &str, manufacturer: &str, serial_number: &str) -> RecordId {
        let organization = OrganizationId::new(1).unwrap();
        let serial_number = UidPart::parse(serial_number).unwrap();
        let device = DeviceUid::new(organization, manufacturer, serial_number).unwrap();
        RecordId::meter(customer(external_id), device).unwrap()
    }

    #[test]
    fn uids_read_as_the_specification_shows_them() {
        assert_eq!(customer("6574").to_string(), "1-generic-6574");
        assert_eq!(
            meter("1", "HOP", "A1233754345JL").to_string(),
            "1-generic-1-1-hop-A1233754345JL"
        );
        assert_eq!(
            meter("a-b", "Ho-P%", "x-y").to_string(),
            "1-generic-a%2Db-1-ho%2Dp%25-x-y"
        );
    }

    #[test]
    fn parts_are_checked() {
        let table = [
            ("", IdentityError::Empty),
            (" \t", IdentityError::Empty),
            ("a\u{0}b", IdentityError::ControlCharacter),
            ("a\nb", IdentityError::ControlCharacter),
        ];
        for (text, expected) in table {
            assert_eq!(UidPart::parse(text).err(), Some(expected), "{text:?}");
        }
        assert!(UidPart::parse(&"x".repeat(255)).is_ok());
        assert_eq!(
            UidPart::parse(&"x".repeat(256)).err(),
            Some(IdentityError::TooLong(255))
        );
        assert_eq!(UidPart::parse(" e\u{301} ").unwrap().as_str(), "\u{e9}");
    }

    #[test]
    fn organization_ids_have_one_spelling() {
        for text in ["0", "01", "+1", "-1", "1.0", "", " 1", "9007199254740992"] {
            assert!(text.parse::<OrganizationId>().is_err(), "{text:?}");
        }
        assert_eq!("42".parse::<OrganizationId>().unwrap().get(), 42);
    }

    proptest! {
        #[test]
        fn equal_meter_uids_imply_equal_parts(
            a in ("[-%a1]{1,6}", "[-%a1]{1,6}", "[-%a1]{1,6}"),
            b in ("[-%a1]{1,6}", "[-%a1]{1,6}", "[-%a1]{1,6}"),
        ) {
            let same_uid = meter(&a.0, &a.1, &a.2).to_string() == meter(&b.0, &b.1, &b.2).to_string();
            prop_assert_eq!(same_uid, a == b);
            let id = meter(&a.0, &a.1, &a.2);
            prop_assert!(RecordId::parse_meter(&id.to_string()) == Some(id));
        }

        #[test]
        fn a_customer_uid_reads_back(external_id in "[-%a1é]{1,20}") {
            let uid = customer(&external_id);
            prop_assert!(CustomerUid::parse(&uid.to_string()) == Some(uid));
        }
    }
}
