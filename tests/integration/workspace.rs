//! Files of a workspace: read as its organization has defined its fields.

use clientele::{
    language::Language,
    store::jobs::{Job, JobState},
};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use serde_json::{Value, json};

use crate::{rejected::handled, stack::Stack};

pub(crate) fn fields() -> Value {
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
    pub(crate) async fn import_workspace(&self, name: &str, content: impl Into<Vec<u8>>) -> Job {
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
        ("inbox/1/generic/workspace/a.csv", Some("source_of_dataset")),
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
