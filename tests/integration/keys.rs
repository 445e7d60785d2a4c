//! Versions of an organization's key: rotation, and who has older ones cached.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use clientele::{
    Registry,
    identity::OrganizationId,
    protection::{KeyError, KeyState, Rotation},
    store::layout::Item,
};
use clientele_import::ImportError;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};

use crate::stack::{Stack, context};

/// A column that the dataset does not know.
pub(crate) const NOTES: &str = "notes";

/// A customers file with a column that the dataset does not know, and a row that is refused.
pub(crate) fn with_notes(rows: std::ops::Range<usize>, notes: &str, profession: &str) -> String {
    let rows: Vec<_> = rows
        .map(|n| format!("c{n},{notes} {n},{profession},1990"))
        .collect();
    let header = format!("external_id,{NOTES},profession,birth_year");
    format!("{header}\n{}\nrefused,x,x,never\n", rows.join("\n"))
}

impl Stack {
    pub(crate) async fn rotate(&self, organization: OrganizationId) -> u32 {
        match self
            .registry
            .keys
            .rotate(organization, uuid::Uuid::new_v4())
            .await
            .unwrap()
        {
            Rotation::Made(made) => made.version,
            Rotation::Overtaken(_) | Rotation::TooMany(_) => panic!("not made"),
        }
    }

    /// The versions of the key under which an organization's values and objects are.
    pub(crate) async fn versions_in_use(&self, organization: OrganizationId) -> BTreeSet<u32> {
        let version = |sealed: &[u8]| u32::from_be_bytes(sealed[1..5].try_into().unwrap());
        let of_records = self.records(organization).await;
        let mut versions: BTreeSet<u32> = of_records
            .iter()
            .flat_map(encrypted)
            .map(|sealed| version(sealed.as_b().unwrap().as_ref()))
            .collect();
        let folder = format!("rejected/{organization}/");
        for listed in self.registry.bucket.list(&folder).await.unwrap() {
            let sealed = self.registry.bucket.read(&listed.key).await.unwrap();
            versions.insert(version(&sealed.unwrap()));
        }
        versions
    }

    pub(crate) async fn records(&self, organization: OrganizationId) -> Vec<Item> {
        let prefix = format!("{organization}-");
        let mut items = self.items().await;
        items.retain(|item| item["pk"].as_s().unwrap().starts_with(&prefix));
        items.sort_by_key(|item| item["pk"].as_s().unwrap().clone());
        items
    }

    /// Lets the rotation to a version be so long ago that nobody has the keys before it cached.
    pub(crate) async fn let_rotation_age(&self, organization: OrganizationId, version: u32) {
        let text = |text: String| AttributeValue::S(text);
        let made = Timestamp::now() - SignedDuration::from_hours(25);
        let update = self.local.clients.dynamodb.update_item();
        update
            .table_name(&self.registry.config.table)
            .key("pk", text(format!("ORG#{organization}")))
            .key("sk", text(format!("KEY#encryption#{version:010}")))
            .update_expression("SET created_at = :made")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(
                ":made",
                AttributeValue::N(made.as_millisecond().to_string()),
            )
            .send()
            .await
            .unwrap();
    }

    pub(crate) async fn states(&self, organization: OrganizationId) -> Vec<(u32, KeyState)> {
        let versions = self.registry.keys.versions(organization).await.unwrap();
        versions.iter().map(|v| (v.version, v.state)).collect()
    }

    /// Another registry, with a cache of its own.
    fn another(&self) -> Registry {
        let config = self.registry.config.clone();
        Registry::new(config, self.local.clients.clone()).unwrap()
    }
}

/// A record's encrypted values.
fn encrypted(item: &Item) -> Vec<&AttributeValue> {
    let Some(AttributeValue::M(digests)) = item.get("value_digests") else {
        return Vec::new();
    };
    let profile = item["profile"].as_m().unwrap();
    let value = |name: &String| profile.get(name).or_else(|| item.get(name)).unwrap();
    digests.keys().map(value).collect()
}

async fn import_with(registry: &Registry, event: &Value) -> Result<(), ImportError> {
    let event = serde_json::from_value(event.clone()).unwrap();
    let context = context("stale", Duration::from_secs(900));
    clientele_import::handle(registry, LambdaEvent::new(event, context)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_before_and_after_a_rotation_open() {
    let stack = Stack::start().await;
    let organization = Stack::organization();
    assert_eq!(
        stack.get("/v1/organization/keys").await.body,
        json!({"keys": []})
    );
    stack
        .import("customers", with_notes(0..3, "before", "farmer"))
        .await;
    // Its keys are cached from here on, so that it meets a version that it does not know.
    assert_eq!(
        stack.record("customers", "c1").await["custom"][NOTES],
        "before 1"
    );
    let rotated = stack
        .registry
        .keys
        .rotate(organization, uuid::Uuid::new_v4())
        .await
        .map(|rotation| matches!(rotation, Rotation::Made(made) if made.version == 2));
    assert!(rotated.unwrap());
    stack
        .import("customers", with_notes(3..6, "after", "farmer"))
        .await;
    assert_eq!(
        stack.versions_in_use(organization).await,
        BTreeSet::from([1, 2])
    );
    for (id, notes) in [("c1", "before 1"), ("c4", "after 4")] {
        assert_eq!(stack.record("customers", id).await["custom"][NOTES], notes);
    }
    let keys = stack.get("/v1/organization/keys").await;
    assert_eq!(keys.headers["cache-control"], "no-store");
    let shown: Vec<_> = keys.body["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| (key["version"].as_u64(), key["state"].as_str().unwrap()))
        .collect();
    assert_eq!(shown, [(Some(2), "active"), (Some(1), "decrypting")]);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_with_cached_keys_reads_them_again_when_it_is_retried() {
    let stack = Stack::start().await;
    stack
        .import("customers", with_notes(0..3, "before", "farmer"))
        .await;
    let stale = stack.another();
    stale.keys.existing(Stack::organization()).await.unwrap();
    stack.rotate(Stack::organization()).await;
    stack
        .import("customers", with_notes(0..3, "after", "farmer"))
        .await;
    let key = "inbox/1/generic/customers/more.csv";
    let event = stack.put(key, "external_id,more\nc1,x\n").await;
    assert!(import_with(&stale, &event).await.is_err());
    import_with(&stale, &event).await.unwrap();
    let custom = stack.record("customers", "c1").await["custom"].clone();
    assert_eq!(custom, json!({NOTES: "after 1", "more": "x"}));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_repeated_makes_one_version() {
    let stack = Stack::start().await;
    stack
        .import("customers", with_notes(0..3, "n", "farmer"))
        .await;
    let rotation = uuid::Uuid::new_v4();
    for _ in 0..2 {
        let rotated = stack
            .registry
            .keys
            .rotate(Stack::organization(), rotation)
            .await
            .unwrap();
        assert!(matches!(rotated, Rotation::Made(made) if made.version == 2));
    }
    let next = uuid::Uuid::new_v4();
    let rotated = stack.registry.keys.rotate(Stack::organization(), next);
    assert!(matches!(rotated.await.unwrap(), Rotation::Made(made) if made.version == 3));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rotations_at_the_same_time_lose_no_version() {
    let stack = Stack::start().await;
    let organization = Stack::organization();
    stack
        .import("customers", with_notes(0..3, "n", "farmer"))
        .await;
    let others: Vec<_> = (0..8).map(|_| stack.another()).collect();
    let rotations = others
        .iter()
        .map(|other| other.keys.rotate(organization, uuid::Uuid::new_v4()));
    let rotations = futures::future::try_join_all(rotations).await.unwrap();
    let made: BTreeSet<u32> = rotations
        .iter()
        .filter_map(|rotation| match rotation {
            Rotation::Made(made) => Some(made.version),
            Rotation::Overtaken(_) => None,
            Rotation::TooMany(_) => panic!("too many"),
        })
        .collect();
    assert!(!made.is_empty());
    let states = stack.states(organization).await;
    let stored: BTreeSet<u32> = states.iter().map(|(version, _)| *version).collect();
    // Every version but the first is some rotation's, and no two have one in common.
    assert_eq!(stored, made.into_iter().chain([1]).collect());
    // No end of versions, since each costs a call to unwrap.
    while let Rotation::Made(_) = stack
        .registry
        .keys
        .rotate(organization, uuid::Uuid::new_v4())
        .await
        .unwrap()
    {}
    assert_eq!(stack.states(organization).await.len(), 16);
    let answer = stack
        .post("/v1/organization/keys/rotate", &Value::Null)
        .await;
    assert_eq!(answer.status, 409);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changes_a_record_writes_all_of_it_under_the_newest_key() {
    let stack = Stack::start().await;
    let organization = Stack::organization();
    stack
        .import("customers", "external_id,notes,profession\nc1,n,farmer\n")
        .await;
    stack.rotate(organization).await;
    stack
        .import("customers", "external_id,profession\nc1,baker\n")
        .await;
    assert_eq!(
        stack.versions_in_use(organization).await,
        BTreeSet::from([2])
    );
    assert_eq!(stack.record("customers", "c1").await["custom"][NOTES], "n");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_anothers_place_is_noticed_before_it_is_used() {
    let stack = Stack::start().await;
    let organization = Stack::organization();
    stack
        .import("customers", with_notes(0..3, "n", "farmer"))
        .await;
    stack.rotate(organization).await;
    let items = stack.items().await;
    let second = items
        .iter()
        .find(|item| item["sk"].as_s().unwrap() == "KEY#encryption#0000000002");
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let update = stack.local.clients.dynamodb.update_item();
    update
        .table_name(&stack.registry.config.table)
        .key("pk", text("ORG#1"))
        .key("sk", text("KEY#encryption#0000000001"))
        .update_expression("SET #wrapped = :other")
        .expression_attribute_names("#wrapped", "wrapped")
        .expression_attribute_values(":other", second.unwrap()["wrapped"].clone())
        .send()
        .await
        .unwrap();
    let other = stack.another();
    assert!(matches!(
        other.keys.existing(organization).await,
        Err(KeyError::Unwrap)
    ));
    assert!(matches!(
        other.keys.versions(organization).await,
        Err(KeyError::Unwrap)
    ));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_bound_to_groups_gets_no_keys() {
    let stack = Stack::start().await;
    let token = stack.token_with(|token| token.groups = Some(vec!["customers.generic".to_owned()]));
    for (method, route) in [
        (http::Method::GET, ""),
        (http::Method::POST, "/rotate"),
        (http::Method::POST, "/rewrap"),
    ] {
        let path = format!("/v1/organization/keys{route}");
        let answer = stack.send(method, &path, Some(&token), None, &[]).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    stack.stop().await;
}
