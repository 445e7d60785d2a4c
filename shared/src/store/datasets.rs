//! Datasets as an organisation has them.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    GroupId, Store, StoreError,
    jobs::{IMPORTS, Job, JobState},
    layout::{self, FIELDS, Item, PK, UPDATED_AT, VALUE, VERSION},
    retry::Backoff,
};
use crate::{
    dataset::{
        Dataset,
        workspace::{ChangeProblem, Definition, WORKSPACE, changes_of_stored_values},
    },
    identity::OrganizationId,
};

/// Jobs that are read at once.
const JOBS_AT_ONCE: i32 = 100;

/// The fields of a workspace as they are stored.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceFields {
    /// How often they were written; 0 when there are none.
    pub version: u64,
    /// The fields.
    pub definition: Definition,
}

/// What became of a new definition.
#[derive(Debug)]
pub enum FieldsChange {
    /// It is what is stored, as this version.
    Unchanged(u64),
    /// It was written, as this version.
    Written(u64),
    /// Another version is stored than the one that it was to replace.
    Stale(u64),
    /// It contradicts records that there are, or that are on their way.
    Refused(Vec<ChangeProblem>, InUse),
}

/// What keeps a workspace's fields from changing freely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InUse {
    /// It has this many customers.
    Customers(u64),
    /// This import of customers has not ended.
    Import(Uuid),
}

impl Store {
    /// A dataset by its name: a built-in one, or one that the organisation has defined.
    pub async fn dataset(
        &self,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Option<Arc<Dataset>>, StoreError> {
        if name != WORKSPACE {
            return Ok(Dataset::builtin(name));
        }
        let fields = self.workspace_fields(organization).await?;
        if fields.definition.is_empty() {
            return Ok(None);
        }
        let dataset = fields.definition.to_dataset();
        let dataset = dataset.map_err(|_| StoreError::corrupt("fields", FIELDS))?;
        Ok(Some(Arc::new(dataset)))
    }

    /// The fields of an organisation's workspace.
    pub async fn workspace_fields(
        &self,
        organization: OrganizationId,
    ) -> Result<WorkspaceFields, StoreError> {
        let item = self.get(&layout::workspace_fields(organization)).await?;
        item.map_or_else(|| Ok(WorkspaceFields::default()), |item| read(&item))
    }

    /// Replaces the fields of an organisation's workspace, if the stored version is the given one
    /// or none is given, and if no record contradicts the new ones. The same fields again write
    /// nothing.
    pub async fn replace_workspace_fields(
        &self,
        organization: OrganizationId,
        new: &Definition,
        expected: Option<u64>,
    ) -> Result<FieldsChange, StoreError> {
        let mut backoff = Backoff::new("changing the fields of a workspace");
        loop {
            let stored = self.workspace_fields(organization).await?;
            if stored.definition == *new {
                return Ok(FieldsChange::Unchanged(stored.version));
            }
            if expected.is_some_and(|version| version != stored.version) {
                return Ok(FieldsChange::Stale(stored.version));
            }
            let mut actions = vec![self.put_fields(organization, new, stored.version)?];
            let problems = changes_of_stored_values(&stored.definition, new);
            if !problems.is_empty() {
                // Registering an import moves this number on, so that one that comes while its
                // predecessors are looked through makes the transaction fail.
                let last_import = self.last_number(organization, IMPORTS).await?;
                if let Some(in_use) = self.workspace_use(organization).await? {
                    return Ok(FieldsChange::Refused(problems, in_use));
                }
                actions.push(self.check_last_import(organization, last_import)?);
            }
            if self.transact(actions).await?.is_done() {
                return Ok(FieldsChange::Written(stored.version + 1));
            }
            backoff.wait().await?;
        }
    }

    fn put_fields(
        &self,
        organization: OrganizationId,
        definition: &Definition,
        replaced: u64,
    ) -> Result<TransactWriteItem, StoreError> {
        let invalid = |_| StoreError::corrupt("request", FIELDS);
        let number = |number: u64| AttributeValue::N(number.to_string());
        let json = serde_json::to_string(definition).map_err(|_| invalid(()))?;
        let now = Timestamp::now().as_millisecond().to_string();
        let mut item = layout::workspace_fields(organization).to_item();
        item.insert(FIELDS.to_owned(), AttributeValue::S(json));
        item.insert(VERSION.to_owned(), number(replaced + 1));
        item.insert(UPDATED_AT.to_owned(), AttributeValue::N(now));
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = match replaced {
            0 => put
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", PK),
            replaced => put
                .condition_expression("#version = :replaced")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":replaced", number(replaced)),
        };
        let put = put.build().map_err(|_| invalid(()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A transaction's action that lets it fail if an import was registered meanwhile.
    pub(super) fn check_last_import(
        &self,
        organization: OrganizationId,
        last: Option<u64>,
    ) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(layout::integer(organization, IMPORTS).to_item()))
            .expression_attribute_names("#value", VALUE);
        let check = match last {
            Some(last) => check
                .condition_expression("#value = :last")
                .expression_attribute_values(":last", AttributeValue::N(last.to_string())),
            None => check.condition_expression("attribute_not_exists(#value)"),
        };
        let check = check
            .build()
            .map_err(|_| StoreError::corrupt("request", VALUE))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    async fn workspace_use(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<InUse>, StoreError> {
        let group = GroupId::of_workspace();
        // To have nothing to do with ninety days of jobs in the usual case.
        let customers = self.member_count(organization, &group).await?;
        if customers > 0 {
            return Ok(Some(InUse::Customers(customers)));
        }
        // Imports before customers: one that ends meanwhile has left its customers.
        let mut before = None;
        loop {
            let jobs = self.jobs(organization, JOBS_AT_ONCE, before).await?;
            let Some(last) = jobs.last() else {
                break;
            };
            before = Some(last.import_id);
            let now = Timestamp::now();
            if let Some(job) = jobs
                .iter()
                .find(|job| job.dataset == WORKSPACE && may_write(job, now))
            {
                return Ok(Some(InUse::Import(job.id)));
            }
        }
        let customers = self.member_count(organization, &group).await?;
        Ok((customers > 0).then_some(InUse::Customers(customers)))
    }
}

/// Whether an import is queued or under way. The file of an upload that was announced and never came
/// keeps nobody waiting; should it still come, it finds things as they are then.
pub(super) fn may_write(job: &Job, now: Timestamp) -> bool {
    let never_came =
        job.state == JobState::Queued && job.upload_until.is_some_and(|until| until < now);
    job.operation.has_file() && !job.state.is_ended() && !never_came
}

fn read(item: &Item) -> Result<WorkspaceFields, StoreError> {
    let version = item
        .get(VERSION)
        .and_then(|value| value.as_n().ok()?.parse().ok());
    let definition = item
        .get(FIELDS)
        .and_then(|value| serde_json::from_str(value.as_s().ok()?).ok());
    Ok(WorkspaceFields {
        version: version.ok_or(StoreError::corrupt("fields", VERSION))?,
        definition: definition.ok_or(StoreError::corrupt("fields", FIELDS))?,
    })
}
