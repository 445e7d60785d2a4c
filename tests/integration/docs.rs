//! What anyone may read: the `docs` function, alone and behind the gateway.

use std::{
    io::Read,
    path::PathBuf,
    pin::pin,
    task::{Context, Poll, Waker},
};

use clientele::{config::DocsUrl, dataset::Dataset};
use clientele_docs::{Docs, DocsSettings};
use http::header;
use lambda_http::{Body, Request, Response, request};
use serde_json::Value;

use crate::stack::Stack;

const DOCS_URL: &str = "https://registry.example/docs";

pub(crate) fn in_repository(path: &str) -> PathBuf {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(path)
}

/// The text of a file of the repository.
pub(crate) fn text(path: &str) -> String {
    let path = in_repository(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut event: Value = serde_json::from_str(&text("events/docs_schema.json")).unwrap();
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["requestContext"]["http"]["method"] = method.into();
    for (name, value) in headers {
        event["headers"][name] = (*value).into();
    }
    let request: Request = request::from_str(&event.to_string()).unwrap();
    answer(DocsUrl::new(DOCS_URL), request)
}

/// What the function answers; nothing public makes it wait for anybody.
fn answer(docs_url: DocsUrl, request: Request) -> Response<Body> {
    let docs = Docs::new(DocsSettings {
        docs_url,
        ..DocsSettings::default()
    });
    let mut answer = pin!(clientele_docs::handle(&docs, request));
    match answer
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(response) => response,
        Poll::Pending => panic!("a public page waits"),
    }
}

#[test]
fn errors_link_to_the_host_that_was_called() {
    let table = [
        (
            Some("registry.example"),
            "https://registry.example/docs/errors/not_found",
        ),
        // As the other functions do.
        (None, "https://clientele/docs/errors/not_found"),
    ];
    for (host, link) in table {
        let mut event: Value = serde_json::from_str(&text("events/docs_schema.json")).unwrap();
        event["rawPath"] = "/nothing".into();
        event["requestContext"]["http"]["path"] = "/nothing".into();
        let headers = event["headers"].as_object_mut().unwrap();
        headers.remove("host");
        headers.extend(host.map(|host| ("host".to_owned(), host.into())));
        let request: Request = request::from_str(&event.to_string()).unwrap();
        let response = answer(DocsUrl::default(), request);
        let problem: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(problem["type"], link);
    }
}

fn header_of(response: &Response<Body>, name: header::HeaderName) -> &str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

/// The copy for people in `docs/schemas`. After a change of the dataset's file, this writes it anew:
/// `CLIENTELE_WRITE_SCHEMAS=1 cargo test -p clientele-tests docs::`.
#[test]
fn the_schema_is_served_as_docs_schemas_has_it() {
    let response = ask("GET", "/schemas/profiles.json", &[]);
    assert_eq!(response.status(), 200);
    let of_type = header_of(&response, header::CONTENT_TYPE);
    assert_eq!(of_type, "application/schema+json");
    let cache = header_of(&response, header::CACHE_CONTROL);
    assert_eq!(cache, "public, max-age=300");
    let Body::Text(served) = response.body() else {
        panic!("the schema is no text");
    };
    let copy = "docs/schemas/profiles.json";
    if std::env::var_os("CLIENTELE_WRITE_SCHEMAS").is_some() {
        std::fs::write(in_repository(copy), served).unwrap();
    }
    let remedy = "run this test with CLIENTELE_WRITE_SCHEMAS=1";
    assert_eq!(&text(copy), served, "{copy} is out of date: {remedy}");
}

#[test]
fn every_dataset_has_a_schema() {
    for name in ["customers", "meters", "contacts", "profiles", "workspace"] {
        let response = ask("GET", &format!("/schemas/{name}.json"), &[]);
        assert_eq!(response.status(), 200, "{name}");
        let schema: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(schema["$id"], format!("urn:clientele:schema:{name}"));
        assert!(schema["examples"][0].is_object(), "{name}");
    }
}

#[test]
fn a_client_that_has_the_schema_is_told_so() {
    let first = ask("GET", "/schemas/profiles.json", &[]);
    let tag = header_of(&first, header::ETAG).to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let weak = format!("W/{tag}");
    let among = format!("\"other\", {tag}");
    let table = [
        (tag.as_str(), 304),
        (weak.as_str(), 304),
        (among.as_str(), 304),
        ("*", 304),
        ("\"other\"", 200),
        (tag.trim_matches('"'), 200),
        ("", 200),
    ];
    for (known, status) in table {
        for method in ["GET", "HEAD"] {
            let response = ask(
                method,
                "/schemas/profiles.json",
                &[("if-none-match", known)],
            );
            assert_eq!(response.status(), status, "{method} {known}");
            assert_eq!(header_of(&response, header::ETAG), tag, "{known}");
            let is_empty = response.body().is_empty();
            assert_eq!(
                is_empty,
                status == 304 || method == "HEAD",
                "{method} {known}"
            );
        }
    }
}

#[test]
fn what_is_not_there_is_a_problem_with_the_request_id() {
    let table = [
        ("GET", "/schemas/nothing.json", 404, "not_found"),
        ("GET", "/schemas/profiles", 404, "not_found"),
        ("GET", "/schemas/PROFILES.json", 404, "not_found"),
        ("GET", "/schemas/", 404, "not_found"),
        ("GET", "/schemas/profiles.json/x", 404, "not_found"),
        ("GET", "/schemas/../profiles.json", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("POST", "/schemas/profiles.json", 405, "method_not_allowed"),
        (
            "DELETE",
            "/schemas/profiles.json",
            405,
            "method_not_allowed",
        ),
    ];
    for (method, path, status, code) in table {
        let response = ask(method, path, &[]);
        assert_eq!(response.status(), status, "{method} {path}");
        let of_type = header_of(&response, header::CONTENT_TYPE);
        assert_eq!(of_type, "application/problem+json", "{path}");
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(body["type"], format!("{DOCS_URL}/errors/{code}"), "{path}");
        assert!(response.headers().contains_key("x-request-id"), "{path}");
        let allow = header_of(&response, header::ALLOW);
        assert_eq!(
            allow,
            if status == 405 { "GET, HEAD" } else { "" },
            "{path}"
        );
    }
    assert!(ask("HEAD", "/schemas/nothing.json", &[]).body().is_empty());
}

#[test]
fn the_event_of_the_page_is_one() {
    let page = text("docs/events.md");
    let (_, rest) = page.split_once("```json\n").unwrap();
    let (event, _) = rest.split_once("\n```").unwrap();
    let event: Value = serde_json::from_str(event).unwrap();
    let profiles = Dataset::builtin("profiles").unwrap();
    assert_eq!(profiles.event_schema().unwrap().problems(&event), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_gives_the_schema_to_anyone() {
    let stack = Stack::start().await;
    let client = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", stack.local.endpoints.http);
    let answer = client
        .get(url("/schemas/profiles.json"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let tag = answer.headers()[header::ETAG].clone();
    assert_eq!(
        answer.text().await.unwrap(),
        text("docs/schemas/profiles.json")
    );
    let again = client.get(url("/schemas/profiles.json"));
    let again = again
        .header(header::IF_NONE_MATCH, tag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
    let head = client
        .head(url("/schemas/profiles.json"))
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), 200);
    let posted = client
        .post(url("/schemas/profiles.json"))
        .send()
        .await
        .unwrap();
    assert_eq!(posted.status(), 405);
    for path in [
        "/schemas",
        "/schemas/",
        "/schemas/nothing.json",
        "/schemas/a/b.json",
    ] {
        let answer = client.get(url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    stack.stop().await;
}

#[test]
fn texts_travel_compressed_to_who_can_read_that() {
    let page = "/docs/customers";
    let plain = ask("GET", page, &[("accept-language", "en")]);
    let body = String::from_utf8(plain.body().to_vec()).unwrap();
    assert_eq!(
        plain.headers()[header::VARY],
        "Accept-Language, Accept-Encoding"
    );
    assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));

    for coding in ["gzip", "br, GZIP;q=0.5"] {
        let headers = [("accept-language", "en"), ("accept-encoding", coding)];
        let packed = ask("GET", page, &headers);
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&packed.body()[..])
            .read_to_string(&mut unpacked)
            .unwrap();
        // Ciphertexts differ each time.
        let until_stored = |html: &str| html.split("</thead>").next().unwrap().to_owned();
        assert_eq!(until_stored(&unpacked), until_stored(&body));
    }
    for coding in ["", "br", "gzip;q=0", "identity"] {
        let reply = ask("GET", page, &[("accept-encoding", coding)]);
        assert!(
            !reply.headers().contains_key(header::CONTENT_ENCODING),
            "{coding}"
        );
    }
    let head = ask("HEAD", page, &[("accept-encoding", "gzip")]);
    assert!(head.body().is_empty());
    assert_eq!(head.headers()[header::CONTENT_ENCODING], "gzip");
}

#[test]
fn a_compressed_file_that_has_not_changed_is_not_sent_again() {
    let file = "/schemas/customers.json";
    let first = ask("GET", file, &[("accept-encoding", "gzip")]);
    let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    // Other bytes than the file's own, for which a strong tag would stand (RFC 9110, 8.8.1).
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = ask(
        "GET",
        file,
        &[("accept-encoding", "gzip"), ("if-none-match", &tag)],
    );
    assert_eq!(again.status(), 304);
    let known = ask("GET", file, &[("if-none-match", "\"another\"")]);
    assert_eq!(known.status(), 200);
}

#[test]
fn what_pages_load_is_kept_for_good_at_an_address_of_its_content() {
    let page = ask("GET", "/en/docs", &[]);
    let page = String::from_utf8(page.body().to_vec()).unwrap();
    let address = page
        .split('"')
        .find(|text| text.ends_with("/site.css"))
        .unwrap();
    for coding in ["", "gzip"] {
        let file = ask("GET", address, &[("accept-encoding", coding)]);
        let headers = file.headers();
        assert_eq!(file.status(), 200, "{address}");
        assert_eq!(
            headers[header::CACHE_CONTROL],
            "public, max-age=31536000, immutable"
        );
        assert_eq!(headers[header::VARY], "Accept-Encoding");
        let is_packed = headers.contains_key(header::CONTENT_ENCODING);
        assert_eq!(is_packed, coding == "gzip");
    }
    // The page of another deployment, in a browser's memory for a while.
    let older = ask("GET", "/docs/assets/0123456789abcdef/site.css", &[]);
    assert_eq!(older.status(), 200);
    assert_eq!(
        older.headers()[header::CACHE_CONTROL],
        "public, max-age=300"
    );
    let unknown = ask("GET", "/docs/assets/0123456789abcdef/none.css", &[]);
    assert_eq!(unknown.status(), 404);
}
