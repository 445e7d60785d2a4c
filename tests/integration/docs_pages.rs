//! The documentation's pages, as browsers ask for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use clientele::{dataset::Dataset, language::Language};
use http::header::{self, HeaderName};
use lambda_http::{Body, Response};

use crate::docs::{ask, in_repository, text};

const DATASETS: [&str; 5] = ["customers", "meters", "contacts", "profiles", "workspace"];

pub(crate) fn page(path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut headers = headers.to_vec();
    headers.push(("accept", "text/html,*/*;q=0.8"));
    let response = ask("GET", path, &headers);
    let status = response.status().as_u16();
    let Body::Text(html) = response.into_body() else {
        panic!("{path} is no text");
    };
    (status, html)
}

fn header_of(response: &Response<Body>, name: HeaderName) -> &str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

/// A text as it stands in a page.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&#38;").replace('<', "&#60;");
    text.replace('>', "&#62;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[test]
fn every_page_is_there_in_both_languages() {
    let table = [
        ("/docs", "A registry of customers", "Un registre de clients"),
        ("/docs/customers", "How to send", "Comment envoyer"),
        (
            "/docs/meters",
            "From meters to customers",
            "Des compteurs aux clients",
        ),
        (
            "/docs/contacts",
            "Make up to a hundred",
            "En créer jusqu&#39;à cent",
        ),
        (
            "/docs/profiles",
            "Elements of addresses",
            "Éléments de addresses",
        ),
        ("/docs/workspace", "Date formats", "Formats de date"),
        (
            "/docs/errors",
            "Definitions of fields",
            "Définitions de champs",
        ),
        ("/docs/errors/near_miss", "What to do", "Que faire"),
    ];
    for (path, english, french) in table {
        let (en, fr) = (format!("/en{path}"), format!("/fr{path}"));
        let french_reader = [("accept-language", "fr-CA, en;q=0.5")];
        let variants: [(&str, &[(&str, &str)], &str, &str); 5] = [
            (path, &[], "en", english),
            (path, &french_reader, "fr", french),
            (&en, &french_reader, "en", english),
            (&fr, &[], "fr", french),
            (&format!("{fr}/"), &[], "fr", french),
        ];
        for (path, headers, lang, says) in variants {
            let (status, html) = page(path, headers);
            assert_eq!(status, 200, "{path}");
            assert!(html.contains(&format!("<html lang=\"{lang}\">")), "{path}");
            assert_eq!(html.matches("<h1>").count(), 1, "{path}");
            assert!(html.contains(says), "{path} lacks {says:?}");
            // The language switch keeps the page.
            assert!(html.contains(&format!("href=\"{en}\"")), "{path}");
            assert!(html.contains(&format!("href=\"{fr}\"")), "{path}");
        }
    }
}

#[test]
fn a_page_has_every_field_with_its_words_and_its_stored_form() {
    for dataset in Dataset::all_builtin() {
        for (lang, language) in [("en", Language::English), ("fr", Language::French)] {
            let path = format!("/{lang}/docs/{}", dataset.name());
            let (_, html) = page(&path, &[]);
            // French has spaces that do not break a line.
            let html = html.replace(['\u{a0}', '\u{202f}'], " ");
            let has_headers = html.contains("<summary>Other headers</summary>")
                || html.contains("<summary>Autres en-têtes</summary>");
            assert_eq!(has_headers, dataset.event().is_none(), "{path}");
            for field in dataset.fields() {
                let at = format!("{path}#{}", field.name);
                let anchor = format!("<tr id=\"field-{}\"", field.name);
                assert_eq!(html.matches(&anchor).count(), 1, "{at}");
                let description = field.description.in_language(language);
                assert!(html.contains(&escaped(description)), "{at}");
                // Members of events are read by their own names alone.
                let is_event = dataset.event().is_some();
                for alias in field.aliases.iter().filter(|_| !is_event) {
                    assert!(html.contains(&escaped(alias)), "{at}: {alias}");
                }
                for inner in &field.fields {
                    let anchor = format!("<tr id=\"field-{}-{}\"", field.name, inner.name);
                    assert_eq!(html.matches(&anchor).count(), 1, "{at}.{}", inner.name);
                }
            }
        }
    }
    let (_, meters) = page("/docs/meters", &[]);
    for stored in [
        "6a099e5c63f0138de7b3dfa7e03c17e551ea23e53c6399a2f0d490d5d87457de",
        "<code>12.1235</code>",
        "<code>12.124</code>",
        "1-generic-1-1-hop-A1233754345JL",
    ] {
        assert!(meters.contains(stored), "{stored}");
    }
}

#[test]
fn links_within_a_page_lead_to_a_place_in_it() {
    let pages = DATASETS.map(|name| format!("/docs/{name}"));
    for path in pages.iter().map(String::as_str).chain(["/docs/errors"]) {
        let (_, html) = page(path, &[]);
        let links = html.split("href=\"#").skip(1);
        let mut found = 0;
        for link in links {
            let (id, _) = link.split_once('"').unwrap();
            assert_eq!(
                html.matches(&format!("id=\"{id}\"")).count(),
                1,
                "{path}#{id}"
            );
            found += 1;
        }
        assert!(found > 4, "{path}");
    }
}

#[test]
fn example_files_are_downloads() {
    let table = [
        ("csv", "text/csv; charset=utf-8"),
        (
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        ("json", "application/json"),
    ];
    for dataset in DATASETS {
        for (extension, media_type) in table {
            for lang in ["", "/en", "/fr"] {
                let path = format!("{lang}/docs/{dataset}/example.{extension}");
                let response = ask("GET", &path, &[]);
                assert_eq!(response.status(), 200, "{path}");
                assert_eq!(header_of(&response, header::CONTENT_TYPE), media_type);
                let disposition = header_of(&response, header::CONTENT_DISPOSITION);
                let filename = format!("attachment; filename=\"{dataset}-example.{extension}\"");
                assert_eq!(disposition, filename);
                assert!(response.body().len() > 200, "{path}");
            }
        }
    }
}

#[test]
fn what_is_not_documented_is_not_found() {
    for path in [
        "/docs/nothing",
        "/docs/Customers",
        "/docs/customers/example",
        "/docs/customers/example.pdf",
        "/docs/customers/example.csv/x",
        "/docs/nothing/example.csv",
        "/docs/errors/nothing/x",
        "/de/docs",
    ] {
        let (status, html) = page(path, &[]);
        assert_eq!(status, 404, "{path}");
        assert!(html.contains("<h1>"), "{path}");
    }
}

/// The ids of messages that a file defines.
fn defined(ftl: &str) -> BTreeSet<String> {
    let lines = text(ftl).lines().map(str::to_owned).collect::<Vec<_>>();
    let ids = lines.iter().filter_map(|line| line.split_once(" ="));
    let is_id = |id: &str| id.starts_with(|c: char| c.is_ascii_lowercase()) && !id.contains(' ');
    ids.filter(|(id, _)| is_id(id))
        .map(|(id, _)| id.to_owned())
        .collect()
}

fn files_below(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files_below(&path, found),
            false => found.push(std::fs::read_to_string(&path).unwrap()),
        }
    }
}

#[test]
fn every_word_of_a_page_is_there_in_both_languages() {
    let mut words: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for lang in ["en", "fr"] {
        let folder = in_repository(&format!("functions/docs/text/{lang}"));
        for file in std::fs::read_dir(folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let ids = defined(&format!("functions/docs/text/{lang}/{name}"));
            words.entry(lang).or_default().extend(ids);
        }
    }
    assert_eq!(words["en"], words["fr"]);
    let mut sources = Vec::new();
    files_below(&in_repository("functions/docs/templates"), &mut sources);
    files_below(&in_repository("functions/docs/src"), &mut sources);
    let mut said = 0;
    for source in &sources {
        for call in [
            "say(\"", "fill(\"", "count(\"", "rule(\"", "\"type-", "\"badge-",
        ] {
            for rest in source.split(call).skip(1) {
                let (id, _) = rest.split_once('"').unwrap();
                let prefix = call.strip_prefix('"').unwrap_or_default();
                let id = format!("{prefix}{id}");
                let is_id = id
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                // `{}` stands for what the code fills in.
                if is_id {
                    assert!(words["en"].contains(&id), "nothing is said for {id}");
                    said += 1;
                }
            }
        }
    }
    assert!(said > 100, "{said}");
}
