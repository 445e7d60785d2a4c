//! Groups and their customers in the console.

use serde_json::json;

use crate::{
    stack::{Stack, customers},
    visitor::{Visitor, naughty_strings},
    workspace::fields,
};

const GENERIC: &str = "/console/groups/customers.generic";

fn find(id: &str) -> [(&str, &str); 1] {
    [("customer", id)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_renamed_and_deleted() {
    let stack = Stack::start().await;
    let visitor = stack.visitor();
    let form = [
        ("name", "Our members"),
        ("id", "members"),
        ("dataset", "customers"),
    ];
    let made = visitor.send("/console/groups", &form).await;
    assert_eq!(made.status, 200);
    assert!(made.has("<h1>Our members</h1>") && made.has("The group was created"));
    // The form sent twice is the same group.
    let again = visitor.post("/console/groups", &form).await;
    assert_eq!(
        again.location(),
        Some("/console/groups/members?done=created")
    );

    let renamed = visitor
        .send("/console/groups/members/rename", &[("name", "Friends <b>")])
        .await;
    assert!(
        renamed.has("<h1>Friends &#60;b&#62;</h1>"),
        "{}",
        renamed.html
    );
    let unnamed = visitor
        .send("/console/groups/members/rename", &[("name", " ")])
        .await;
    assert_eq!(unnamed.status, 400);
    assert!(unnamed.has(r#"aria-invalid="true" aria-describedby="name-error""#));

    let asked = visitor.get("/console/groups/members/delete").await;
    assert!(asked.has("It has no customers."));
    let deleted = visitor.send("/console/groups/members/delete", &[]).await;
    assert!(deleted.has("The group is deleted.") && !deleted.has("group-members"));
    assert_eq!(visitor.get("/console/groups/members").await.status, 404);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_cannot_be_made_says_at_which_input() {
    let stack = Stack::start().await;
    let visitor = stack.visitor();
    visitor
        .send(
            "/console/groups",
            &[("name", "A"), ("id", "a"), ("dataset", "customers")],
        )
        .await;
    let table = [
        ("", "b", "customers", 400, "name"),
        ("B", "Not An Id", "customers", 400, "id"),
        // Browsers take them out of paths.
        ("B", "..", "customers", 400, "id"),
        ("B", "customers.generic", "customers", 400, "id"),
        ("B", "a", "customers", 409, "id"),
        ("B", "b", "nothing", 400, "dataset"),
    ];
    for (name, id, dataset, status, input) in table {
        let form = [("name", name), ("id", id), ("dataset", dataset)];
        let page = visitor.send("/console/groups", &form).await;
        assert_eq!(page.status, status, "{form:?}");
        assert!(page.has(&format!("<a href=\"#{input}\"")), "{form:?}");
        assert!(page.has(&format!("id=\"{input}-error\"")), "{form:?}");
        // What was typed is still there.
        assert_eq!(page.all_after("id=\"id\" name=\"id\" value=\""), [id]);
    }
    stack.stop().await;
}

/// The API's own rule: groups are deleted by those who may delete records, whatever they hold.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_delete_a_group_is_led_to_that_and_nobody_else() {
    let stack = Stack::start().await;
    let form = [("name", "A"), ("id", "a"), ("dataset", "meters")];
    stack.visitor().send("/console/groups", &form).await;
    for (scopes, is_led) in [
        ("records:read records:write", false),
        ("records:read records:delete", true),
    ] {
        let page = stack.visitor_who_may(scopes).get("/console/groups/a").await;
        assert_eq!(page.status, 200);
        assert_eq!(page.has("Delete this group"), is_led, "{scopes}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_page_is_reached_by_its_number() {
    let stack = Stack::start().await;
    stack
        .import("customers", customers(0..2_100, "+2567"))
        .await;
    let visitor = stack.visitor();
    let mut seen = Vec::new();
    for (number, rows) in [("1", 1_000), ("3", 100), ("2", 1_000)] {
        let page = visitor.get(&format!("{GENERIC}?page={number}")).await;
        page.assert_private_and_harmless();
        assert!(page.has("2\u{202f}100") && page.has(r#"<dd id="pages">3</dd>"#));
        let uids = page.all_after(r#"name="id" value=""#);
        assert_eq!(uids.len(), rows, "page {number}");
        assert!(page.html.len() < 3_000_000);
        seen.extend(uids);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 2_100);

    let beyond = visitor.get(&format!("{GENERIC}?page=4")).await;
    assert!(beyond.has("There is no such page: this group has 3."));
    for wrong in ["0", "-1", "x", ""] {
        let page = visitor.get(&format!("{GENERIC}?page={wrong}")).await;
        assert_eq!(page.status, 400, "{wrong}");
        assert!(page.has("whole number from 1 on"), "{wrong}");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_too_large_for_one_reply_goes_on() {
    let stack = Stack::start().await;
    let row = |n| json!({"external_id": format!("r{n}"), "profession": "x".repeat(4_000), "note": "y".repeat(4_000)});
    let rows: Vec<_> = (0..900).map(row).collect();
    let job = stack
        .import_key(
            "inbox/1/generic/customers/rows.json",
            json!({"data": rows}).to_string(),
        )
        .await;
    assert_eq!(job.counts.created, 900, "{job:?}");
    let visitor = stack.visitor();
    let first = visitor.get(GENERIC).await;
    let mut uids = first.all_after(r#"name="id" value=""#);
    assert!((1..900).contains(&uids.len()), "{}", uids.len());
    let hidden = |name: &str| {
        first
            .all_after(&format!("name=\"{name}\" value=\""))
            .remove(0)
    };
    let (cursor, left) = (hidden("cursor"), hidden("left"));
    let form = [
        ("page", "1"),
        ("cursor", cursor.as_str()),
        ("left", left.as_str()),
    ];
    let rest = visitor.post(GENERIC, &form).await;
    assert!(rest.has("Customers, the rest of page 1"));
    uids.extend(rest.all_after(r#"name="id" value=""#));
    uids.sort();
    uids.dedup();
    assert_eq!(uids.len(), 900);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_found_by_id_as_it_is_written() {
    let stack = Stack::start().await;
    stack
        .import(
            "customers",
            "external_id,name,country\n7,Ann,UG\n007,Bob,KE\n",
        )
        .await;
    let visitor = stack.visitor();
    let path = format!("{GENERIC}/customer");
    for (id, uid) in [
        ("7", "1-generic-7"),
        (" 007 ", "1-generic-007"),
        ("1-generic-7", "1-generic-7"),
    ] {
        let page = visitor.post(&path, &find(id)).await;
        assert_eq!(page.status, 200, "{id}");
        assert!(page.has(&format!("<code id=\"uid\">{uid}</code>")), "{id}");
        page.assert_private_and_harmless();
    }
    for id in ["07", "", "2-generic-7", "1-other-7"] {
        let page = visitor.post(&path, &find(id)).await;
        assert_eq!(page.status, 404, "{id}");
        assert!(page.has("Ids are compared as they are written"), "{id}");
    }
    // An id is not in an address, and another language's link leads back to the group.
    let back = visitor.get(&format!("/fr{path}")).await;
    assert_eq!(
        back.location(),
        Some("/fr/console/groups/customers.generic")
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_several_sources_or_meters_lets_one_choose() {
    let stack = Stack::start().await;
    for source in ["generic", "other"] {
        let key = format!("inbox/1/{source}/customers/both/file.csv");
        stack.import_key(&key, "external_id,country\n7,UG\n").await;
    }
    let meters = "customer_external_id,manufacturer,serial_number,device_external_id\n7,HOP,A1,1\n7,HOP,A2,2\n";
    stack.import("meters", meters).await;
    let visitor = stack.visitor();
    let several = visitor
        .post("/console/groups/both/customer", &find("7"))
        .await;
    let uids = several.all_after(r#"name="customer" value=""#);
    assert_eq!(uids[..2], ["1-generic-7", "1-other-7"]);
    let one = visitor
        .post("/console/groups/both/customer", &find("1-other-7"))
        .await;
    assert!(one.has(r#"<code id="uid">1-other-7</code>"#));

    let meters = visitor
        .post("/console/groups/meters.generic/customer", &find("7"))
        .await;
    assert!(
        meters.has("HOP A1") && meters.has("HOP A2"),
        "{}",
        meters.html
    );
    let uid = &meters.all_after(r#"name="customer" value=""#)[0];
    let meter = visitor
        .post("/console/groups/meters.generic/customer", &find(uid))
        .await;
    assert!(meter.has("manufacturer") && !meter.has("Delete this customer"));
    stack.stop().await;
}

async fn workspace(stack: &Stack) -> Visitor {
    stack.define(fields()).await;
    stack
        .import_workspace(
            "a.csv",
            "customer no,full name,born\n7,Ann Okello,01/05/1990\n8,Bob,\n",
        )
        .await;
    stack.visitor()
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_values_are_shown_to_those_who_may_see_them() {
    let stack = Stack::start().await;
    let visitor = workspace(&stack).await;
    let group = "/console/groups/workspace.workspace";
    let page = visitor.get(group).await;
    assert!(page.has("id=\"reveal\"") && page.has(">encrypted</span>") && !page.has("Ann Okello"));
    let revealed = visitor
        .post(group, &[("page", "1"), ("reveal", "true")])
        .await;
    revealed.assert_private_and_harmless();
    assert!(revealed.has("Ann Okello") && revealed.has("recorded in the audit"));

    let path = format!("{group}/customer");
    let one = visitor.post(&path, &find("7")).await;
    assert!(one.has("As it is stored") && !one.has("Ann Okello"));
    let one = visitor
        .post(&path, &[("customer", "7"), ("reveal", "true")])
        .await;
    assert!(one.has("Ann Okello") && one.has("1990-05-01") && !one.has(">Bob<"));

    // Without the scope it is not offered, and not given either.
    let reader = stack.visitor_who_may("records:read");
    assert!(!reader.get(group).await.has("id=\"reveal\""));
    for (path, form) in [
        (group, [("page", "1"), ("reveal", "true")]),
        (path.as_str(), [("customer", "7"), ("reveal", "true")]),
    ] {
        let page = reader.post(path, &form).await;
        assert_eq!(page.status, 403);
        assert!(!page.has("Ann Okello"));
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_deleted_once_their_number_is_typed() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..5, "+2567")).await;
    let visitor = stack.visitor();
    let chosen = [("id", "1-generic-c1"), ("id", "1-generic-c2")];
    let asked = visitor.post(&format!("{GENERIC}/erase"), &chosen).await;
    assert!(asked.has("2 customers will be deleted.") && asked.has("This cannot be undone."));
    asked.assert_private_and_harmless();

    let erased = format!("{GENERIC}/erased");
    let with_count = |count| [chosen[0], chosen[1], ("count", count)];
    for wrong in ["", "1", "02", "two"] {
        let page = visitor.post(&erased, &with_count(wrong)).await;
        assert_eq!(page.status, 400, "{wrong}");
        assert!(page.has("Nothing was deleted."), "{wrong}");
        assert_eq!(page.all_after(r#"name="id" value=""#).len(), 2, "{wrong}");
    }
    assert_eq!(stack.record("customers", "c1").await["external_id"], "c1");

    let done = visitor.post(&erased, &with_count(" 2 ")).await;
    assert!(done.has("2 customers were deleted.") && done.has("data:application/json;base64,"));
    assert!(done.has("uid_digest"), "the receipt is shown");
    assert!(stack.record("customers", "c1").await.is_null());
    let again = visitor.post(&erased, &with_count("2")).await;
    assert!(again.has("Nobody was deleted.") && again.has("Not found"));
    assert!(visitor.get(GENERIC).await.has(r#"<dd id="members">3</dd>"#));

    let nobody = visitor.post(&format!("{GENERIC}/erase"), &[]).await;
    assert_eq!(nobody.status, 400);
    assert!(nobody.has("No customer was chosen."));
    let reader = stack.visitor_who_may("records:read");
    assert!(!reader.get(GENERIC).await.has("type=\"checkbox\""));
    let form = [("id", "1-generic-c3"), ("count", "1")];
    assert_eq!(reader.post(&erased, &form).await.status, 403);
    assert_eq!(stack.record("customers", "c3").await["external_id"], "c3");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_organizations_group_is_none() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..2, "+2567")).await;
    let foreign = stack.visitor_with(stack.token(2));
    let unknown = foreign.get("/console/groups/customers.unknown").await;
    assert_eq!(unknown.status, 404);
    let about = unknown
        .html
        .replace("customers.unknown", "customers.generic");
    assert_eq!(foreign.get(GENERIC).await.html, about);
    for (what, form) in [
        ("customer", [("customer", "c1")]),
        ("rename", [("name", "mine")]),
        ("delete", [("x", "")]),
        ("erased", [("id", "1-generic-c1")]),
    ] {
        let page = foreign.post(&format!("{GENERIC}/{what}"), &form).await;
        assert_eq!(page.status, 404, "{what}");
    }
    assert_eq!(foreign.get("/console/groups/..%2F..").await.status, 404);
    // A token that is bound to other groups.
    let bound = stack.token_with(|token| token.groups = Some(vec!["other".to_owned()]));
    assert_eq!(stack.visitor_with(bound).get(GENERIC).await.status, 404);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_of_other_sites_do_nothing() {
    let stack = Stack::start().await;
    stack.import("customers", customers(0..1, "+2567")).await;
    let url = format!("{}{GENERIC}/erased", stack.local.endpoints.http);
    for origin in ["https://evil.example", "null", ""] {
        let request = reqwest::Client::new().post(&url).header("origin", origin);
        let request = request.header("cookie", format!("session={}", stack.token(1)));
        let answer = request
            .body("id=1-generic-c0&count=1")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403, "{origin}");
    }
    assert_eq!(stack.record("customers", "c0").await["external_id"], "c0");
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_are_shown_and_do_nothing() {
    let stack = Stack::start().await;
    let mut texts = naughty_strings();
    texts.push("</table><script>alert(1)</script> \"'&".to_owned());
    let rows: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| json!({"external_id": format!("x{n}"), "profession": text}))
        .collect();
    let content = json!({"data": rows}).to_string();
    let job = stack
        .import_key("inbox/1/generic/customers/rows.json", content)
        .await;
    assert!(job.counts.created > 0, "{job:?}");
    let visitor = stack.visitor();
    let page = visitor.get(GENERIC).await;
    page.assert_private_and_harmless();
    assert!(!page.has("<img src=x") && !page.has("</table><script>"));
    assert_eq!(page.html.matches("</table>").count(), 1);

    let last = format!("x{}", texts.len() - 1);
    let one = visitor
        .post(&format!("{GENERIC}/customer"), &find(&last))
        .await;
    one.assert_private_and_harmless();
    assert!(one.has("&#60;/table&#62;&#60;script&#62;alert(1)&#60;/script&#62; &#34;&#39;&#38;"));
    let nobody = visitor
        .post(&format!("{GENERIC}/customer"), &find("\"><script>"))
        .await;
    nobody.assert_private_and_harmless();
    stack.stop().await;
}
