//! The payloads in `events/` of the HTTP API, as Lambda hands them to the functions.

use std::collections::{BTreeMap, BTreeSet};

use clientele_docs::{Docs, DocsSettings};
use data_encoding::BASE64;
use lambda_http::{Body, Response, request};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    stack::{Stack, file},
    template::routes,
};

/// Each payload, and the status of its answer where the test file of customers was imported.
const PAYLOADS: &[(&str, u16)] = &[
    ("api_in_customers.json", 201),
    ("api_events.json", 202),
    ("api_events_gzip.json", 202),
    ("api_in_customers_check.json", 200),
    ("api_out_customers.json", 200),
    // A path that ends in a slash comes by the route for everything else.
    ("api_out_customers_slash.json", 200),
    ("api_unknown_path.json", 404),
    ("api_jobs.json", 200),
    // A job that exists nowhere.
    ("api_job.json", 404),
    ("api_job_report.json", 404),
    ("api_job_rejected.json", 404),
    ("api_job_cancel.json", 404),
    ("api_settings.json", 200),
    ("api_settings_change.json", 200),
    ("api_explain.json", 200),
    ("api_keys.json", 200),
    ("api_keys_rotate.json", 201),
    ("api_keys_rewrap.json", 202),
    ("api_uploads.json", 201),
    ("api_customer_check.json", 200),
    ("api_customer_check_json.json", 200),
    // It names a customer who exists nowhere.
    ("api_customer_update.json", 400),
    ("api_customer_delete.json", 200),
    ("api_fences_release.json", 200),
    ("api_groups.json", 200),
    ("api_group_create.json", 201),
    ("api_group_rename.json", 200),
    ("api_group_delete.json", 202),
    ("api_fields.json", 200),
    ("api_fields_put.json", 200),
    ("api_contacts_create.json", 201),
    ("api_contacts_bulk.json", 201),
    ("api_contacts.json", 200),
    ("api_contacts_create_old_path.json", 201),
    ("api_contacts_bulk_old_path.json", 201),
    ("api_contacts_old_path.json", 200),
    ("api_sources_grant.json", 201),
    ("api_sources.json", 200),
    ("api_sources_revoke.json", 200),
    ("pages_customer_pages.json", 200),
    ("pages_customer.json", 200),
    ("docs_schema.json", 200),
    ("docs_openapi.json", 200),
    ("docs_index.json", 200),
    ("docs_page.json", 200),
    ("docs_index_french.json", 200),
    ("docs_page_french.json", 200),
    ("docs_console.json", 200),
    // Nobody has signed in.
    ("docs_console_page.json", 401),
    ("docs_console_french.json", 200),
    ("docs_console_page_french.json", 401),
];

fn events() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// The text of a file of `events/`.
pub(crate) fn payload(name: &str) -> String {
    std::fs::read_to_string(events().join(name)).unwrap()
}

/// The files of `events/` whose names begin so.
pub(crate) fn names(prefixes: &[&str]) -> BTreeSet<String> {
    let files = std::fs::read_dir(events()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let is_one = |name: &String| prefixes.iter().any(|prefix| name.starts_with(prefix));
    names.filter(is_one).collect()
}

fn body(response: &Response<Body>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_payloads_of_every_http_route_are_answered() {
    let stack = Stack::start().await;
    let docs = Docs::new(DocsSettings {
        docs_url: stack.registry.config.docs_url.clone(),
        ..DocsSettings::default()
    });
    stack.import("customers", file("customers.csv")).await;
    for &(name, status) in PAYLOADS {
        let payload = payload(name).replace("Bearer TOKEN", &format!("Bearer {}", stack.token(1)));
        let request = request::from_str(&payload).unwrap();
        let response = match name.split('_').next() {
            Some("pages") => clientele_pages::handle(&stack.registry, request).await,
            Some("docs") => clientele_docs::handle(&docs, request).await,
            _ => clientele_api::handle(&stack.registry, request).await,
        };
        assert_eq!(response.status(), status, "{name}: {}", body(&response));
    }
    stack.stop().await;
}

#[test]
fn every_route_of_the_template_has_a_payload() {
    let names = names(&["api_", "pages_", "docs_"]);
    let tested: BTreeSet<String> = PAYLOADS.iter().map(|(name, _)| (*name).into()).collect();
    assert_eq!(names, tested);
    let said = |name: &String| {
        let event: Value = serde_json::from_str(&payload(name)).unwrap();
        let function = name.split('_').next().unwrap().to_owned();
        (function, event["routeKey"].as_str().unwrap().to_owned())
    };
    let with_payload: BTreeSet<_> = names.iter().map(said).collect();
    let routes = routes().into_iter().map(|route| {
        let function = route.function.trim_end_matches("Function").to_lowercase();
        (function, format!("{} {}", route.method, route.path))
    });
    let mut routes: BTreeSet<_> = routes.collect();
    // What names neither method nor path.
    routes.insert(("api".to_owned(), "$default".to_owned()));
    assert_eq!(with_payload, routes);
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
#[test]
fn the_payloads_of_the_http_api_agree_with_themselves() {
    for (name, _) in PAYLOADS {
        let event: Value = serde_json::from_str(&payload(name)).unwrap();
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        assert_eq!(text("/version"), Some("2.0"), "{name}");

        let (key, path) = (text("/routeKey").unwrap(), text("/rawPath").unwrap());
        assert_eq!(text("/requestContext/routeKey"), Some(key), "{name}");
        assert_eq!(text("/requestContext/http/path"), Some(path), "{name}");
        let method = text("/requestContext/http/method").unwrap();
        let parameters = event["pathParameters"].as_object();
        let mut filled = key.replace("ANY ", &format!("{method} "));
        for (parameter, value) in parameters.into_iter().flatten() {
            for placeholder in [format!("{{{parameter}}}"), format!("{{{parameter}+}}")] {
                filled = filled.replace(&placeholder, value.as_str().unwrap());
            }
        }
        if key != "$default" {
            assert_eq!(filled, format!("{method} {path}"), "{name}");
        }

        let query = text("/rawQueryString").unwrap();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text)
                .decode_utf8()
                .unwrap()
                .into_owned()
        };
        let pairs: BTreeMap<_, _> = pairs.map(|(n, v)| (decoded(n), decoded(v))).collect();
        let parameters = &event["queryStringParameters"];
        let parameters: Option<BTreeMap<String, String>> =
            serde_json::from_value(parameters.clone()).unwrap();
        assert_eq!(parameters.unwrap_or_default(), pairs, "{name}");

        let headers = event["headers"].as_object().unwrap();
        for header in headers.keys() {
            assert_eq!(*header, header.to_lowercase(), "{name}");
        }
        let body = text("/body").unwrap_or_default();
        let is_base64 = event["isBase64Encoded"].as_bool().unwrap();
        let length = match is_base64 {
            true => BASE64.decode(body.as_bytes()).unwrap().len(),
            false => body.len(),
        };
        assert_eq!(headers["content-length"], length.to_string(), "{name}");
        // What is no text comes in Base64.
        let of_type = text("/headers/content-type").unwrap_or_default();
        let is_binary =
            of_type.starts_with("multipart/") || headers.contains_key("content-encoding");
        assert_eq!(is_base64, is_binary, "{name}");
    }
}
