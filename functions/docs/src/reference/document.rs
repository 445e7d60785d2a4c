//! An OpenAPI 3.1 document as types: the objects and members that are used, in the order in which
//! people read them.

use std::borrow::Cow;

use clientele::dataset::schema::{Members, Schema};
use serde::Serialize;
use serde_json::Value;

/// The version of the specification.
pub(super) const OPENAPI: &str = "3.1.1";

type Text = Cow<'static, str>;

/// The document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    pub(super) openapi: &'static str,
    pub(super) info: Info,
    pub(super) servers: Vec<Server>,
    pub(super) tags: Vec<Tag>,
    pub(super) paths: Members<Members<Operation>>,
    pub(super) components: Components,
}

#[derive(Serialize)]
pub(super) struct Info {
    pub(super) title: &'static str,
    pub(super) version: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) license: Value,
}

#[derive(Serialize)]
pub(super) struct Server {
    pub(super) url: String,
}

/// A group of operations.
#[derive(Serialize)]
pub(super) struct Tag {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
}

/// One method of one path.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) tags: [&'static str; 1],
    pub(super) summary: &'static str,
    pub(super) description: String,
    pub(super) operation_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) parameters: Vec<Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_body: Option<RequestBody>,
    pub(super) responses: Members<Response>,
    pub(super) security: Vec<Value>,
    #[serde(rename = "x-scope", skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<&'static str>,
}

#[derive(Clone, Serialize)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) r#in: &'static str,
    pub(super) description: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) required: bool,
    pub(super) schema: Schema,
}

impl Parameter {
    /// A part of the path.
    pub(super) fn path(name: &'static str, description: &'static str, schema: Schema) -> Self {
        Self {
            name,
            r#in: "path",
            description,
            required: true,
            schema,
        }
    }

    /// A part of the query, which may be left out.
    pub(super) fn query(name: &'static str, description: &'static str, schema: Schema) -> Self {
        Self {
            name,
            r#in: "query",
            description,
            required: false,
            schema,
        }
    }

    /// A header, which may be left out.
    pub(super) fn header(name: &'static str, description: &'static str, schema: Schema) -> Self {
        Self {
            name,
            r#in: "header",
            description,
            required: false,
            schema,
        }
    }
}

#[derive(Serialize)]
pub(super) struct RequestBody {
    pub(super) required: bool,
    pub(super) content: Members<MediaType>,
}

impl RequestBody {
    /// A body of one media type.
    pub(super) fn of(media_type: &'static str, content: MediaType) -> Self {
        Self {
            required: true,
            content: Members(vec![(media_type.into(), content)]),
        }
    }

    /// A body in JSON, with an example.
    pub(super) fn json(schema: Schema, example: Value) -> Self {
        Self::of("application/json", MediaType::of(schema).example(example))
    }

    /// The same, or of another media type.
    pub(super) fn or(mut self, media_type: &'static str, content: MediaType) -> Self {
        self.content.0.push((media_type.into(), content));
        self
    }
}

#[derive(Default, Serialize)]
pub(super) struct MediaType {
    pub(super) schema: Schema,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Value>,
    #[serde(skip_serializing_if = "has_none")]
    examples: Members<Example>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<Value>,
}

fn has_none(members: &Members<Example>) -> bool {
    members.0.is_empty()
}

impl MediaType {
    pub(super) fn of(schema: Schema) -> Self {
        Self {
            schema,
            ..Self::default()
        }
    }

    pub(super) fn example(mut self, example: Value) -> Self {
        self.example = Some(example);
        self
    }

    /// One of several examples, by a name.
    pub(super) fn named(mut self, name: &'static str, value: Value) -> Self {
        let summary = name;
        self.examples
            .0
            .push((name.into(), Example { summary, value }));
        self
    }

    /// What the parts of a form are.
    pub(super) fn encoded(mut self, encoding: Value) -> Self {
        self.encoding = Some(encoding);
        self
    }
}

#[derive(Serialize)]
struct Example {
    summary: &'static str,
    value: Value,
}

#[derive(Default, Serialize)]
pub(super) struct Response {
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: Text,
    #[serde(skip_serializing_if = "has_no_headers")]
    pub(super) headers: Members<Header>,
    #[serde(skip_serializing_if = "has_no_content")]
    pub(super) content: Members<MediaType>,
}

fn has_no_headers(members: &Members<Header>) -> bool {
    members.0.is_empty()
}

fn has_no_content(members: &Members<MediaType>) -> bool {
    members.0.is_empty()
}

impl Response {
    /// One of the document's responses.
    pub(super) fn at(name: &str) -> Self {
        Self {
            reference: Some(format!("#/components/responses/{name}")),
            ..Self::default()
        }
    }

    /// A response without a body.
    pub(super) fn empty(description: impl Into<Text>) -> Self {
        Self {
            description: description.into(),
            ..Self::default()
        }
    }

    /// A response of a media type.
    pub(super) fn of(
        description: impl Into<Text>,
        media_type: &'static str,
        schema: Schema,
    ) -> Self {
        Self {
            content: Members(vec![(media_type.into(), MediaType::of(schema))]),
            ..Self::empty(description)
        }
    }

    /// A response in JSON.
    pub(super) fn json(description: impl Into<Text>, schema: Schema) -> Self {
        Self::of(description, "application/json", schema)
    }

    /// The same, or of another media type.
    pub(super) fn or(mut self, media_type: &'static str, schema: Schema) -> Self {
        let content = MediaType::of(schema);
        self.content.0.push((media_type.into(), content));
        self
    }

    /// The same with a header that is always there.
    pub(super) fn with_header(self, name: &'static str, header: Header) -> Self {
        self.with_optional_header(name, header.required())
    }

    /// The same with a header that may be there.
    pub(super) fn with_optional_header(mut self, name: &'static str, header: Header) -> Self {
        self.headers.0.push((name.into(), header));
        self
    }
}

#[derive(Default, Serialize)]
pub(super) struct Header {
    #[serde(rename = "$ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Schema>,
}

impl Header {
    pub(super) fn new(description: &'static str, schema: Schema) -> Self {
        Self {
            description,
            schema: Some(schema),
            ..Self::default()
        }
    }

    /// One of the document's headers.
    pub(super) fn at(name: &str) -> Self {
        Self {
            reference: Some(format!("#/components/headers/{name}")),
            ..Self::default()
        }
    }

    /// The same, which is always there.
    pub(super) fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Components {
    pub(super) schemas: Members<Schema>,
    pub(super) responses: Members<Response>,
    pub(super) headers: Members<Header>,
    pub(super) security_schemes: Members<Value>,
}
