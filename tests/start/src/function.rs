//! What each function is asked first.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{Error, endpoint::Endpoint};

/// A function and an event that it answers.
pub(crate) struct Function {
    /// The name of its binary.
    pub(crate) name: &'static str,
    /// A file in `events/`.
    event: &'static str,
    /// What the answer must have in it, so that no failure is measured.
    pub(crate) answers: &'static str,
}

/// An event that asks for nothing.
pub(crate) const HELLO: Function = Function {
    name: "hello",
    event: "",
    answers: "hello, world",
};

/// The requests have a token that the table does not know: one call, and they are refused. The
/// event is of a sender who is not listed.
pub(crate) const FUNCTIONS: [Function; 6] = [
    Function {
        name: "api",
        event: "api_settings.json",
        answers: "errors/unauthenticated",
    },
    Function {
        name: "pages",
        event: "pages_customer.json",
        answers: "errors/unauthenticated",
    },
    Function {
        name: "docs",
        event: "docs_schema.json",
        answers: "\"statusCode\":200",
    },
    Function {
        name: "import",
        event: "s3_put_foreign_key.json",
        answers: "null",
    },
    Function {
        name: "events",
        event: "eventbridge_customer.json",
        answers: "UnknownSource",
    },
    Function {
        name: "verify",
        event: "verify.json",
        answers: "\"clean\":true",
    },
];

impl Function {
    /// Its event as Lambda hands it over.
    pub(crate) fn event(&self) -> Result<String, Error> {
        if self.event.is_empty() {
            return Ok(json!({}).to_string());
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
        let event = std::fs::read_to_string(folder.join(self.event))?;
        let event: Value = serde_json::from_str(&event)?;
        Ok(event
            .to_string()
            .replace("Bearer TOKEN", &format!("Bearer {}", unknown_token())))
    }

    /// Its binary, as Cargo or as cargo-lambda leaves it in a folder.
    pub(crate) fn binary(&self, folder: &Path) -> Result<PathBuf, Error> {
        let of_cargo = folder.join(self.name);
        let of_cargo_lambda = of_cargo.join("bootstrap");
        let found = [of_cargo, of_cargo_lambda]
            .into_iter()
            .find(|path| path.is_file());
        found.ok_or_else(|| {
            format!("{} has no {}: build it first", folder.display(), self.name).into()
        })
    }
}

/// A source's token in its form, which nobody was given.
fn unknown_token() -> String {
    format!(
        "clientele_src_{}",
        data_encoding::BASE64URL_NOPAD.encode(&[7; 32])
    )
}

/// What Lambda and the template put in a function's environment, with everything of AWS at the
/// endpoint.
pub(crate) fn environment<'a>(endpoint: &Endpoint, key_file: &Path) -> Vec<(&'a str, String)> {
    let url = format!("https://localhost:{}", endpoint.address.port());
    let path = |path: &Path| path.display().to_string();
    vec![
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", "start".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_DEFAULT_REGION", "eu-west-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
        ("AWS_SESSION_TOKEN", "session".to_owned()),
        ("AWS_ENDPOINT_URL", url),
        ("AWS_CA_BUNDLE", path(&endpoint.authority())),
        ("SSL_CERT_FILE", path(&endpoint.all_roots())),
        ("TABLE_NAME", "clientele".to_owned()),
        ("BUCKET_NAME", "clientele".to_owned()),
        ("MASTER_KEY_FILE", path(key_file)),
        ("JWT_ISSUER", "https://issuer.example".to_owned()),
        ("JWT_AUDIENCE", "clientele".to_owned()),
        ("JWKS", "https://issuer.example/jwks.json".to_owned()),
        ("DOCS_URL", "https://docs.example/docs".to_owned()),
        (
            "EVENT_SOURCES",
            "com.example.loyalty@210987654321=1".to_owned(),
        ),
    ]
}
