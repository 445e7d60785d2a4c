//! Records in a reply.

use clientele::{
    Registry,
    identity::{OrganizationId, RecordId},
    protection::{CipherError, KeyError, OrganizationKeys},
    store::StoredRecord,
    web::enveloped_len,
};
use serde_json::{Map, Value};

/// The largest body as Lambda carries it, which leaves room for the rest of the envelope.
const MAX_ENVELOPED_BYTES: usize = 6_200_000;

/// Records as they were found.
pub(crate) type Records = Vec<(RecordId, StoredRecord)>;

/// The records as `show` makes bodies of them, unless they are too many for a reply. An
/// organisation for which nothing was ever encrypted has no keys.
pub(crate) async fn shown(
    registry: &Registry,
    organization: OrganizationId,
    records: &Records,
    show: impl Fn(
        Option<&OrganizationKeys>,
        &RecordId,
        &StoredRecord,
    ) -> Result<Map<String, Value>, CipherError>,
) -> Result<Option<Vec<Value>>, KeyError> {
    let all = |keys: Option<&OrganizationKeys>| {
        let mut enveloped = 0;
        let mut bodies = Vec::with_capacity(records.len());
        for (id, record) in records {
            let body = Value::Object(show(keys, id, record)?);
            enveloped += enveloped_len(&body.to_string()) + 1;
            if enveloped > MAX_ENVELOPED_BYTES {
                return Ok(None);
            }
            bodies.push(body);
        }
        Ok::<_, CipherError>(Some(bodies))
    };
    let shown = registry.keys.reading(organization, |keys| all(Some(keys)));
    match shown.await {
        Err(KeyError::None) => Ok(all(None)?),
        shown => shown,
    }
}
