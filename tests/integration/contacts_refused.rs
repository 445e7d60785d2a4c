//! What is wrong with a request to make or list contacts, in the words that clients know.

use serde_json::{Value, json};

use crate::{
    contacts::{full, least},
    stack::Stack,
};

const PATH: &str = "/external/v1/customers";
const BULK: &str = "/external/v1/external/v1/customers/bulk";

/// The details of a reply, each in a line: `body.email missing: Field required`.
fn lines(detail: &Value) -> Vec<String> {
    let line = |detail: &Value| {
        let place = |part: &Value| match part {
            Value::String(name) => name.clone(),
            part => part.to_string(),
        };
        let loc: Vec<String> = detail["loc"]
            .as_array()
            .unwrap()
            .iter()
            .map(place)
            .collect();
        let text = |name: &str| detail[name].as_str().unwrap().to_owned();
        assert_eq!(detail.as_object().unwrap().len(), 3, "{detail}");
        format!("{} {}: {}", loc.join("."), text("type"), text("msg"))
    };
    detail.as_array().unwrap().iter().map(line).collect()
}

impl Stack {
    async fn refused(&self, path: &str, body: &str) -> Vec<String> {
        let answer = self.post_text(path, body).await;
        assert_eq!(answer.status, 422, "{body}: {answer:?}");
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.body.as_object().unwrap().len(), 1);
        lines(&answer.body["detail"])
    }
}

/// A contact with another value under a name.
fn with(name: &str, value: Value) -> String {
    let mut contact = full();
    contact[name] = value;
    contact.to_string()
}

const STRING: &str = "string_type: Input should be a valid string";
const SHORT: &str = "string_too_short: String should have at least 1 character";
const MISSING: &str = "missing: Field required";
const OBJECT: &str =
    "model_attributes_type: Input should be a valid dictionary or object to extract fields from";
const BROKEN: &str = "json_invalid: JSON decode error";
const EMAIL: &str = "value_error: value is not a valid email address: it needs one @, with \
                     something before and after it, and no spaces";

#[tokio::test(flavor = "multi_thread")]
async fn the_reply_is_the_one_that_clients_know() {
    let stack = Stack::start().await;
    let body = json!({"name": "Amina", "source": "web"});
    let answer = stack.post(PATH, &body).await;
    assert_eq!(answer.status, 422);
    let expected =
        json!({"detail": [{"loc": ["body", "email"], "msg": "Field required", "type": "missing"}]});
    assert_eq!(answer.body, expected);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_with_a_contact_is_said() {
    let stack = Stack::start().await;
    let long = "x".repeat(4_097);
    let table: Vec<(String, Vec<String>)> = [
        ("{}".into(), vec![
            format!("body.name {MISSING}"), format!("body.email {MISSING}"), format!("body.source {MISSING}"),
        ]),
        (json!({"name": 7, "email": "nobody", "source": null, "city": ["x"], "is_active": "perhaps"}).to_string(), vec![
            format!("body.city {STRING}"),
            format!("body.email {EMAIL}"),
            "body.is_active bool_parsing: Input should be a valid boolean, unable to interpret input".into(),
            format!("body.name {STRING}"),
            format!("body.source {STRING}"),
        ]),
        (with("name", json!("")), vec![format!("body.name {SHORT}")]),
        (with("email", json!(" \u{a0} ")), vec![format!("body.email {SHORT}")]),
        (with("email", json!("a b@c")), vec![format!("body.email {EMAIL}")]),
        (with("email", json!("a@b@c")), vec![format!("body.email {EMAIL}")]),
        (with("source", json!(true)), vec![format!("body.source {STRING}")]),
        (with("source", json!({"a": 1})), vec![format!("body.source {STRING}")]),
        (with("company_id", json!(100)), vec![format!("body.company_id {STRING}")]),
        (with("latitude", json!(-1.29)), vec![format!("body.latitude {STRING}")]),
        (with("name", json!(1e300)), vec![format!("body.name {STRING}")]),
        (with("is_active", json!([])), vec!["body.is_active bool_type: Input should be a valid boolean".into()]),
        (with("is_active", json!(2)), vec![
            "body.is_active bool_parsing: Input should be a valid boolean, unable to interpret input".into(),
        ]),
        (with("latitude", json!("90.1")), vec![
            "body.latitude value_error: Value error, degrees are a text from -90 to 90, with a period: \"12.3456\"".into(),
        ]),
        (with("longitude", json!("12,5")), vec![
            "body.longitude value_error: Value error, degrees are a text from -180 to 180, with a period: \"12.3456\"".into(),
        ]),
        (with("city", json!(long)), vec![
            "body.city string_too_long: String should have at most 4096 characters".into(),
        ]),
        (with("city", json!("a\0b")), vec![
            "body.city value_error: Value error, city holds a character that cannot be printed; retype the value".into(),
        ]),
        (with("emial", json!("a@b.example")), vec![
            "body.emial extra_forbidden: Extra inputs are not permitted: did you mean email?".into(),
        ]),
        (with("Full Name", json!("B")), vec![
            "body.name value_error: Value error, another member means the same field; keep one of them".into(),
        ]),
        (with("notes", json!("x".repeat(66_000))), vec![
            "body value_error: Value error, the row, or what it adds to the stored record, is larger than 64 KiB".into(),
        ]),
        // Small as it came, large as JSON that is stored.
        (with("notes", json!("\u{1}".repeat(60_000))), vec![
            "body value_error: Value error, a contact takes at most 64 KiB".into(),
        ]),
        (with(&"n".repeat(256), json!(1)), vec![
            "body value_error: Value error, the name of a member is longer than 255 bytes".into(),
        ]),
        (r#"{"name": "a", "email": "a@b", "name": "b"}"#.into(), vec![
            "body value_error: Value error, the row names a key twice".into(),
        ]),
        (r#"{"name": "\ud83d", "email": "a@b", "source": "c"}"#.into(), vec![
            "body string_unicode: Input should be a valid string, unable to parse raw data as a unicode string".into(),
        ]),
        (format!(r#"{{"name": "a", "x": {}{}}}"#, "[".repeat(40), "]".repeat(40)), vec![
            "body value_error: Value error, the row is nested too deeply; flatten it".into(),
        ]),
    ].into_iter().collect();
    for (body, expected) in &table {
        let shown: String = body.chars().take(200).collect();
        assert_eq!(&stack.refused(PATH, body).await, expected, "{shown}");
    }
    let listed = stack.get(PATH).await.body;
    assert_eq!(listed["total"], 0);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_contact_at_all_is_said_as_well() {
    let stack = Stack::start().await;
    let deep = "[".repeat(100_000);
    let table = [
        ("", format!("body {MISSING}")),
        (" \n ", format!("body {MISSING}")),
        ("[]", format!("body {OBJECT}")),
        ("[{}]", format!("body {OBJECT}")),
        ("null", format!("body {OBJECT}")),
        ("7", format!("body {OBJECT}")),
        ("\"text\"", format!("body {OBJECT}")),
        ("{", format!("body.1 {BROKEN}")),
        (r#"{"name": }"#, format!("body.9 {BROKEN}")),
        ("{\"name\": \"é\",\n é}", format!("body.15 {BROKEN}")),
        (r#"{"name": "a"} x"#, format!("body.14 {BROKEN}")),
        ("{'name': 1}", format!("body.1 {BROKEN}")),
        (r#"{"name": NaN}"#, format!("body.9 {BROKEN}")),
        (deep.as_str(), format!("body.100000 {BROKEN}")),
    ];
    for (body, expected) in &table {
        let shown: String = body.chars().take(50).collect();
        assert_eq!(
            stack.refused(PATH, body).await,
            [expected.as_str()],
            "{shown}"
        );
        if !shown.starts_with("[{") {
            assert_eq!(
                stack.refused(BULK, body).await,
                [expected.as_str()],
                "{shown}"
            );
        }
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for path in [PATH, BULK] {
        let url = format!("{}{path}", stack.local.endpoints.http);
        let request = reqwest::Client::new().post(url).bearer_auth(stack.token(1));
        let request = request.header(form[0].0, form[0].1).body("name=a");
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 415);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_list_is_said_by_its_place() {
    let stack = Stack::start().await;
    let table = [
        (json!({}), vec![format!("body.customers {MISSING}")]),
        (json!({"customer": []}), vec![format!("body.customers {MISSING}")]),
        (json!({"customers": null}), vec!["body.customers list_type: Input should be a valid list".into()]),
        (json!({"customers": full()}), vec!["body.customers list_type: Input should be a valid list".into()]),
        (json!({"customers": [least(1), {"name": "B", "source": "web"}, 7, {"email": ""}]}), vec![
            format!("body.customers.1.email {MISSING}"),
            format!("body.customers.2 {OBJECT}"),
            format!("body.customers.3.name {MISSING}"),
            format!("body.customers.3.email {SHORT}"),
            format!("body.customers.3.source {MISSING}"),
        ]),
        (json!({"customers": vec![least(1); 101]}), vec![
            "body.customers too_long: List should have at most 100 items after validation, not 101".into(),
        ]),
    ];
    for (body, expected) in table {
        assert_eq!(
            stack.refused(BULK, &body.to_string()).await,
            expected,
            "{body}"
        );
    }
    let twice = r#"{"customers": [], "customers": []}"#;
    let expected = ["body value_error: Value error, a key is named twice"];
    assert_eq!(stack.refused(BULK, twice).await, expected);

    // A file of so many columns would be refused.
    let mut wide = least(1);
    for n in 0..1_000 {
        wide[format!("x{n}")] = json!(n);
    }
    let expected = "value_error: Value error, there are more than 1000 different names of members";
    let found = stack.refused(PATH, &wide.to_string()).await;
    assert_eq!(found, [format!("body {expected}")]);
    let body = json!({"customers": [wide]}).to_string();
    assert_eq!(
        stack.refused(BULK, &body).await,
        [format!("body.customers {expected}")]
    );

    let large = json!({"customers": vec![json!({"x": "y".repeat(60_000)}); 60]}).to_string();
    let expected = "body.customers value_error: Value error, the list is too large for one request; send fewer contacts in each";
    assert_eq!(stack.refused(BULK, &large).await, [expected]);

    // However much is wrong, the reply stays small.
    let hopeless = |n: usize| {
        let names = (0..200).map(|m| (format!("emial{n}x{m}"), json!(1)));
        Value::Object(names.collect())
    };
    let body = json!({"customers": (0..100).map(hopeless).collect::<Vec<_>>()}).to_string();
    let expected = "value_error: Value error, there are more than 1000 different names of members";
    assert_eq!(
        stack.refused(BULK, &body).await,
        [format!("body.customers {expected}")]
    );
    stack.set("unknown_columns", "reject").await;
    let body = json!({"customers": vec![hopeless(0); 100]}).to_string();
    assert_eq!(stack.refused(BULK, &body).await.len(), 1_000);

    let jobs = stack.get("/v1/jobs").await.body;
    assert_eq!(jobs["jobs"], json!([]));
    assert_eq!(stack.get(PATH).await.body["total"], 0);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_cannot_be_are_refused() {
    let stack = Stack::start().await;
    let parse =
        "int_parsing: Input should be a valid integer, unable to parse string as an integer";
    let least = "greater_than_equal: Input should be greater than or equal to 1";
    let table = [
        ("page=x", vec![format!("query.page {parse}")]),
        ("page=", vec![format!("query.page {parse}")]),
        (
            "page=1.5&page_size=0",
            vec![
                format!("query.page {parse}"),
                format!("query.page_size {least}"),
            ],
        ),
        ("page=0", vec![format!("query.page {least}")]),
        ("page=-1", vec![format!("query.page {least}")]),
        (
            "page_size=1001",
            vec![
                "query.page_size less_than_equal: Input should be less than or equal to 1000"
                    .into(),
            ],
        ),
        (
            "page=99999999999999999999999",
            vec![
                "query.page less_than_equal: Input should be less than or equal to 1000000000"
                    .into(),
            ],
        ),
    ];
    for (query, expected) in table {
        let answer = stack.get(&format!("{PATH}?{query}")).await;
        assert_eq!(answer.status, 422, "{query}");
        assert_eq!(lines(&answer.body["detail"]), expected, "{query}");
    }
    let most = stack
        .get(&format!("{PATH}?page=1000000000&page_size=1000"))
        .await;
    assert_eq!(
        (most.status.as_u16(), &most.body["data"]),
        (200, &json!([]))
    );
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_members_go_where_the_organization_says() {
    let stack = Stack::start().await;
    let contact = with("campaign", json!("spring"));
    for (setting, kept) in [
        ("keep", json!({"campaign": "spring"})),
        ("drop", Value::Null),
    ] {
        stack.contact(&least(0)).await;
        stack.set("unknown_columns", setting).await;
        let answer = stack.post_text(PATH, &contact).await;
        assert_eq!(answer.status, 201, "{setting}: {answer:?}");
        assert_eq!(answer.body["custom"], kept, "{setting}");
    }
    stack.set("unknown_columns", "reject").await;
    let expected = ["body.campaign extra_forbidden: Extra inputs are not permitted"];
    assert_eq!(stack.refused(PATH, &contact).await, expected);
    stack.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_too_large_says_so() {
    let stack = Stack::start().await;
    // Each quote is four bytes in the envelope that carries the reply.
    let mut contact = least(0);
    contact["notes"] = json!("\"".repeat(30_000));
    let body = json!({"customers": vec![contact; 10]});
    for _ in 0..6 {
        assert_eq!(stack.post(BULK, &body).await.status, 201);
    }
    let answer = stack.get(&format!("{PATH}?page_size=60")).await;
    assert_eq!(answer.status, 422, "{answer:?}");
    let expected = "query.page_size value_error: Value error, the page would be larger than the 6 MB of a reply; ask for a smaller one";
    assert_eq!(lines(&answer.body["detail"]), [expected]);
    assert_eq!(stack.get(&format!("{PATH}?page_size=10")).await.status, 200);
    stack.stop().await;
}
