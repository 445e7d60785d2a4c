//! The group that a request of the customer management interface is about.

use super::{Call, Principal, Problem};
use crate::{
    Registry,
    store::{Group, GroupId},
};

/// A group of the caller's. One that is unknown, or that the caller may not reach, is to this
/// interface's clients one without customers.
pub async fn customer_group(
    registry: &Registry,
    call: &Call<'_>,
    caller: &Principal,
    id: Option<String>,
) -> Result<Group, Problem> {
    let id = id.filter(|id| !id.is_empty());
    let id: GroupId = id
        .ok_or_else(Problem::missing_fields)?
        .parse()
        .map_err(|_| Problem::no_customers())?;
    if !caller.may_reach(&id) {
        return Err(Problem::no_customers());
    }
    call.audit(|line| line.group(&id));
    let group = registry.store.group(caller.organization, &id).await?;
    group.ok_or_else(Problem::no_customers)
}
