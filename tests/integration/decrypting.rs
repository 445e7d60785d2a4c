//! The recipes of `docs/decrypting.md`, taken from the page, open what the API gives.
//!
//! They need Python with the package `cryptography` (`CLIENTELE_TEST_PYTHON` names another than
//! `python3`), and Node. Where one is missing its recipe is left out, but not in CI (`CI=true`).

use std::{path::Path, process::Command};

use clientele::identity::OrganizationId;
use clientele_local::{Options, decryption};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{customer_events::event, stack::Stack};

const PAGE: &str = include_str!("../../docs/decrypting.md");
const FIELDS: [&str; 4] = ["phone", "visits", "member", "born"];

/// The page's first block of code in a language.
fn recipe(language: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("\n```").unwrap().0
}

/// What runs a recipe, if it is there.
pub(crate) fn interpreter(name: &str, probe: &[&str]) -> Option<Command> {
    let found = Command::new(name).args(probe).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(Command::new(name));
    }
    assert!(
        std::env::var("CI").is_err(),
        "{name} {} does not run",
        probe.join(" ")
    );
    println!("skipped: {name} {} does not run", probe.join(" "));
    None
}

/// The encrypted fields of profiles.
const PROFILE_FIELDS: [&str; 5] = [
    "dateOfBirth",
    "dependents[].dateOfBirth",
    "addresses[].line1",
    "addresses[].line2",
    "addresses[].zipCode",
];

fn decrypted_by(
    interpreter: &str,
    folder: &Path,
    script: &str,
    (page, fields): (&str, &[&str]),
) -> Value {
    let output = Command::new(interpreter)
        .current_dir(folder)
        .args([script, "keys.json", page])
        .args(fields)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The first page of the workspace.
pub(crate) async fn page(stack: &Stack, reveal: bool) -> Value {
    page_of(stack, "workspace.workspace", reveal).await
}

async fn page_of(stack: &Stack, group: &str, reveal: bool) -> Value {
    let body = json!({"customer_group_id": group, "page": 0, "reveal": reveal});
    let answer = stack.post("/v1/customer", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

/// Customers under two versions of the key, with values of every type and a uid beyond ASCII.
pub(crate) async fn encrypted_customers(stack: &Stack) {
    let fields = json!({"fields": [
        {"name": "id", "field_type": "string", "unique_identifier": true, "required": true},
        {"name": "phone", "field_type": "string", "is_pii": true},
        {"name": "visits", "field_type": "number", "is_pii": true},
        {"name": "member", "field_type": "boolean", "is_pii": true},
        {"name": "born", "field_type": "date", "field_format": "yyyy-MM-dd", "is_pii": true},
    ]});
    let token = stack.token(1);
    let path = "/v1/workspace/fields";
    let put = stack.send(
        Method::PUT,
        path,
        Some(&token),
        Some(fields.to_string()),
        &[],
    );
    let put = put.await;
    assert_eq!(put.status, 200, "{put:?}");
    let key = "inbox/1/workspace/workspace/a.csv";
    let rows =
        "id,phone,visits,member,born\n1,+256700000001,12.5,true,1990-01-31\nn° 2,,3,false,\n";
    stack.import_key(key, rows).await;
    let rotated = stack
        .post("/v1/organization/keys/rotate", &Value::Null)
        .await;
    assert_eq!(rotated.status, 201, "{rotated:?}");
    // The handlers of the harness have the key before cached.
    stack.registry.keys.forget(Stack::organization()).await;
    let key = "inbox/1/workspace/workspace/b.csv";
    let rows = "id,phone,visits,member,born\n3,\"a \"\"quoted\"\" é €\",-1,true,2000-02-29\n";
    stack.import_key(key, rows).await;
}

fn two_addresses(event: &mut Value) {
    let mut other = event["body"]["addresses"][0].clone();
    other["line1"] = "2 Low Road".into();
    other.as_object_mut().unwrap().remove("line2");
    event["body"]["addresses"]
        .as_array_mut()
        .unwrap()
        .push(other);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recipes_of_the_documentation_open_what_the_api_gives() {
    let stack = Stack::start().await;
    encrypted_customers(&stack).await;
    let (encrypted, mut revealed) = (page(&stack, false).await, page(&stack, true).await);
    let customers = encrypted["customers"].as_array().unwrap();
    assert_eq!(customers.len(), 3);
    assert_ne!(encrypted["customers"], revealed["customers"]);
    let keys = stack.get("/v1/organization/keys").await.body;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    let at = "2026-02-01T10:00:00Z";
    let events = json!([event("C-1", at, two_addresses), event("C-2", at, |_| {})]);
    assert_eq!(stack.push(&events).await.body["accepted"], 2);
    let profiles = page_of(&stack, "profiles.events", false).await;
    let profiles_revealed = page_of(&stack, "profiles.events", true).await;
    assert_ne!(profiles, profiles_revealed);

    let folder = TempDir::new().unwrap();
    let put = |name: &str, content: &str| {
        std::fs::write(folder.path().join(name), content).unwrap();
    };
    put("keys.json", &keys.to_string());
    put("page.json", &encrypted.to_string());
    put("profiles.json", &profiles.to_string());
    put("decrypt.py", recipe("python"));
    put("decrypt.mjs", recipe("js"));
    revealed["next_cursor"] = encrypted["next_cursor"].clone();
    let python = std::env::var("CLIENTELE_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let pages: [(&str, &[&str], &Value); 2] = [
        ("page.json", &FIELDS, &revealed),
        ("profiles.json", &PROFILE_FIELDS, &profiles_revealed),
    ];
    if interpreter(&python, &["-c", "import cryptography"]).is_some() {
        for (page, fields, expected) in pages {
            let decrypted = decrypted_by(&python, folder.path(), "decrypt.py", (page, fields));
            assert_eq!(decrypted, *expected, "python, {page}");
        }
    }
    if interpreter("node", &["--version"]).is_some() {
        for (page, fields, expected) in pages {
            let decrypted = decrypted_by("node", folder.path(), "decrypt.mjs", (page, fields));
            assert_eq!(decrypted, *expected, "node, {page}");
        }
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_opens_what_the_api_gives() {
    let stack = Stack::start().await;
    encrypted_customers(&stack).await;
    let (encrypted, revealed) = (page(&stack, false).await, page(&stack, true).await);
    let options = Options::on_free_ports(stack.local.data.root());
    let organization = Stack::organization();

    let text = encrypted.to_string();
    let page = decryption::page(&options, organization, "phone", &text);
    let page = page.await.unwrap();
    let customer = |page: &Value, n: usize| page["customers"][n].clone();
    for n in 0..3 {
        let (clear, expected) = (customer(&page, n), customer(&revealed, n));
        let phone = |customer: &Value| customer["extended_profile"]["phone"].clone();
        assert_eq!(phone(&clear), phone(&expected));
    }

    let at = "2026-02-01T10:00:00Z";
    stack.push(&event("C-1", at, two_addresses)).await;
    let mut profiles = page_of(&stack, "profiles.events", false).await;
    for field in PROFILE_FIELDS {
        let text = profiles.to_string();
        let page = decryption::page(&options, organization, field, &text);
        profiles = page.await.unwrap();
    }
    let revealed_profiles = page_of(&stack, "profiles.events", true).await;
    assert_eq!(profiles, revealed_profiles);

    let first = customer(&encrypted, 0);
    let uid = first["uid"].as_str().unwrap();
    let sealed = first["extended_profile"]["visits"].as_str().unwrap();
    let open = async |organization: u64, uid: &str, field: &str, value: &str| {
        let organization = OrganizationId::new(organization).unwrap();
        let clear = decryption::value(&options, organization, uid, field, value).await;
        clear.map_err(|error| error.to_string())
    };
    let visits = customer(&revealed, 0)["extended_profile"]["visits"].clone();
    // As a pipe gives it, with the end of the line.
    let line = format!("{sealed}\n");
    assert_eq!(open(1, uid, "visits", &line).await, Ok(visits));

    let elsewhere = "an encrypted value does not belong where it was found, or is damaged; \
                     check --organization, --uid and --field";
    let refused = [
        ((1, "1-workspace-9", "visits", sealed), elsewhere),
        ((1, uid, "member", sealed), elsewhere),
        (
            (2, uid, "visits", sealed),
            "the organization has no keys; check --organization, --uid and --field",
        ),
        (
            (1, uid, "visits", "+256700000001"),
            "the value is not base64, so it is not an encrypted value as the API gives it",
        ),
        (
            (1, uid, "visits", "AAAA"),
            "an encrypted value has an unknown format; check --organization, --uid and --field",
        ),
    ];
    for ((organization, uid, field, value), message) in refused {
        let error = open(organization, uid, field, value).await.unwrap_err();
        assert_eq!(error, message, "{field}");
    }
    stack.stop().await;
}
