//! The template, read as CloudFormation reads it, and what must be true of its parts.

use std::{collections::BTreeSet, path::Path};

use clientele::web::ENDPOINTS;
use http::Method;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// A resource of the template.
pub(crate) struct Resource {
    pub(crate) name: String,
    pub(crate) of_type: String,
    pub(crate) whole: Value,
}

impl Resource {
    pub(crate) fn property(&self, name: &str) -> &Value {
        &self.whole["Properties"][name]
    }
}

/// The template as JSON; `!Ref X` is `{"Ref": "X"}`, other tags are `{"Fn::…": …}`.
pub(crate) fn template() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    let [document] = &documents[..] else {
        panic!("a template is one document");
    };
    json_of(document)
}

fn json_of(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(json_of).collect(),
        Yaml::Mapping(members) => {
            let members = members.iter().map(|(name, value)| {
                let name = name.as_str().expect("names are text");
                (name.to_owned(), json_of(value))
            });
            Value::Object(members.collect())
        }
        Yaml::Tagged(tag, node) => {
            let name = match tag.suffix.as_str() {
                "Ref" | "Condition" => tag.suffix.clone(),
                function => format!("Fn::{function}"),
            };
            Value::Object(Map::from_iter([(name, json_of(node))]))
        }
        other => panic!("the template has {other:?}"),
    }
}

pub(crate) fn resources() -> Vec<Resource> {
    let template = template();
    let resources = template["Resources"].as_object().unwrap().iter();
    let resources = resources.map(|(name, whole)| Resource {
        name: name.clone(),
        of_type: whole["Type"].as_str().unwrap().to_owned(),
        whole: whole.clone(),
    });
    resources.collect()
}

pub(crate) fn resources_of(of_type: &str) -> Vec<Resource> {
    let mut resources = resources();
    resources.retain(|resource| resource.of_type == of_type);
    assert!(!resources.is_empty(), "the template has no {of_type}");
    resources
}

/// What may be written as one value or as a list of them.
pub(crate) fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => vec![],
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

/// Every resource that a value names, by `Ref`, `GetAtt` or within a `Sub`.
pub(crate) fn names_in(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect_names(value, &mut names);
    names
}

fn collect_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Value::Object(members) => {
            for (name, value) in members {
                let text = value.as_str();
                let text = text.or_else(|| value.get(0)?.as_str());
                match (name.as_str(), text) {
                    ("Ref", Some(name)) => drop(names.insert(name.to_owned())),
                    ("Fn::GetAtt", Some(name)) => {
                        names.insert(name.split('.').next().unwrap().to_owned());
                    }
                    ("Fn::Sub", Some(text)) => names.extend(variables(text)),
                    _ => {}
                }
                collect_names(value, names);
            }
        }
        _ => {}
    }
}

/// The resources and parameters in the `${…}` of a text.
fn variables(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split("${").skip(1);
    let names = parts.filter_map(|part| part.split_once('}'));
    names.map(|(name, _)| name.split('.').next().unwrap().to_owned())
}

/// A route of the HTTP API.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) function: String,
    pub(crate) method: String,
    pub(crate) path: String,
}

/// The routes, but for the one that takes whatever no other takes.
pub(crate) fn routes() -> Vec<Route> {
    let mut routes = Vec::new();
    for function in resources_of("AWS::Serverless::Function") {
        let Some(events) = function.property("Events").as_object() else {
            continue;
        };
        for event in events.values().filter(|event| event["Type"] == "HttpApi") {
            let (Some(method), Some(path)) = (
                event["Properties"]["Method"].as_str(),
                event["Properties"]["Path"].as_str(),
            ) else {
                continue;
            };
            routes.push(Route {
                function: function.name.clone(),
                method: method.to_owned(),
                path: path.to_owned(),
            });
        }
    }
    routes
}

/// The greedy part of a template's path stands for all that follows, so only what is before it is
/// compared.
fn is_for(route: &Route, method: &Method, path: &str) -> bool {
    let greedy = route.path.strip_suffix("+}");
    let fits = match greedy.and_then(|path| path.split_once('{')) {
        Some((before, _)) => path.starts_with(before),
        None => route.path == path,
    };
    fits && method == route.method.as_str()
}

#[test]
fn the_template_has_the_routes_of_the_tables_and_no_others() {
    let (public, own): (Vec<_>, Vec<_>) = routes()
        .into_iter()
        .partition(|route| route.function == "DocsFunction");
    let public: BTreeSet<&str> = public.iter().map(|route| route.path.as_str()).collect();
    assert_eq!(public, BTreeSet::from(clientele_docs::PATHS));
    let table: Vec<_> = ENDPOINTS
        .iter()
        .flat_map(|endpoint| endpoint.paths().map(|path| (&endpoint.method, path)))
        .collect();
    for (method, path) in &table {
        let is_there = own.iter().any(|route| is_for(route, method, path));
        assert!(is_there, "{method} {path} is not in the template");
    }
    for route in own {
        let mut table = table.iter();
        let is_known = table.any(|(method, path)| is_for(&route, method, path));
        assert!(is_known, "{route:?} is in the template alone");
    }
}

#[test]
fn routes_with_a_rate_of_their_own_exist() {
    let [api] = &resources_of("AWS::Serverless::HttpApi")[..] else {
        panic!("there is one API");
    };
    let routes = routes().into_iter();
    let keys: Vec<_> = routes
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    for key in api.property("RouteSettings").as_object().unwrap().keys() {
        assert!(keys.contains(key), "{key} is no route");
    }
    for setting in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
        assert!(
            !api.property("DefaultRouteSettings")[setting].is_null(),
            "{setting}"
        );
    }
    let log = &api.property("AccessLogSettings")["Format"];
    let line: Value = serde_json::from_str(log.as_str().unwrap()).unwrap();
    assert_eq!(line["request_id"], "$context.requestId");
}

/// `sam local` passes on from env.json only what the template names.
#[test]
fn env_json_sets_what_the_functions_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../env.json");
    let env: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut named: BTreeSet<String> =
        variables_of(&template()["Globals"]["Function"]["Environment"]);
    for function in resources_of("AWS::Serverless::Function") {
        named.extend(variables_of(function.property("Environment")));
    }
    let set: BTreeSet<String> = env["Parameters"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(set, named);
}

fn variables_of(environment: &Value) -> BTreeSet<String> {
    let variables = environment["Variables"].as_object();
    variables
        .into_iter()
        .flat_map(|named| named.keys().cloned())
        .collect()
}

#[test]
fn data_is_encrypted_private_and_outlives_the_stack() {
    let [table] = &resources_of("AWS::DynamoDB::Table")[..] else {
        panic!("there is one table");
    };
    let [bucket] = &resources_of("AWS::S3::Bucket")[..] else {
        panic!("there is one bucket");
    };
    let [key] = &resources_of("AWS::KMS::Key")[..] else {
        panic!("there is one key");
    };
    let is_on = json!(true);
    assert_eq!(table.property("DeletionProtectionEnabled"), &is_on);
    assert_eq!(
        table.property("PointInTimeRecoverySpecification")["PointInTimeRecoveryEnabled"],
        is_on
    );
    assert_eq!(
        table.property("TimeToLiveSpecification"),
        &json!({"AttributeName": "expires_at", "Enabled": true})
    );
    assert_eq!(
        names_in(table.property("SSESpecification")),
        BTreeSet::from([key.name.clone()])
    );
    let blocked = bucket
        .property("PublicAccessBlockConfiguration")
        .as_object()
        .unwrap();
    assert!(blocked.len() == 4 && blocked.values().all(|value| value == &is_on));
    assert_eq!(
        names_in(bucket.property("BucketEncryption")),
        BTreeSet::from([key.name.clone()])
    );
    assert_eq!(key.property("EnableKeyRotation"), &is_on);
    for queue in resources_of("AWS::SQS::Queue") {
        assert_eq!(
            names_in(queue.property("KmsMasterKeyId")),
            BTreeSet::from([key.name.clone()])
        );
    }
    for kept in resources_of("AWS::SQS::Queue")
        .iter()
        .chain([table, bucket, key])
    {
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            let policy = kept.whole[policy].as_str().unwrap();
            assert!(policy.starts_with("Retain"), "{}: {policy}", kept.name);
        }
    }
}

/// Personal data lies in the bucket until it is imported, erasures are kept for good.
#[test]
fn every_prefix_of_the_bucket_but_the_journal_expires() {
    let [bucket] = &resources_of("AWS::S3::Bucket")[..] else {
        panic!("there is one bucket");
    };
    let rules = bucket.property("LifecycleConfiguration")["Rules"]
        .as_array()
        .unwrap();
    let expiring = rules
        .iter()
        .filter(|rule| rule.get("ExpirationInDays").is_some());
    let expiring: BTreeSet<&str> = expiring
        .map(|rule| rule["Prefix"].as_str().unwrap())
        .collect();
    let expected = [
        "failed/",
        "inbox/",
        "parts/",
        "rejected/",
        "replies/",
        "staged/",
    ];
    assert_eq!(expiring, BTreeSet::from(expected));
}

#[test]
fn bucket_and_queues_answer_over_tls_only() {
    let policies = resources().into_iter().filter(|resource| {
        ["AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"].contains(&resource.of_type.as_str())
    });
    let mut closed = BTreeSet::new();
    for policy in policies {
        let statements = policy.property("PolicyDocument")["Statement"]
            .as_array()
            .unwrap();
        let denies_plain = |statement: &&Value| {
            statement["Effect"] == "Deny"
                && statement["Principal"] == "*"
                && statement["Action"]
                    .as_str()
                    .is_some_and(|action| action.ends_with(":*"))
                && statement["Condition"] == json!({"Bool": {"aws:SecureTransport": "false"}})
        };
        let statement = statements.iter().find(denies_plain);
        let statement = statement.unwrap_or_else(|| panic!("{} lets plain HTTP in", policy.name));
        closed.extend(names_in(&statement["Resource"]));
    }
    let data = resources().into_iter().filter(|resource| {
        ["AWS::S3::Bucket", "AWS::SQS::Queue"].contains(&resource.of_type.as_str())
    });
    assert_eq!(closed, data.map(|resource| resource.name).collect());
}
