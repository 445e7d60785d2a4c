//! The editor of a workspace's fields in the console.

use serde_json::{Value, json};

use crate::{
    stack::Stack,
    visitor::{Page, naughty_strings, unescaped},
    workspace::fields,
};

const FIELDS: &str = "/console/fields";

/// The form's inputs as a browser would send them, but for its buttons.
fn filled(page: &Page) -> Vec<(String, String)> {
    let count: usize = page.all_after("name=\"count\" value=\"")[0]
        .parse()
        .unwrap();
    let mut form = vec![
        ("count".to_owned(), count.to_string()),
        (
            "version".to_owned(),
            page.all_after("name=\"version\" value=\"").remove(0),
        ),
    ];
    for place in 0..count {
        for name in ["name", "currency", "pattern"] {
            let name = format!("{name}-{place}");
            let value = page
                .all_after(&format!("name=\"{name}\" value=\""))
                .remove(0);
            form.push((name, value));
        }
        for name in ["type", "date"] {
            let name = format!("{name}-{place}");
            let select = page.html.split(&format!("name=\"{name}\"")).nth(1).unwrap();
            let select = select.split("</select>").next().unwrap();
            let chosen = select.split(" selected>").collect::<Vec<_>>();
            let Some(after) = chosen.get(1) else { continue };
            let value = match name.starts_with("type") {
                true => chosen[0]
                    .rsplit("value=\"")
                    .next()
                    .unwrap()
                    .trim_end_matches('"'),
                false => after.split('<').next().unwrap(),
            };
            form.push((name, value.to_owned()));
        }
        let values = format!("values-{place}");
        let text = page
            .html
            .split(&format!("name=\"{values}\""))
            .nth(1)
            .unwrap();
        let text = text
            .split_once('>')
            .unwrap()
            .1
            .split("</textarea>")
            .next()
            .unwrap();
        form.push((values, unescaped(text)));
        for (name, input) in [("required", "required"), ("pii", "pii")] {
            let checked = format!("name=\"{name}-{place}\" value=\"true\" checked");
            if page.has(&checked) {
                form.push((format!("{input}-{place}"), "true".to_owned()));
            }
        }
        if page.has(&format!("name=\"unique\" value=\"{place}\" checked")) {
            form.push(("unique".to_owned(), place.to_string()));
        }
    }
    form
}

fn pairs<'a>(form: &'a [(String, String)], button: &'a str) -> Vec<(&'a str, &'a str)> {
    let form = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    form.chain([("do", button)]).collect()
}

fn names(page: &Page) -> Vec<String> {
    let form = filled(page);
    let names = form.iter().filter(|(name, _)| name.starts_with("name-"));
    names.map(|(_, value)| value.clone()).collect()
}

async fn stored(stack: &Stack) -> Value {
    stack.get("/v1/workspace/fields").await.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_begins_with_an_example() {
    let stack = Stack::start().await;
    let visitor = stack.visitor();
    let empty = visitor.get(FIELDS).await;
    assert!(empty.has("There are no fields yet."));
    let example = visitor
        .post(FIELDS, &pairs(&filled(&empty), "example"))
        .await;
    assert_eq!(names(&example)[..2], ["customer_number", "full_name"]);
    assert_eq!(
        stored(&stack).await["version"],
        0,
        "nothing is saved before it is"
    );
    let saved = visitor
        .send(FIELDS, &pairs(&filled(&example), "save"))
        .await;
    assert!(saved.has("The fields are saved."), "{}", saved.html);
    let body = stored(&stack).await;
    assert_eq!(body["fields"][0]["unique_identifier"], true);
    assert_eq!(body["fields"][3]["field_format"], "dd/MM/yyyy");
    assert_eq!(
        body["fields"][4]["values"][0],
        json!({"value": "g", "name": "Gold"})
    );

    // The same form again changes nothing.
    let again = visitor
        .post(FIELDS, &pairs(&filled(&example), "save"))
        .await;
    assert_eq!(again.location(), Some("/console/fields?done=saved"));
    assert_eq!(stored(&stack).await, body);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_comes_back_as_it_was() {
    let stack = Stack::start().await;
    let mut all = fields();
    let hostile = ["a=b", "c = d", r"back\slash", r"both\=", "<b>", "x"];
    all.as_array_mut().unwrap().push(
        json!({"name": "Odd \"<values>\" & 'more'", "field_type": "enum", "values": hostile}),
    );
    stack.define(all).await;
    let before = stored(&stack).await;
    let visitor = stack.visitor();
    let page = visitor.get(FIELDS).await;
    page.assert_private_and_harmless();
    let saved = visitor.post(FIELDS, &pairs(&filled(&page), "save")).await;
    assert_eq!(
        saved.location(),
        Some("/console/fields?done=saved"),
        "{}",
        saved.html
    );
    assert_eq!(stored(&stack).await, before);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_added_moved_and_removed_without_a_script() {
    let stack = Stack::start().await;
    stack.define(fields()).await;
    let visitor = stack.visitor();
    let page = visitor.get(FIELDS).await;
    let before = names(&page);
    let added = visitor.post(FIELDS, &pairs(&filled(&page), "add")).await;
    assert_eq!(names(&added).len(), before.len() + 1);
    let down = visitor
        .post(FIELDS, &pairs(&filled(&added), "down-0"))
        .await;
    assert_eq!(names(&down)[..2], [before[1].clone(), before[0].clone()]);
    assert!(
        down.has(r#"name="unique" value="1" checked"#),
        "the identifier moves along"
    );
    let up = visitor.post(FIELDS, &pairs(&filled(&down), "up-1")).await;
    let last = format!("remove-{}", before.len());
    let removed = visitor.post(FIELDS, &pairs(&filled(&up), &last)).await;
    assert_eq!(names(&removed), before);
    let gone = visitor
        .post(FIELDS, &pairs(&filled(&removed), "remove-0"))
        .await;
    assert!(!gone.has("name=\"unique\" value=\"0\" checked"));
    for odd in [
        "remove-99",
        "up-0",
        "down-99",
        "remove-",
        "up-x",
        "",
        "nothing",
    ] {
        let page = visitor.post(FIELDS, &pairs(&filled(&removed), odd)).await;
        assert_eq!(
            (page.status.as_u16(), names(&page)),
            (200, before.clone()),
            "{odd}"
        );
    }
    assert_eq!(stored(&stack).await["version"], 1);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_stands_at_its_input_and_nothing_is_lost() {
    let stack = Stack::start().await;
    let visitor = stack.visitor();
    let rows = [
        ("a", "string", "("),
        ("A", "date", ""),
        ("", "currency", ""),
        ("d", "enum", ""),
        ("<script>", "nothing", ""),
    ];
    let mut form = vec![
        ("count".to_owned(), "5".to_owned()),
        ("version".to_owned(), "0".to_owned()),
    ];
    for (place, (name, r#type, pattern)) in rows.iter().enumerate() {
        form.push((format!("name-{place}"), (*name).to_owned()));
        form.push((format!("type-{place}"), (*r#type).to_owned()));
        form.push((format!("pattern-{place}"), (*pattern).to_owned()));
    }
    let page = visitor.post(FIELDS, &pairs(&form, "save")).await;
    assert_eq!(page.status, 400);
    page.assert_private_and_harmless();
    let inputs = [
        "pattern-0",
        "name-1",
        "date-1",
        "name-2",
        "currency-2",
        "values-3",
        "type-4",
        "unique-0",
    ];
    for input in inputs {
        assert!(
            page.has(&format!("<a href=\"#{input}\"")),
            "{input}: {}",
            page.html
        );
        assert!(page.has(&format!("id=\"{input}-error\"")), "{input}");
    }
    assert_eq!(names(&page), ["a", "A", "", "d", "<script>"]);
    assert!(page.has(r#"role="alert" tabindex="-1" autofocus"#));
    let french = visitor
        .post(&format!("/fr{FIELDS}"), &pairs(&form, "save"))
        .await;
    assert!(french.has("Un champ doit être l&#39;identifiant unique"));
    assert!(!french.has("exactly one field"), "{}", french.html);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_others_and_of_stored_customers_are_refused() {
    let stack = Stack::start().await;
    stack.define(fields()).await;
    let visitor = stack.visitor();
    let mut form = filled(&visitor.get(FIELDS).await);
    form.retain(|(name, _)| name != "pii-1");
    stack
        .import_workspace("a.csv", "customer no,full name\n1,Ann\n")
        .await;
    let refused = visitor.post(FIELDS, &pairs(&form, "save")).await;
    assert_eq!(refused.status, 409);
    assert!(refused.has(r##"<a href="#pii-1""##), "{}", refused.html);

    let mut more = fields();
    more.as_array_mut()
        .unwrap()
        .push(json!({"name": "new", "field_type": "number"}));
    stack.define(more).await;
    let stale = visitor.post(FIELDS, &pairs(&form, "save")).await;
    assert_eq!(stale.status, 409);
    assert!(stale.has("Somebody else has changed the fields"));

    let reader = stack.visitor_who_may("records:read");
    let page = reader.get(FIELDS).await;
    assert!(page.has("Customer No") && !page.has("id=\"save\""));
    assert_eq!(reader.post(FIELDS, &pairs(&form, "save")).await.status, 403);
    let foreign = stack.visitor_with(stack.token(2));
    assert!(foreign.get(FIELDS).await.has("There are no fields yet."));
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_forms_are_answered() {
    let stack = Stack::start().await;
    let visitor = stack.visitor();
    for count in ["", "-1", "x", "99999999999999999999", "201", "200"] {
        let form = [("count", count), ("unique", "7"), ("do", "save")];
        let page = visitor.post(FIELDS, &form).await;
        assert_eq!(page.status, 400, "{count}");
    }
    let strings = naughty_strings();
    for chunk in strings.chunks(200) {
        let mut form = vec![("count".to_owned(), chunk.len().to_string())];
        for (place, text) in chunk.iter().enumerate() {
            for name in ["name", "type", "pattern", "currency", "values", "date"] {
                form.push((format!("{name}-{place}"), text.clone()));
            }
        }
        let page = visitor.post(FIELDS, &pairs(&form, "add")).await;
        assert_eq!(page.status, 200);
        page.assert_private_and_harmless();
        let page = visitor.post(FIELDS, &pairs(&form, "save")).await;
        assert_eq!(page.status, 400);
        page.assert_private_and_harmless();
    }
    stack.stop().await;
}
