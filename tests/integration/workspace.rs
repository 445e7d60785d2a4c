//! Workspaces: organizations define their customers' fields, and files and pages follow them.

use clientele::{
    Registry,
    dataset::workspace::Definition,
    language::Language,
    store::{
        FieldsChange, InUse,
        jobs::{Job, JobState, Mode, NewJob, Operation},
    },
};
use http::Method;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    network::{Fate, Network},
    rejected::handled,
    stack::{Answer, Stack},
};

const FIELDS: &str = "/v1/workspace/fields";

fn fields() -> Value {
    json!([
        {"name": "Customer No", "field_type": "string", "unique_identifier": true},
        {"name": "Full Name", "field_type": "string", "is_pii": true, "required": true},
        {"name": "Born", "field_type": "date", "field_format": "dd/MM/yyyy", "is_pii": true},
        {"name": "Joined", "field_type": "date", "field_format": "MMM dd, yyyy"},
        {"name": "Balance", "field_type": "currency", "field_format": "ZMW"},
        {"name": "Visits", "field_type": "number"},
        {"name": "Active", "field_type": "boolean"},
        {"name": "Plan", "field_type": "enum", "values": [{"value": "b", "name": "Basic"}, "p"]},
        {"name": "Code", "field_type": "string", "pattern": "[A-Z]{2}[0-9]+"},
    ])
}

impl Stack {
    async fn put_fields(&self, body: &Value) -> Answer {
        let body = Some(body.to_string());
        self.send(Method::PUT, FIELDS, Some(&self.token(1)), body, &[])
            .await
    }

    async fn define(&self, fields: Value) {
        let answer = self.put_fields(&json!({"fields": fields})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn import_workspace(&self, name: &str, content: impl Into<Vec<u8>>) -> Job {
        let key = format!("inbox/1/workspace/workspace/{name}");
        self.import_key(&key, content).await
    }

    /// The customers of the workspace's first page, with personal values in clear.
    async fn workspace_customers(&self) -> Vec<Value> {
        let body = json!({"customer_group_id": "workspace.workspace", "page": 0, "reveal": true});
        let page = self.post("/v1/customer", &body).await;
        page.body["customers"]
            .as_array()
            .cloned()
            .unwrap_or_default()
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

fn workbook() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let date = Format::new().set_num_format("dd/mm/yyyy");
    let sheet = workbook.add_worksheet();
    let header = [
        "Customer No",
        "Full Name",
        "Born",
        "Joined",
        "Balance",
        "Visits",
        "Active",
        "Plan",
        "Code",
    ];
    for (column, name) in (0..).zip(header) {
        sheet.write(0, column, name).unwrap();
    }
    let born = ExcelDateTime::from_ymd(1990, 5, 1).unwrap();
    let joined = ExcelDateTime::from_ymd(2021, 1, 31).unwrap();
    sheet.write(1, 0, 7).unwrap();
    sheet.write(1, 1, "Zoë").unwrap();
    sheet.write_with_format(1, 2, &born, &date).unwrap();
    sheet.write_with_format(1, 3, &joined, &date).unwrap();
    sheet.write(1, 4, 12.5).unwrap();
    sheet.write(1, 5, 3).unwrap();
    sheet.write(1, 6, true).unwrap();
    sheet.write(1, 7, "BASIC").unwrap();
    sheet.write(1, 8, "UG1").unwrap();
    workbook.save_to_buffer().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_json_and_xlsx_give_the_same_customer() {
    let stack = Stack::start().await;
    stack.define(fields()).await;
    let csv = "customer_no;Full Name;born;joined;balance;visits;active;plan;code\n\
               7;Zo\u{eb};01/05/1990;Jan 31, 2021;12.50;3.0;yes;basic;UG1\n";
    let first = stack.import_workspace("a.csv", csv).await;
    assert_eq!(
        (first.state, first.counts.created),
        (JobState::Completed, 1),
        "{first:?}"
    );
    let customers = stack.workspace_customers().await;
    assert_eq!(customers[0]["uid"], "1-workspace-7");
    assert_eq!(
        customers[0]["extended_profile"],
        json!({
            "Customer No": "7", "Full Name": "Zoë", "Born": "1990-05-01", "Joined": "2021-01-31",
            "Balance": 12.5, "Visits": 3, "Active": true, "Plan": "b", "Code": "UG1",
        })
    );
    let object = json!([{
        "Customer No": 7, "Full Name": "Zoe\u{308}", "Born": "1990-05-01", "Joined": "Jan 31, 2021",
        "Balance": 12.5, "Visits": "3", "Active": 1, "Plan": "B", "Code": "UG1",
    }]);
    let files = [
        ("a.json", object.to_string().into_bytes()),
        ("a.xlsx", workbook()),
    ];
    for (name, content) in files {
        let job = stack.import_workspace(name, content).await;
        let counts = (job.counts.unchanged, job.counts.rejected);
        assert_eq!(counts, (1, 0), "{name}: {job:?}");
    }
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_personal_identifier_is_nowhere_in_clear() {
    const CANARY: &str = "CM90canary";
    let stack = Stack::start().await;
    stack
        .define(json!([
            {"name": "nin", "field_type": "string", "is_pii": true, "unique_identifier": true},
            {"name": "name", "field_type": "string", "is_pii": true},
            {"name": "plan", "field_type": "enum", "values": ["a"]},
        ]))
        .await;
    // Enough rows for parts, the first repeated in the last part, and one that is refused.
    let row = |n: usize| format!("{CANARY}{n},{CANARY} name {n},a\n");
    let rows: String = (0..10_050).map(row).collect();
    let file = format!("nin,name,plan\n{rows}{CANARY}0,{CANARY} later,a\n{CANARY}x,y,b\n");
    let job = stack.import_workspace("people.csv", file.clone()).await;
    let counts = job.counts;
    assert!(job.split.is_split);
    assert_eq!(
        (counts.created, counts.duplicates, counts.rejected),
        (10_050, 1, 1),
        "{job:?}"
    );
    let again = stack.import_workspace("people.csv", file).await;
    assert_eq!(again.counts.unchanged, 10_050);

    let items = format!("{:?}", stack.items().await);
    let log = crate::logs::captured();
    for text in [items, format!("{job:?}"), log] {
        assert!(!text.contains(CANARY));
    }
    // Whoever may see it finds the customer by the digest.
    let customers = stack.workspace_customers().await;
    let id = customers[0]["customer_id"].as_str().unwrap();
    assert!(
        id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(customers[0]["uid"], format!("1-workspace-{id}"));
    let nin = customers[0]["extended_profile"]["nin"].as_str().unwrap();
    assert!(nin.starts_with(CANARY), "{nin}");

    let path = format!("/v1/jobs/{}/rejected.csv", job.id);
    let reader = stack.token_with(|token| token.scope = "records:read".to_owned());
    let masked = handled(&stack, &path, &reader, "en").await.csv();
    assert!(
        !masked.contains(CANARY) && masked.contains("***,***,b"),
        "{masked}"
    );
    let shown = handled(&stack, &path, &stack.token(1), "en").await.csv();
    assert!(shown.contains(CANARY), "{shown}");
    stack.assert_verified().await;
    stack.stop().await;
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
    assert!(detail.contains("1 customers"), "{detail}");
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
    assert!(
        detail.contains(&format!("import {} ", job.import_id)),
        "{detail}"
    );
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
    let FieldsChange::Refused(problems, InUse::Import(1)) = change else {
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

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_workspace_need_fields_and_its_own_source() {
    let stack = Stack::start().await;
    let csv = "id\n1\n";
    let announced = json!({"dataset": "workspace", "filename": "a.csv"});
    stack.import("customers", "external_id\n1\n").await;
    let job = stack.import_workspace("a.csv", csv).await;
    assert_eq!(job.state, JobState::Failed);
    let error = job.error.unwrap();
    assert_eq!(error.code, "no_workspace_fields");
    assert!(error.fr.contains("espace de travail"), "{}", error.fr);
    let upload = stack.post("/v1/uploads", &announced).await;
    assert_eq!(
        (upload.status.as_u16(), &upload.body["message"]),
        (400, &json!("missing valid workspace"))
    );

    stack
        .define(json!([{"name": "id", "field_type": "string", "unique_identifier": true}]))
        .await;
    let table = [
        (
            "inbox/1/generic/workspace/a.csv",
            Some("source_of_workspace"),
        ),
        ("inbox/1/workspace/customers/a.csv", Some("reserved_source")),
        (
            "inbox/1/workspace/workspace/customers.generic/a.csv",
            Some("group_of_other_source"),
        ),
        (
            "inbox/1/generic/customers/workspace.workspace/a.csv",
            Some("group_of_other_source"),
        ),
        ("inbox/1/workspace/workspace/members/a.csv", None),
    ];
    for (key, code) in table {
        let job = stack.import_key(key, csv).await;
        assert_eq!(job.error.map(|e| e.code).as_deref(), code, "{key}");
    }
    let of_other = json!({"dataset": "workspace", "filename": "a.csv", "source": "generic"});
    assert_eq!(stack.post("/v1/uploads", &of_other).await.status, 400);
    let upload = stack.post("/v1/uploads", &announced).await;
    assert_eq!(upload.status, 201, "{upload:?}");
    let url = upload.body["url"].as_str().unwrap();
    let mut put = reqwest::Client::new().put(url);
    for (name, value) in upload.body["headers"].as_object().unwrap() {
        put = put.header(name, value.as_str().unwrap());
    }
    assert_eq!(put.body("id\n1\n2\n").send().await.unwrap().status(), 200);
    let job = stack.job_at(upload.body["job"].as_str().unwrap()).await;
    assert_eq!(
        (&job["created"], &job["unchanged"]),
        (&json!(1), &json!(1)),
        "{job}"
    );
    stack.assert_verified().await;
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn row_errors_speak_of_the_organizations_own_fields() {
    let stack = Stack::start().await;
    stack.define(fields()).await;
    let csv = "customer no,full name,born,plan,code\n1,Ann,1990.05.01,Premium,ug1\n";
    let job = stack.import_workspace("a.csv", csv).await;
    let errors = stack
        .registry
        .store
        .row_errors(job.organization, job.id, 10)
        .await
        .unwrap();
    let messages: Vec<_> = errors.iter().map(|e| e.message(Language::French)).collect();
    assert_eq!(
        messages,
        [
            "born doit être une date existante, écrite comme 31/01/2021 (dd/MM/yyyy)",
            "plan doit être l'une des valeurs b, p",
            "code n'a pas la forme demandée",
        ]
    );
    stack.stop().await;
}
