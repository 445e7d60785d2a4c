//! A role of the template, asked as AWS's access management asks it.

use serde_json::Value;

use crate::template::{list, resources_of};

/// What one call needs, and what conditions look at.
#[derive(Debug, Clone)]
pub(super) struct Need {
    /// `dynamodb:GetItem`.
    pub(super) action: String,
    /// `table`, `bucket`, or `bucket/` and an object's key; `another …` where it is not the
    /// deployment's own.
    pub(super) resource: String,
    /// The partition keys that a call to the table names.
    pub(super) leading_keys: Vec<String>,
    /// The prefix that a listing asks for.
    pub(super) prefix: String,
}

/// The statements of a role that allow something on the table or the bucket.
#[derive(Debug)]
pub(super) struct Role {
    statements: Vec<Value>,
}

impl Role {
    pub(super) fn of(name: &str) -> Self {
        let roles = resources_of("AWS::IAM::Role");
        let role = roles.iter().find(|role| role.name == name).unwrap();
        let policies = role.property("Policies").as_array().unwrap().iter();
        let statements = policies.flat_map(|policy| {
            let statements = policy["PolicyDocument"]["Statement"].as_array();
            statements.unwrap().clone()
        });
        let statements: Vec<Value> = statements.collect();
        for statement in &statements {
            // A denial would have to be weighed against what is allowed elsewhere.
            assert_eq!(statement["Effect"], "Allow", "{name}: {statement}");
        }
        Self { statements }
    }

    pub(super) fn allows(&self, need: &Need) -> bool {
        self.statements.iter().any(|statement| {
            let mut actions = list(&statement["Action"]).into_iter();
            let mut resources = list(&statement["Resource"]).into_iter();
            actions.any(|action| action == need.action.as_str())
                && resources.any(|resource| reaches(&named(resource), &need.resource))
                && meets(&statement["Condition"], need)
        })
    }

    /// Whether S3 tells it that an object is gone: with 404 who may list the bucket, whatever the
    /// prefix, and with 403 all others (Amazon S3 API reference, GetObject, permissions).
    pub(super) fn sees_absence(&self) -> bool {
        self.allows(&Need {
            action: "s3:ListBucket".to_owned(),
            resource: "bucket".to_owned(),
            leading_keys: vec![],
            prefix: String::new(),
        })
    }

    /// Every action on the table or the bucket, with what it may be done to.
    pub(super) fn actions(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for statement in &self.statements {
            for action in list(&statement["Action"]) {
                let action = action.as_str().unwrap();
                if !action.starts_with("dynamodb:") && !action.starts_with("s3:") {
                    continue;
                }
                let resources = list(&statement["Resource"]).into_iter();
                found.extend(resources.map(|resource| (action.to_owned(), named(resource))));
            }
        }
        found
    }
}

/// `table`, `bucket`, `bucket/staged/*`, or what else a statement names.
fn named(resource: &Value) -> String {
    // Of the table in use, the stack's own.
    let resource = match resource.get("Fn::If") {
        Some(choice) => &choice[2],
        None => resource,
    };
    match (resource.get("Fn::GetAtt"), resource.get("Fn::Sub")) {
        (Some(attribute), _) if attribute == "Table.Arn" => "table".to_owned(),
        (_, Some(text)) => {
            let (_, object) = text.as_str().unwrap().split_once(":s3:::").unwrap();
            object.replace("${BucketName}", "bucket")
        }
        _ => resource.to_string(),
    }
}

pub(super) fn reaches(pattern: &str, resource: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(before) => resource.starts_with(before),
        None => resource == pattern,
    }
}

/// The conditions that the template has on the table and the bucket; a new kind has to be
/// understood here first.
fn meets(condition: &Value, need: &Need) -> bool {
    let Some(operators) = condition.as_object() else {
        return true;
    };
    operators.iter().all(|(operator, keys)| {
        let mut keys = keys.as_object().unwrap().iter();
        keys.all(|(key, expected)| {
            let patterns: Vec<_> = list(expected)
                .into_iter()
                .filter_map(Value::as_str)
                .collect();
            let is_like = |value: &str| patterns.iter().any(|pattern| reaches(pattern, value));
            match (operator.as_str(), key.as_str()) {
                ("StringLike", "s3:prefix") => is_like(&need.prefix),
                ("ForAllValues:StringLike", "dynamodb:LeadingKeys") => {
                    need.leading_keys.iter().all(|key| is_like(key))
                }
                ("Null", "dynamodb:LeadingKeys") => {
                    need.leading_keys.is_empty() == (expected == "true")
                }
                _ => panic!("a condition on {key} by {operator}"),
            }
        })
    })
}
