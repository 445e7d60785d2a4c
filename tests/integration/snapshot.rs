//! All that a run leaves behind, in a form in which two runs compare.
//!
//! What differs between equal runs is left out or named otherwise: nonces and keyed digests
//! (unknown columns are decrypted instead), times, random ids; an import is named by its
//! file's key, and an organization's id is cut off.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use aws_sdk_dynamodb::types::AttributeValue;
use clientele::{Registry, aws::AwsClients, identity::OrganizationId, store::layout::Item};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

/// What is stored for one organization: where it is, and what it says.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Snapshot(pub(crate) BTreeMap<String, Value>);

/// A record's attributes that differ between equal runs.
const VARYING: [&str; 7] = [
    "pk",
    "sk",
    "custom",
    "digest",
    "value_digests",
    "created_at",
    "updated_at",
];
/// What of a job is the same in equal runs.
const OF_A_JOB: [&str; 20] = [
    "state",
    "dataset",
    "data_origin",
    "group",
    "mode",
    "size",
    "sha256",
    "format",
    "encoding",
    "columns",
    "rows_total",
    "rows_read",
    "created",
    "updated",
    "unchanged",
    "superseded",
    "duplicates",
    "rejected",
    "error",
    "errors_kept",
];
/// A difference is shown by so many lines at most.
const SHOWN: usize = 12;

impl Snapshot {
    /// Organization 1's.
    pub(crate) async fn of_first(registry: &Registry, clients: &AwsClients) -> Self {
        let mut all = Self::of_all(registry, clients).await;
        all.remove(&1).unwrap_or_default()
    }

    /// Every organization's, from one scan.
    pub(crate) async fn of_all(registry: &Registry, clients: &AwsClients) -> BTreeMap<u64, Self> {
        let mut items: BTreeMap<u64, Vec<Item>> = BTreeMap::new();
        let scan = clients.dynamodb.scan().table_name(&registry.config.table);
        let mut pages = scan.consistent_read(true).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item = item.unwrap();
            items.entry(organization_of(&item)).or_default().push(item);
        }
        let objects = objects(registry, clients).await;
        let mut snapshots = BTreeMap::new();
        for (organization, items) in items {
            let mut snapshot = Self::read(registry, organization, &items).await;
            let jobs = jobs_of(&items);
            for key in &objects {
                if let Some(mut place) = place_of_object(key, organization) {
                    for (id, file) in &jobs {
                        place = place.replace(id, file);
                    }
                    snapshot.add(format!("object {place}"), json!(1));
                }
            }
            snapshots.insert(organization, snapshot);
        }
        snapshots
    }

    async fn read(registry: &Registry, organization: u64, items: &[Item]) -> Self {
        let imports: BTreeMap<String, String> = items
            .iter()
            .filter(|item| text(item, "sk") == "JOB")
            .map(|item| (text(item, "import_id"), without_id(&text(item, "key"))))
            .collect();
        let keys = registry
            .keys
            .existing(OrganizationId::new(organization).unwrap());
        let keys = keys.await.ok();
        let mut snapshot = Self::default();
        for item in items {
            let (pk, sk) = (text(item, "pk"), text(item, "sk"));
            match pk.split_once('#') {
                None => {
                    let custom = item.get("custom").map(|sealed| {
                        let uid = match sk.strip_prefix("METER#") {
                            Some(device) => format!("{pk}-{device}"),
                            None => pk.clone(),
                        };
                        let sealed = sealed.as_b().unwrap().as_ref();
                        keys.as_ref().unwrap().open_custom(&uid, sealed).unwrap()
                    });
                    let mut record = record(item, &imports);
                    record.insert("custom".to_owned(), json!(custom));
                    let uid = local(&pk, organization);
                    let device = sk.strip_prefix("METER#").unwrap_or_default();
                    let device = local(device, organization);
                    snapshot.add(format!("record {uid} {device}"), Value::Object(record));
                }
                Some(("GROUP", rest)) => {
                    let (group, _) = rest.rsplit_once('#').unwrap();
                    let (_, group) = group.split_once('#').unwrap();
                    let (_, mut uid) = sk.split_once('#').unwrap();
                    let mut device = String::new();
                    if let (Some(customer), Some(of)) = (item.get("c"), item.get("d")) {
                        uid = customer.as_s().unwrap();
                        device = local(of.as_s().unwrap(), organization);
                    }
                    let uid = local(uid, organization);
                    snapshot.add(format!("member {group} {uid} {device}"), json!(1));
                }
                Some(("COUNT", rest)) => {
                    let (_, group) = rest.split_once('#').unwrap();
                    // One that only says that somebody was erased counts nobody.
                    let members = item.get("members").map_or("0", |n| n.as_n().unwrap());
                    snapshot.count(format!("count {group}"), members.parse().unwrap());
                }
                Some(("JOB", _)) if sk == "JOB" && text(item, "key").is_empty() => {
                    let operation = text(item, "operation");
                    snapshot.count(format!("jobs of {operation} without a file"), 1);
                }
                Some(("JOB", _)) if sk == "JOB" => {
                    let job = job(item);
                    snapshot.add(format!("job {}", without_id(&text(item, "key"))), job);
                }
                Some(("JOB", _)) => {
                    // Batches are cut elsewhere after a restart, so each error stands alone.
                    let job = items
                        .iter()
                        .find(|job| text(job, "pk") == pk && text(job, "sk") == "JOB");
                    let key = without_id(&text(job.unwrap(), "key"));
                    if let Some(AttributeValue::L(errors)) = item.get("errors") {
                        for error in errors {
                            snapshot.count(format!("error {key} {}", plain(error)), 1);
                        }
                    }
                }
                Some(("JOBS", _)) => {
                    snapshot.count("entries in the list of jobs".to_owned(), 1);
                }
                // How often somebody asked, and what was answered.
                Some(("RATE" | "REPLY", _)) => {}
                Some(("FENCE", _)) => snapshot.count("fence".to_owned(), 1),
                Some(("TOKEN", _)) => snapshot.count("tokens of sources".to_owned(), 1),
                Some(_) if sk.starts_with("KEY#") || sk.starts_with("INTEGER#") => {}
                Some((_, _)) => snapshot.add(format!("organization's {sk}"), json!(1)),
            }
        }
        snapshot
    }

    /// A thing that must be there once.
    fn add(&mut self, place: String, value: Value) {
        let twice = self.0.insert(place.clone(), value);
        assert!(twice.is_none(), "{place} is there twice");
    }

    fn count(&mut self, place: String, more: u64) {
        let count = self.0.entry(place).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap() + more);
    }

    /// Where two snapshots differ, a line each; empty when they do not.
    pub(crate) fn difference(&self, expected: &Self) -> String {
        let mut lines = String::new();
        let places: BTreeSet<_> = self.0.keys().chain(expected.0.keys()).collect();
        let differing: Vec<_> = places
            .into_iter()
            .filter(|place| self.0.get(*place) != expected.0.get(*place))
            .collect();
        for place in differing.iter().take(SHOWN) {
            writeln!(lines, "{place}").unwrap();
            for (name, is, should) in fields(self.0.get(*place), expected.0.get(*place)) {
                writeln!(lines, "  {name} is {is}, should be {should}").unwrap();
            }
        }
        if let Some(more) = differing.len().checked_sub(SHOWN + 1) {
            writeln!(lines, "and {} more", more + 1).unwrap();
        }
        lines
    }

    /// Only the things of some kinds: `record`, `member`, `count`, `job`, `error`, `object`.
    pub(crate) fn only(mut self, kinds: &[&str]) -> Self {
        self.0
            .retain(|place, _| kinds.iter().any(|kind| place.starts_with(kind)));
        self
    }

    #[track_caller]
    pub(crate) fn assert_equals(&self, expected: &Self, what: &str) {
        let difference = self.difference(expected);
        assert!(difference.is_empty(), "{what}:\n{difference}");
    }
}

/// The fields in which two things differ; all at once where one of them is missing.
fn fields(is: Option<&Value>, should: Option<&Value>) -> Vec<(String, Value, Value)> {
    let (Some(Value::Object(is)), Some(Value::Object(should))) = (is, should) else {
        let or_nothing = |value: Option<&Value>| value.cloned().unwrap_or_default();
        return vec![("it".to_owned(), or_nothing(is), or_nothing(should))];
    };
    let names: BTreeSet<_> = is.keys().chain(should.keys()).collect();
    let differs = |name: &&&String| is.get(**name) != should.get(**name);
    let value = |of: &Map<String, Value>, name: &String| of.get(name).cloned().unwrap_or_default();
    let differing = names.iter().filter(differs);
    differing
        .map(|name| ((*name).clone(), value(is, name), value(should, name)))
        .collect()
}

fn record(item: &Item, imports: &BTreeMap<String, String>) -> Map<String, Value> {
    let attributes = item
        .iter()
        .filter(|(name, _)| !VARYING.contains(&name.as_str()));
    let shown = |(name, value): (&String, &AttributeValue)| {
        let value = match name.as_str() {
            "import_id" | "last_import_id" => json!(imports.get(value.as_n().unwrap())),
            _ => plain(value),
        };
        (name.clone(), value)
    };
    attributes.map(shown).collect()
}

fn job(item: &Item) -> Value {
    let shown = |name: &&str| (name.to_string(), item.get(*name).map_or(Value::Null, plain));
    Value::Object(OF_A_JOB.iter().map(shown).collect())
}

async fn objects(registry: &Registry, clients: &AwsClients) -> Vec<String> {
    let list = clients.s3.list_objects_v2().bucket(&registry.config.bucket);
    let mut pages = list.into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        keys.extend(
            page.contents()
                .iter()
                .map(|object| object.key().unwrap().to_owned()),
        );
    }
    keys
}

/// The jobs' ids, and their files' keys.
fn jobs_of(items: &[Item]) -> Vec<(String, String)> {
    items
        .iter()
        .filter(|item| text(item, "sk") == "JOB")
        .map(|item| (text(item, "id"), without_id(&text(item, "key"))))
        .collect()
}

/// An object's place, if it is the organization's; a part is everybody's.
fn place_of_object(key: &str, organization: u64) -> Option<String> {
    let (kind, rest) = key.split_once('/')?;
    if kind == "parts" {
        return Some(key.to_owned());
    }
    let is_failed = kind == "failed";
    let rest = match is_failed {
        true => rest.strip_prefix("inbox/")?,
        false => rest,
    };
    let rest = rest.strip_prefix(&format!("{organization}/"))?;
    let (folders, name) = rest.rsplit_once('/')?;
    // Files that were put aside begin with a part of the job's id.
    let name = name.get(9..).filter(|_| is_failed).unwrap_or(name);
    Some(format!("{kind} {folders}/{name}"))
}

/// A file's key without the organization.
fn without_id(key: &str) -> String {
    let mut parts = key.splitn(3, '/');
    let (kind, rest) = (parts.next(), parts.nth(1));
    format!("{}/{}", kind.unwrap_or_default(), rest.unwrap_or_default())
}

/// A uid without the organization.
fn local(uid: &str, organization: u64) -> String {
    let prefix = format!("{organization}-");
    uid.strip_prefix(&prefix).unwrap_or(uid).to_owned()
}

fn organization_of(item: &Item) -> u64 {
    let pk = text(item, "pk");
    // What a token is found by says nothing of whose it is.
    if pk.starts_with("TOKEN#") {
        return text(item, "organization").parse().unwrap();
    }
    let id = match pk.split_once('#') {
        Some((_, rest)) => rest.split('#').next(),
        None => pk.split('-').next(),
    };
    id.unwrap().parse().unwrap()
}

fn text(item: &Item, name: &str) -> String {
    match &item[name] {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => json!(text),
        AttributeValue::Bool(value) => json!(value),
        AttributeValue::B(bytes) => json!(HEXLOWER.encode(bytes.as_ref())),
        AttributeValue::M(map) => {
            let map: BTreeMap<_, _> = map.iter().map(|(k, v)| (k, plain(v))).collect();
            json!(map)
        }
        AttributeValue::L(list) => list.iter().map(plain).collect(),
        AttributeValue::Ss(set) => {
            let mut set = set.clone();
            set.sort();
            json!(set)
        }
        _ => Value::Null,
    }
}
