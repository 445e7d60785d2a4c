//! How organizations define the fields of their workspaces, and what records keep from changing.

use clientele::{
    Registry,
    dataset::workspace::Definition,
    store::{
        FieldsChange, InUse,
        jobs::{JobState, Mode, NewJob, Operation},
    },
};
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    network::{Fate, Network},
    stack::{Answer, Stack},
    workspace::fields,
};

const FIELDS: &str = "/v1/workspace/fields";

impl Stack {
    async fn put_fields(&self, body: &Value) -> Answer {
        let body = Some(body.to_string());
        self.send(Method::PUT, FIELDS, Some(&self.token(1)), body, &[])
            .await
    }

    pub(crate) async fn define(&self, fields: Value) {
        let answer = self.put_fields(&json!({"fields": fields})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

fn codes(answer: &Answer) -> Vec<String> {
    let errors = answer.body["errors"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let text = |error: &Value, name: &str| error[name].as_str().unwrap_or("-").to_owned();
    let shown = |error: &Value| format!("{} {}", text(error, "column"), text(error, "code"));
    errors.iter().map(shown).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_read_replaced_and_versioned() {
    let stack = Stack::start().await;
    let none = stack.get(FIELDS).await;
    assert_eq!(none.body, json!({"fields": [], "version": 0}));
    let id = json!({"name": "id", "field_type": "string", "unique_identifier": true});
    let first = stack
        .put_fields(&json!({"fields": [id], "version": 0}))
        .await;
    assert_eq!(
        (first.status.as_u16(), &first.body["version"]),
        (200, &json!(1))
    );

    // The same again, whatever version it was made from, writes nothing.
    let store = &stack.registry.store;
    let before = store.consumed();
    for expected in [None, Some(0), Some(1)] {
        let same = definition(&json!([id]));
        let organization = Stack::organization();
        let again = store
            .replace_workspace_fields(organization, &same, expected)
            .await;
        assert!(matches!(again, Ok(FieldsChange::Unchanged(1))), "{again:?}");
    }
    assert!((store.consumed() - before).write == 0.0);

    let more = json!([id, {"name": "n", "field_type": "number"}]);
    let stale = stack
        .put_fields(&json!({"fields": more, "version": 0}))
        .await;
    assert_eq!(stale.status, 409);
    let second = stack.put_fields(&json!({"fields": more})).await;
    assert_eq!(second.body["version"], 2);
    assert_eq!(stack.get(FIELDS).await.body, second.body);
    assert_eq!(second.body["fields"][1]["required"], false);

    // Another organization has its own.
    let other = stack
        .send(Method::GET, FIELDS, Some(&stack.token(2)), None, &[])
        .await;
    assert_eq!(other.body["version"], 0);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_is_refused_with_everything_that_is_wrong() {
    let stack = Stack::start().await;
    let refused = stack
        .put_fields(&json!({"fields": [
            {"name": "a", "field_type": "date"},
            {"name": "A", "field_type": "string", "pattern": "("},
            {"name": "b", "field_type": "text"},
        ]}))
        .await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        codes(&refused),
        [
            "a format_missing",
            "A name_duplicate",
            "A invalid_pattern",
            "b unknown_type",
            "- no_unique_identifier"
        ]
    );
    let one = stack.put_fields(&json!({"fields": []})).await;
    assert_eq!(
        one.body["detail"],
        "exactly one field must have unique_identifier: true"
    );
    for body in [
        json!({}),
        json!({"fields": null}),
        json!({"fields": {}}),
        json!([]),
    ] {
        assert_eq!(stack.put_fields(&body).await.status, 400, "{body}");
    }
    assert_eq!(stack.get(FIELDS).await.body["version"], 0);
    stack.stop().await;
}

/// The usual fields after a change.
fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut fields = fields();
    change(&mut fields);
    json!({"fields": fields})
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_bind_the_fields_that_they_are_stored_by() {
    let stack = Stack::start().await;
    stack
        .define(json!([{"name": "other", "field_type": "string", "unique_identifier": true}]))
        .await;
    // Without customers, everything may change.
    stack.define(fields()).await;
    let job = stack
        .import_workspace("a.csv", "customer no,full name,plan\n1,Ann,b\n")
        .await;
    assert_eq!(job.state, JobState::Completed, "{:?}", job.error);
    let refused = stack
        .put_fields(&changed(|fields| {
            fields[1]["is_pii"] = json!(false);
            fields[4]["field_format"] = json!("UGX");
            fields[5]["field_type"] = json!("string");
            fields[7]["values"] = json!(["p"]);
            fields[8]["name"] = json!("Codes");
        }))
        .await;
    assert_eq!(refused.status, 409);
    assert_eq!(
        codes(&refused),
        [
            "Full Name is_pii_changed",
            "Balance currency_changed",
            "Visits type_changed",
            "Plan values_removed",
            "Code field_removed"
        ]
    );
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("has a customer"), "{detail}");
    let allowed = stack
        .put_fields(&changed(|fields| {
            fields[3]["field_format"] = json!("yyyy/MM/dd");
            fields[3]["required"] = json!(true);
            fields[7]["values"] = json!([{"value": "b", "name": "Large"}, "p", "q"]);
            fields[8]["pattern"] = json!("[a-z]+");
            let more = json!({"name": "Shoe", "field_type": "number"});
            fields.as_array_mut().unwrap().push(more);
        }))
        .await;
    assert_eq!(allowed.status, 200, "{allowed:?}");
    // Files are read as the fields now are.
    let csv =
        "customer no,full name,joined,plan,code,shoe\n1,Ann,2021/01/31,large,ab,42\n2,Bo,,b,,\n";
    let job = stack.import_workspace("b.csv", csv).await;
    assert_eq!((job.counts.updated, job.counts.rejected), (1, 1), "{job:?}");
    stack.stop().await;
}

fn queued(mode: Mode) -> NewJob {
    NewJob {
        id: Uuid::new_v4(),
        organization: Stack::organization(),
        operation: Operation::Import,
        dataset: "workspace".to_owned(),
        data_origin: "workspace".to_owned(),
        source_id: 1,
        group: None,
        mode,
        key: "inbox/1/workspace/workspace/a.csv".to_owned(),
        filename: "a.csv".to_owned(),
        object_modified: None,
        etag: None,
        upload_until: None,
    }
}

fn definition(fields: &Value) -> Definition {
    let fields: Vec<_> = serde_json::from_str(&fields.to_string()).unwrap();
    Definition::parse(&fields).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_under_way_binds_the_fields_until_it_ends() {
    let stack = Stack::start().await;
    stack.define(fields()).await;
    let now = jiff::Timestamp::now();
    let store = &stack.registry.store;
    let removed = changed(|fields| drop(fields.as_array_mut().unwrap().pop()));
    let job = store.register_job(&queued(Mode::Write), now).await.unwrap();
    let refused = stack.put_fields(&removed).await;
    assert_eq!(refused.status, 409);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains(&format!("job {} ", job.id)), "{detail}");
    // Adding a field is possible meanwhile.
    let more = changed(|fields| {
        let more = json!({"name": "Shoe", "field_type": "number"});
        fields.as_array_mut().unwrap().push(more);
    });
    assert_eq!(stack.put_fields(&more).await.status, 200);
    store
        .cancel_job(job.organization, job.id, now)
        .await
        .unwrap();
    // An upload that was announced and whose file never came.
    let never_came = NewJob {
        upload_until: Some(now),
        ..queued(Mode::Write)
    };
    store.register_job(&never_came, now).await.unwrap();
    assert_eq!(stack.put_fields(&removed).await.status, 200);
    stack.stop().await;
}

/// Replaces the fields through a network that does something to the first write.
async fn replace_through(
    stack: &Stack,
    mut at_first_write: impl FnMut() -> Fate + Send + 'static,
) -> FieldsChange {
    let mut first = true;
    let network = Network::new(move |call| {
        if call.operation == "TransactWriteItems" && std::mem::take(&mut first) {
            return at_first_write();
        }
        Fate::Answered
    });
    let clients = network.between(&stack.local.clients);
    let registry = Registry::new(stack.registry.config.clone(), clients).unwrap();
    let mut fewer = fields();
    fewer.as_array_mut().unwrap().pop();
    let fewer = definition(&fewer);
    let change = registry
        .store
        .replace_workspace_fields(Stack::organization(), &fewer, None)
        .await;
    change.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_registered_while_fields_change_is_noticed() {
    let stack = Stack::start().await;
    stack.define(fields()).await;
    let store = stack.registry.store.clone();
    let change = replace_through(&stack, move || {
        let (store, new) = (store.clone(), queued(Mode::Write));
        let register = async move { store.register_job(&new, jiff::Timestamp::now()).await };
        let runtime = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| runtime.block_on(register)).unwrap();
        Fate::Answered
    })
    .await;
    let FieldsChange::Refused(problems, InUse::Import(_)) = change else {
        panic!("{change:?}");
    };
    assert_eq!(problems[0].field, "Code");
    assert_eq!(stack.get(FIELDS).await.body["version"], 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_written_once_whatever_the_network_does() {
    let stack = Stack::start().await;
    stack.define(fields()).await;
    for fate in [Fate::Refused, Fate::ReplyLost, Fate::TooMuch] {
        let change = replace_through(&stack, move || fate).await;
        let version = match change {
            FieldsChange::Written(version) | FieldsChange::Unchanged(version) => version,
            other => panic!("{fate:?}: {other:?}"),
        };
        assert_eq!(stack.get(FIELDS).await.body["version"], version, "{fate:?}");
        stack.define(fields()).await;
        let back = stack.get(FIELDS).await.body["version"].as_u64();
        assert_eq!(back, Some(version + 1), "{fate:?}");
    }
    stack.stop().await;
}
