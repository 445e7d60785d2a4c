//! What anyone may read.

use clientele::dataset::{
    Dataset,
    schema::{Members, Schema},
    workspace::WORKSPACE,
};

use super::{
    component,
    document::{Operation, Parameter, Response},
    replies::{etag, if_none_match, public},
};
use crate::datasets::ExampleFormat;

const HTML: &str = "text/html";

struct Page {
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    media_types: Vec<&'static str>,
    parameters: Vec<Parameter>,
}

/// Paths and what their GET does.
pub(super) fn operations() -> Vec<(&'static str, Operation)> {
    let pages = documents().into_iter().chain(pages());
    pages.map(|page| (page.path, operation(page))).collect()
}

/// Documents for programs.
fn documents() -> [Page; 2] {
    let files = datasets().map(|name| format!("{name}.json"));
    let file = Parameter::path("file", "The dataset, and .json.", Schema::choice(files));
    [
        Page {
            path: "/schemas/{file}",
            id: "readSchema",
            summary: "The JSON Schema of a dataset's rows, of CUSTOMER events, or of a workspace's definition",
            media_types: vec!["application/schema+json"],
            parameters: vec![file],
        },
        Page {
            path: "/openapi.json",
            id: "readOpenApi",
            summary: "This document",
            media_types: vec!["application/json"],
            parameters: Vec::new(),
        },
    ]
}

/// Pages for people, and files to begin with.
fn pages() -> [Page; 7] {
    let page = |path, id, summary, parameters| Page {
        path,
        id,
        summary,
        media_types: vec![HTML],
        parameters,
    };
    let dataset = || Parameter::path("dataset", "The dataset.", Schema::choice(datasets()));
    let language = Schema::choice(["en", "fr"]);
    let language = Parameter::path("language", "English or French.", language);
    let files = ExampleFormat::ALL.map(|format| format!("example.{}", format.extension()));
    let file = Parameter::path("file", "The file.", Schema::choice(files));
    let code = Schema::of("string").example("decimal_comma");
    let code = Parameter::path("code", "The code.", code);
    let in_language = vec![language, dataset()];
    [
        page(
            "/docs",
            "readDocumentation",
            "The documentation",
            Vec::new(),
        ),
        page(
            "/docs/api",
            "readReference",
            "This document as a page",
            Vec::new(),
        ),
        page("/docs/errors", "readErrors", "Every error code", Vec::new()),
        page(
            "/docs/errors/{code}",
            "readError",
            "What an error code means",
            vec![code],
        ),
        page(
            "/docs/{dataset}",
            "readDataset",
            "A dataset's fields",
            vec![dataset()],
        ),
        page(
            "/{language}/docs/{dataset}",
            "readDatasetIn",
            "A dataset's fields, in a language; other pages have one likewise",
            in_language,
        ),
        Page {
            media_types: ExampleFormat::ALL.map(ExampleFormat::media_type).into(),
            ..page(
                "/docs/{dataset}/{file}",
                "readExample",
                "A file of examples, which imports as it is",
                vec![dataset(), file],
            )
        },
    ]
}

fn datasets() -> impl Iterator<Item = &'static str> {
    let builtin = Dataset::all_builtin().iter().map(|dataset| dataset.name());
    builtin.chain([WORKSPACE])
}

fn operation(page: Page) -> Operation {
    let found = page.media_types.iter().map(|media_type| {
        let schema = match *media_type {
            HTML => Schema::of("string"),
            // An object or, of events, an array of them; or no JSON at all.
            _ => Schema::default(),
        };
        (*media_type, schema)
    });
    let found = found.fold(
        Response::empty("The document."),
        |reply, (media_type, schema)| reply.or(media_type, schema),
    );
    let is_kept = page.path == "/openapi.json" || page.path.starts_with("/schemas");
    let mut parameters = page.parameters;
    let has_none = parameters.is_empty();
    let mut replies = Vec::new();
    match is_kept {
        true => {
            let unchanged = Response::empty("You have it already.").with_header("ETag", etag());
            replies.push(("200", public(found.with_header("ETag", etag()))));
            replies.push(("304", public(unchanged)));
            parameters.push(if_none_match());
        }
        false => replies.push(("200", public(found))),
    }
    if !has_none {
        let missing = Response::of(
            "There is no such thing.",
            "application/problem+json",
            component("Problem"),
        );
        replies.push(("404", public(missing.or(HTML, Schema::of("string")))));
    }
    let replies = replies.into_iter();
    Operation {
        tags: ["Documentation"],
        summary: page.summary,
        description: "Open to everyone.".to_owned(),
        operation_id: page.id.to_owned(),
        parameters,
        request_body: None,
        responses: Members(
            replies
                .map(|(status, reply)| (status.into(), reply))
                .collect(),
        ),
        // Nobody needs to sign in.
        security: Vec::new(),
        scope: None,
    }
}
