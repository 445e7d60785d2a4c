//! What anyone may read.

use clientele::dataset::{Dataset, schema::Schema};

use super::{
    document::{Operation, Parameter, Response},
    replies::{etag, public, refused},
};
use clientele::dataset::schema::Members;

struct Page {
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    media_type: &'static str,
    parameters: Vec<Parameter>,
}

/// Paths and what their GET does.
pub(super) fn operations() -> Vec<(&'static str, Operation)> {
    pages()
        .into_iter()
        .map(|page| (page.path, operation(page)))
        .collect()
}

fn pages() -> Vec<Page> {
    let names = Dataset::all_builtin().iter().map(|dataset| dataset.name());
    let files = names
        .chain(["workspace"])
        .map(|name| format!("{name}.json"));
    let file = Parameter::path("file", "The dataset, and .json.", Schema::choice(files));
    vec![
        Page {
            path: "/schemas/{file}",
            id: "readSchema",
            summary: "A dataset's JSON Schema",
            media_type: "application/schema+json",
            parameters: vec![file],
        },
        Page {
            path: "/openapi.json",
            id: "readOpenApi",
            summary: "This document",
            media_type: "application/json",
            parameters: Vec::new(),
        },
        Page {
            path: "/docs/api",
            id: "readReference",
            summary: "This document as a page",
            media_type: "text/html",
            parameters: Vec::new(),
        },
    ]
}

fn operation(page: Page) -> Operation {
    let is_page = page.media_type == "text/html";
    let content = match is_page {
        true => Schema::of("string"),
        false => Schema::of("object"),
    };
    let mut found = public(Response::of("It.", page.media_type, content));
    if !is_page {
        found = found.with_header("ETag", etag());
    }
    let mut replies = vec![("200", found)];
    if !page.parameters.is_empty() {
        replies.push(("404", public(refused("There is no such thing."))));
    }
    let replies = replies.into_iter();
    Operation {
        tags: ["Documentation"],
        summary: page.summary,
        description: "Open to everyone.".to_owned(),
        operation_id: page.id.to_owned(),
        parameters: page.parameters,
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
