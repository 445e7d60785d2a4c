//! The OpenAPI document, against the table of routes and against itself. What the routes really
//! take and answer is held against it by `scripts/contract/run`.

use std::collections::BTreeSet;

use clientele::web::ENDPOINTS;
use clientele_docs::{Docs, DocsSettings};
use lambda_http::{Request, Response, request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{api_payloads::payload, docs::text};

async fn ask(path: &str, settings: DocsSettings) -> Response<lambda_http::Body> {
    let mut event: Value = serde_json::from_str(&payload("docs_openapi.json")).unwrap();
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["path"] = path.into();
    let request: Request = request::from_str(&event.to_string()).unwrap();
    clientele_docs::handle(&Docs::new(settings), request).await
}

async fn document() -> Value {
    let response = ask("/openapi.json", DocsSettings::default()).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.headers().contains_key("etag"));
    serde_json::from_slice(response.body()).unwrap()
}

/// Everything below a value that has a member of a name.
fn all<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(name));
            members.values().for_each(|value| all(value, name, found));
        }
        Value::Array(elements) => elements.iter().for_each(|value| all(value, name, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_has_the_routes_of_the_table_and_those_of_the_documentation() {
    let document = document().await;
    let mut said = BTreeSet::new();
    let mut public = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let route = format!("{} {path}", method.to_uppercase());
            match operation["security"] == json!([]) {
                true => public.insert(route),
                false => said.insert(route),
            };
            let id = operation["operationId"].as_str().unwrap();
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{id}");
        }
    }
    let routes = ENDPOINTS.iter().flat_map(|endpoint| {
        let paths = endpoint.paths().map(|path| path.replace("+}", "}"));
        paths.map(|path| format!("{} {path}", endpoint.method))
    });
    assert_eq!(said, routes.collect());
    for path in ["/openapi.json", "/schemas/{file}", "/docs/api"] {
        assert!(public.contains(&format!("GET {path}")), "{path}");
    }
}

#[tokio::test]
async fn every_operation_names_its_scope_and_has_a_name_of_its_own() {
    let document = document().await;
    for endpoint in ENDPOINTS {
        for path in endpoint.paths() {
            let method = endpoint.method.as_str().to_lowercase();
            let operation = &document["paths"][path.replace("+}", "}")][&method];
            let scope = endpoint.scope.as_str();
            assert_eq!(operation["x-scope"], scope, "{path}");
            assert_eq!(operation["security"][0]["token"], json!([scope]), "{path}");
            let description = operation["description"].as_str().unwrap();
            assert!(description.contains(scope), "{path}");
            let is_open = operation["security"][1]["sourceToken"] == json!([]);
            assert_eq!(is_open, endpoint.operation.is_open_to_sources(), "{path}");
        }
    }
    let mut ids = Vec::new();
    all(&document["paths"], "operationId", &mut ids);
    let different: BTreeSet<_> = ids.iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(different.len(), ids.len());
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    let mut references = Vec::new();
    all(&document, "$ref", &mut references);
    assert!(references.len() > 300, "{}", references.len());
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

/// A schema of the document by itself.
fn compiled(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut schema = schema.clone();
    let members = schema.as_object_mut().unwrap();
    members.insert("components".to_owned(), document["components"].clone());
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::options().build(&schema).unwrap()
}

#[tokio::test]
async fn every_schema_takes_its_examples() {
    let document = document().await;
    let mut checked = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let validator = compiled(&document, schema);
        for example in schema["examples"].as_array().into_iter().flatten() {
            assert!(validator.is_valid(example), "{name}: {example}");
            checked += 1;
        }
    }
    let mut contents = Vec::new();
    all(&document["paths"], "content", &mut contents);
    for content in contents
        .iter()
        .flat_map(|content| content.as_object().unwrap().values())
    {
        let validator = compiled(&document, &content["schema"]);
        let named = content["examples"].as_object().into_iter().flatten();
        let examples = named.map(|(_, example)| &example["value"]);
        for example in examples.chain(content.get("example")) {
            assert!(validator.is_valid(example), "{example}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}

#[tokio::test]
async fn requests_go_to_the_host_that_was_asked() {
    // A page may send requests to its own origin alone, wherever the function finds the API.
    for api_url in ["", "https://api.example"] {
        let settings = DocsSettings {
            api_url: api_url.to_owned(),
            ..DocsSettings::default()
        };
        let response = ask("/openapi.json", settings).await;
        let document: Value = serde_json::from_slice(response.body()).unwrap();
        let host = "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com";
        assert_eq!(document["servers"], json!([{"url": host}]));
    }
}

#[tokio::test]
async fn the_page_loads_its_own_files_alone() {
    for (path, lang) in [("/docs/api", "en"), ("/fr/docs/api", "fr")] {
        let response = ask(path, DocsSettings::default()).await;
        assert_eq!(response.status(), 200, "{path}");
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(!policy.contains("unsafe"), "{policy}");
        let page = String::from_utf8(response.body().to_vec()).unwrap();
        assert!(page.contains(&format!("<html lang=\"{lang}\">")), "{path}");
        let loaded = page.split([' ', '>']).filter_map(|attribute| {
            let value = attribute.strip_prefix("src=\"");
            value.or_else(|| {
                attribute
                    .strip_prefix("href=\"/docs/assets")
                    .map(|_| &attribute[6..])
            })
        });
        let loaded: Vec<_> = loaded
            .map(|value| value.trim_end_matches('"').to_owned())
            .collect();
        assert!(loaded.len() >= 5, "{loaded:?}");
        for file in loaded {
            let response = ask(&file, DocsSettings::default()).await;
            assert_eq!(response.status(), 200, "{file}");
        }
    }
}

#[test]
fn the_viewer_is_the_one_that_its_readme_names() {
    let readme = text("functions/docs/assets/swagger-ui/README.md");
    for name in ["swagger-ui-bundle.js", "swagger-ui.css"] {
        let file = text(&format!("functions/docs/assets/swagger-ui/{name}"));
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(file));
        assert!(
            readme.contains(&format!("| `{name}` | `{digest}` |")),
            "{name}"
        );
    }
}
