//! Who may call what: every route with every scope, without a token, and on another
//! organization's things.

use clientele::web::{Dialect, ENDPOINTS, Endpoint, Operation, Scope};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    customer_events::event,
    logs,
    snapshot::Snapshot,
    stack::{Answer, Stack, customers},
};

/// Names of things in a request.
struct Things {
    job: String,
    source: String,
    group: String,
    /// The group of all of a source's records, which stays whatever is asked.
    own_group: String,
    customer: String,
}

impl Things {
    /// Things of organization 1, which exist.
    async fn of_first(stack: &Stack) -> Self {
        let key = "inbox/1/generic/customers/tenants/file.csv";
        let job = stack.import_key(key, customers(0..3, "+2567")).await;
        Self {
            job: job.id.to_string(),
            source: "generic".to_owned(),
            group: "tenants".to_owned(),
            own_group: "customers.generic".to_owned(),
            customer: "1-generic-c1".to_owned(),
        }
    }

    /// Things of the same shapes that nobody has.
    fn nobodys() -> Self {
        Self {
            source: "nowhere".to_owned(),
            job: "67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned(),
            group: "nowhere".to_owned(),
            own_group: "customers.nowhere".to_owned(),
            customer: "1-generic-c77".to_owned(),
        }
    }
}

/// A good request to a route: its path with a query, and its body.
fn request(operation: Operation, things: &Things) -> (String, Option<Value>) {
    let Things {
        job,
        source,
        group,
        own_group,
        customer,
    } = things;
    let customers = json!({"customer_group_id": group, "customers": [{"external_id": "c1"}]});
    let rows = json!({"data": [{"external_id": "c1"}]});
    let contact = json!({"name": "Amina", "email": "amina@example.com", "source": "web"});
    match operation {
        Operation::PushRows => ("/api/v1/in/customers".into(), Some(rows)),
        Operation::CheckRows => ("/api/v1/in/customers/check".into(), Some(rows)),
        Operation::ReadRows => (
            format!("/api/v1/out/customers?source=generic&q[uid_eq]={customer}"),
            None,
        ),
        Operation::PushEvents => (
            "/v1/events".into(),
            Some(event(customer, "2026-02-01T10:00:00Z", |_| {})),
        ),
        Operation::CountPages => (
            "/v1/customer/pages".into(),
            Some(json!({"customer_group_id": group})),
        ),
        Operation::ReadCustomers => (
            "/v1/customer".into(),
            Some(json!({"customer_group_id": group, "page": 0})),
        ),
        Operation::CheckCustomers => ("/v1/customer/check".into(), Some(customers)),
        Operation::UpdateCustomers => ("/v1/customer".into(), Some(customers)),
        Operation::DeleteCustomers => (
            "/v1/customer".into(),
            Some(json!({"customer_group_id": group, "customer_ids": [customer]})),
        ),
        Operation::ReleaseFences => (
            "/v1/fences/release".into(),
            Some(json!({"uids": [customer]})),
        ),
        Operation::CreateContact => ("/external/v1/customers".into(), Some(contact)),
        Operation::CreateContacts => (
            "/external/v1/external/v1/customers/bulk".into(),
            Some(json!({"customers": [contact]})),
        ),
        Operation::ListContacts => ("/external/v1/customers".into(), None),
        Operation::ListGroups => ("/v1/groups".into(), None),
        Operation::CreateGroup => (
            "/v1/groups".into(),
            Some(json!({"id": "own", "name": "Own", "dataset": "customers"})),
        ),
        Operation::RenameGroup => (
            format!("/v1/groups/{group}"),
            Some(json!({"name": "Tenants"})),
        ),
        Operation::DeleteGroup => (format!("/v1/groups/{own_group}"), None),
        Operation::AnnounceUpload => (
            "/v1/uploads".into(),
            Some(json!({"dataset": "customers", "filename": "a.csv", "customer_group_id": group})),
        ),
        Operation::ReadFields => ("/v1/workspace/fields".into(), None),
        Operation::ReplaceFields => (
            "/v1/workspace/fields".into(),
            Some(
                json!({"fields": [{"name": "id", "field_type": "string", "unique_identifier": true}]}),
            ),
        ),
        Operation::ListKeys => ("/v1/organization/keys".into(), None),
        Operation::RotateKeys => ("/v1/organization/keys/rotate".into(), None),
        Operation::RewrapRecords => ("/v1/organization/keys/rewrap".into(), None),
        Operation::ReadSettings => ("/v1/organization/settings".into(), None),
        Operation::ChangeSettings => (
            "/v1/organization/settings".into(),
            Some(json!({"unknown_columns": "keep"})),
        ),
        Operation::ExplainProtection => (
            "/v1/p14n/explain".into(),
            Some(json!({"field": "phone", "value": "+256700000001"})),
        ),
        Operation::GrantSourceToken => (
            "/v1/sources".into(),
            Some(json!({"data_origin": "pushing", "datasets": ["customers"]})),
        ),
        Operation::ListSources => ("/v1/sources".into(), None),
        Operation::RevokeSourceTokens => (format!("/v1/sources/{source}"), None),
        Operation::ListJobs => ("/v1/jobs".into(), None),
        Operation::ReadJob => (format!("/v1/jobs/{job}"), None),
        Operation::CancelJob => (format!("/v1/jobs/{job}/cancel"), None),
        Operation::ReadReport => (format!("/v1/jobs/{job}/report"), None),
        Operation::ReadRejected => (format!("/v1/jobs/{job}/rejected.csv"), None),
    }
}

async fn send(stack: &Stack, endpoint: &Endpoint, things: &Things, token: Option<&str>) -> Answer {
    let (path, body) = request(endpoint.operation, things);
    let body = body.map(|body| body.to_string());
    stack
        .send(endpoint.method.clone(), &path, token, body, &[])
        .await
}

/// Waits for the job that a push has started.
async fn wait_for(stack: &Stack, token: &str, pushed: &Answer) {
    assert_eq!(pushed.status, 201, "{pushed:?}");
    let path = pushed.body["job"].as_str().unwrap();
    stack
        .until(|| async {
            let job = stack.send(Method::GET, path, Some(token), None, &[]).await;
            (job.body["state"] == "completed").then_some(())
        })
        .await;
}

/// A reply without what differs from call to call.
fn comparable(mut answer: Answer) -> (u16, Value) {
    if let Some(body) = answer.body.as_object_mut() {
        // Ids that were not found are the request's own.
        for varying in [
            "request_id",
            "id",
            "job",
            "created_at",
            "token",
            "version",
            "not_found",
        ] {
            body.remove(varying);
        }
    }
    (answer.status.as_u16(), answer.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_takes_its_own_scope_and_no_other() {
    let stack = Stack::start().await;
    let things = Things::of_first(&stack).await;
    let mut asked = 0;
    for endpoint in ENDPOINTS {
        let at = format!("{} {}", endpoint.method, endpoint.path);
        let unauthenticated = match endpoint.dialect {
            Dialect::Registry | Dialect::Contacts => 401,
            Dialect::Workspace => 403,
        };
        for token in [None, Some("nonsense"), Some("a.b.c")] {
            let answer = send(&stack, endpoint, &things, token).await;
            assert_eq!(answer.status, unauthenticated, "{at} with {token:?}");
            asked += 1;
        }
        for scope in Scope::ALL {
            // All but this one, and this one alone.
            let others = Scope::ALL.into_iter().filter(|other| *other != scope);
            let others: Vec<_> = others.map(Scope::as_str).collect();
            for (scopes, may) in [
                (others.join(" "), scope != endpoint.scope),
                (scope.as_str().to_owned(), scope == endpoint.scope),
            ] {
                let token = stack.token_with(|token| token.scope = scopes.clone());
                let answer = send(&stack, endpoint, &things, Some(&token)).await;
                asked += 1;
                match may {
                    // A good request of somebody who may is not refused for who asks.
                    true => assert!(
                        !matches!(answer.status.as_u16(), 401 | 403 | 404 | 405),
                        "{at} with {scopes}: {answer:?}"
                    ),
                    false => assert_eq!(answer.status, 403, "{at} with {scopes}: {answer:?}"),
                }
                let request_id = answer.headers["x-request-id"].to_str().unwrap();
                let audit = logs::audit_of(request_id);
                assert_eq!(audit.len(), 1, "{at}: {audit:?}");
                assert_eq!(audit[0]["action"], endpoint.action);
                assert_eq!(audit[0]["organization"], 1);
                assert_eq!(audit[0]["principal"], "local");
                assert_eq!(audit[0]["status"], answer.status.as_u16());
            }
        }
    }
    println!("{asked} requests to {} routes", ENDPOINTS.len());
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organizations_things_answer_as_things_that_do_not_exist() {
    let stack = Stack::start().await;
    let (theirs, nobodys) = (Things::of_first(&stack).await, Things::nobodys());
    // Organization 2 exists too, so that nothing is answered by its absence.
    let token = stack.token(2);
    let rows = Some(json!({"data": [{"external_id": "x"}]}).to_string());
    let path = "/api/v1/in/customers";
    let pushed = stack
        .send(Method::POST, path, Some(&token), rows, &[])
        .await;
    wait_for(&stack, &token, &pushed).await;
    let before = Snapshot::of_first(&stack.registry, &stack.local.clients).await;
    for endpoint in ENDPOINTS {
        let at = format!("{} {}", endpoint.method, endpoint.path);
        let foreign = send(&stack, endpoint, &theirs, Some(&token)).await;
        let unknown = send(&stack, endpoint, &nobodys, Some(&token)).await;
        if endpoint.operation == Operation::PushRows {
            // What the next requests are answered depends on these rows.
            for pushed in [&foreign, &unknown] {
                wait_for(&stack, &token, pushed).await;
            }
        }
        match endpoint.operation {
            Operation::ListJobs | Operation::ListGroups => {
                let shown = foreign.body.to_string();
                assert!(!shown.contains(&theirs.job), "{at}: {shown}");
                assert!(!shown.contains(&theirs.group), "{at}: {shown}");
            }
            // Both make contacts of the caller's own.
            Operation::CreateContact | Operation::CreateContacts => {
                assert_eq!(
                    (foreign.status, unknown.status),
                    (StatusCode::CREATED, StatusCode::CREATED)
                );
            }
            // Made by the first of the two requests.
            Operation::CreateGroup => assert_eq!(foreign.status, 201),
            _ => assert_eq!(comparable(foreign), comparable(unknown), "{at}"),
        }
    }
    let after = Snapshot::of_first(&stack.registry, &stack.local.clients).await;
    assert!(before == after);
    stack.stop().await;
}

/// A token that is bound to groups reaches those, and nothing of the whole organization.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_bound_to_other_groups_reaches_nothing() {
    let stack = Stack::start().await;
    let things = Things::of_first(&stack).await;
    let bound = stack.token_with(|token| {
        token.user = "bound".to_owned();
        token.groups = Some(vec!["elsewhere".to_owned()]);
    });
    let before = Snapshot::of_first(&stack.registry, &stack.local.clients).await;
    for endpoint in ENDPOINTS {
        let at = format!("{} {}", endpoint.method, endpoint.path);
        let answer = send(&stack, endpoint, &things, Some(&bound)).await;
        match endpoint.operation {
            // They show what the token may see: nothing.
            Operation::ListJobs | Operation::ListGroups => {
                assert_eq!(answer.status, 200, "{at}");
                let shown = answer.body.to_string();
                assert!(!shown.contains(&things.job), "{at}: {shown}");
                assert!(!shown.contains(&things.group), "{at}: {shown}");
            }
            // What fields there are is no customer's.
            Operation::ReadFields | Operation::ReadSettings => {
                assert_eq!(answer.status, 200, "{at}")
            }
            _ => assert!(
                matches!(answer.status.as_u16(), 401 | 403 | 404),
                "{at}: {answer:?}"
            ),
        }
    }
    let after = Snapshot::of_first(&stack.registry, &stack.local.clients).await;
    assert!(before == after);
    stack.stop().await;
}
