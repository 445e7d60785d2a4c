//! The template's permissions: every function has a role of its own, and nothing is allowed by a
//! wildcard.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::template::{Resource, list, names_in, resources, resources_of};

/// A statement, with what it stands in.
struct Statement {
    place: String,
    policy_of: String,
    whole: Value,
}

/// All statements of the template, those in an `!If` too.
fn statements() -> Vec<Statement> {
    let mut found = Vec::new();
    for resource in resources() {
        collect(&resource, &resource.whole, &mut found);
    }
    assert!(found.len() > 20, "{} statements", found.len());
    found
}

fn collect(resource: &Resource, value: &Value, found: &mut Vec<Statement>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(resource, item, found)),
        Value::Object(members) if members.contains_key("Effect") => found.push(Statement {
            place: format!(
                "{} {}",
                resource.name,
                members.get("Sid").unwrap_or(&Value::Null)
            ),
            policy_of: resource.of_type.clone(),
            whole: value.clone(),
        }),
        Value::Object(members) => {
            for (name, value) in members {
                assert!(
                    name != "Statement" || !list(value).is_empty(),
                    "{}: no statements",
                    resource.name
                );
                collect(resource, value, found);
            }
        }
        _ => {}
    }
}

/// The texts that a value may come to: its strings, and those of its functions.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => vec![],
    }
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[test]
fn no_statement_allows_by_a_wildcard() {
    for statement in statements() {
        let Statement {
            place,
            policy_of,
            whole,
        } = &statement;
        for turned_round in ["NotAction", "NotResource", "NotPrincipal"] {
            assert!(whole.get(turned_round).is_none(), "{place}: {turned_round}");
        }
        if whole["Effect"] == "Deny" {
            continue;
        }
        for action in list(&whole["Action"]) {
            let action = action.as_str().unwrap();
            assert!(!has_wildcard(action), "{place} allows {action}");
            assert_eq!(action.split(':').count(), 2, "{place}: {action}");
        }
        assert_ne!(whole["Principal"], "*", "{place} is for anyone");
        for resource in list(&whole["Resource"]).into_iter().flat_map(texts) {
            // In a key's own policy it means that key (AWS KMS developer guide, key policies),
            // whose ARN is not known before there is one.
            if policy_of == "AWS::KMS::Key" {
                assert_eq!(resource, "*", "{place}");
                continue;
            }
            // Objects below a folder of the bucket: the folder is named.
            let named = match resource.strip_suffix("/*") {
                Some(folder) if resource.contains(":s3:::") => {
                    assert_eq!(folder.matches('/').count(), 1, "{place}: {resource}");
                    folder
                }
                _ => resource,
            };
            assert!(!has_wildcard(named), "{place} reaches {resource}");
        }
    }
}

#[test]
fn every_function_has_a_role_of_its_own_that_only_lambda_takes() {
    let functions = resources_of("AWS::Serverless::Function");
    let mut taken = BTreeSet::new();
    for function in &functions {
        // SAM would make a role of its own from these, with policies that are not in sight here.
        assert!(function.property("Policies").is_null(), "{}", function.name);
        let roles = names_in(function.property("Role"));
        assert_eq!(roles.len(), 1, "{}", function.name);
        taken.extend(roles);
    }
    assert_eq!(taken.len(), functions.len(), "functions share a role");
    let roles = resources_of("AWS::IAM::Role");
    assert_eq!(taken, roles.iter().map(|role| role.name.clone()).collect());
    for role in &roles {
        assert!(
            role.property("ManagedPolicyArns").is_null(),
            "{}",
            role.name
        );
        let trust = &role.property("AssumeRolePolicyDocument")["Statement"];
        let lambda = json!([{
            "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
        }]);
        assert_eq!(trust, &lambda, "{}", role.name);
    }
}

/// Which kinds of things each function reaches at all.
#[test]
fn a_role_names_only_what_its_function_works_with() {
    let table: [(&str, &[&str]); 6] = [
        ("ApiRole", &["dynamodb", "kms", "logs", "s3"]),
        ("PagesRole", &["dynamodb", "kms", "logs"]),
        ("DocsRole", &["logs"]),
        ("VerifyRole", &["dynamodb", "kms", "logs", "s3"]),
        ("ImportRole", &["dynamodb", "kms", "logs", "s3", "sqs"]),
        ("EventsRole", &["dynamodb", "kms", "logs", "sqs"]),
    ];
    for (role, expected) in table {
        let statements = statements().into_iter();
        let own = statements.filter(|s| s.place.split(' ').next() == Some(role));
        let mut services = BTreeSet::new();
        for statement in own {
            for action in list(&statement.whole["Action"]) {
                services.insert(
                    action
                        .as_str()
                        .unwrap()
                        .split(':')
                        .next()
                        .unwrap()
                        .to_owned(),
                );
            }
        }
        services.remove("sts");
        assert_eq!(Vec::from_iter(services), expected, "{role}");
    }
}
