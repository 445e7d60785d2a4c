//! The files that pages load, compiled in: nothing comes from another host.

use std::sync::OnceLock;

use clientele::web::Problem;
use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderValue, Response, header};
use lambda_http::Body;
use sha2::{Digest, Sha256};

use crate::transport::{packed, takes_gzip, vary_by_encoding};

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

pub(crate) static SITE_CSS: Asset =
    Asset::new("site.css", CSS, include_str!("../../assets/site.css"));
pub(crate) static DOCS_CSS: Asset =
    Asset::new("docs.css", CSS, include_str!("../../assets/docs.css"));
pub(crate) static CONSOLE_JS: Asset = Asset::new(
    "console.js",
    JAVASCRIPT,
    include_str!("../../assets/console.js"),
);
pub(crate) static REFERENCE_CSS: Asset = Asset::new(
    "reference.css",
    CSS,
    include_str!("../../assets/reference.css"),
);
pub(crate) static REFERENCE_JS: Asset = Asset::new(
    "reference.js",
    JAVASCRIPT,
    include_str!("../../assets/reference.js"),
);
pub(crate) static SWAGGER_UI_CSS: Asset = Asset::new(
    "swagger-ui.css",
    CSS,
    include_str!("../../assets/swagger-ui/swagger-ui.css"),
);
pub(crate) static SWAGGER_UI_JS: Asset = Asset::new(
    "swagger-ui-bundle.js",
    JAVASCRIPT,
    include_str!("../../assets/swagger-ui/swagger-ui-bundle.js"),
);
pub(crate) static ICON: Asset = Asset::new(
    "icon.svg",
    "image/svg+xml",
    include_str!("../../assets/icon.svg"),
);

static ALL: [&Asset; 8] = [
    &SITE_CSS,
    &DOCS_CSS,
    &CONSOLE_JS,
    &REFERENCE_CSS,
    &REFERENCE_JS,
    &SWAGGER_UI_CSS,
    &SWAGGER_UI_JS,
    &ICON,
];

/// The address has the content's digest in it: what is there never changes (RFC 8246).
const FOREVER: &str = "public, max-age=31536000, immutable";
/// A page of another deployment has asked.
const SHORT: &str = "public, max-age=300";
/// How many characters of the digest tell contents apart.
const VERSION_LENGTH: usize = 16;

/// A file that pages load.
pub(crate) struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
    address: OnceLock<String>,
    /// Compressed once per instance; nothing if that fails.
    packed: OnceLock<Option<Vec<u8>>>,
}

impl Asset {
    const fn new(name: &'static str, media_type: &'static str, content: &'static str) -> Self {
        Self {
            name,
            media_type,
            content,
            address: OnceLock::new(),
            packed: OnceLock::new(),
        }
    }

    /// Its path, which changes with its content: a new deployment's pages never meet old files in a
    /// browser's memory.
    pub(crate) fn address(&self) -> &str {
        self.address.get_or_init(|| {
            let mut version = HEXLOWER.encode(&Sha256::digest(self.content));
            version.truncate(VERSION_LENGTH);
            format!("/docs/assets/{version}/{}", self.name)
        })
    }

    /// The file, compressed already for who can read that.
    fn response(&self, cache_control: &'static str, request: &HeaderMap) -> Response<Body> {
        let packed = match takes_gzip(request) {
            true => self.packed.get_or_init(|| packed(self.content)).as_ref(),
            false => None,
        };
        let mut response = Response::new(match packed {
            Some(packed) => Body::Binary(packed.clone()),
            None => self.content.into(),
        });
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, Some(self.media_type)),
            (header::CACHE_CONTROL, Some(cache_control)),
            (header::CONTENT_ENCODING, packed.map(|_| "gzip")),
        ] {
            headers.extend(value.map(|value| (name, HeaderValue::from_static(value))));
        }
        vary_by_encoding(headers);
        response
    }
}

/// The file at `/docs/assets/{version}/{name}`: as it is now, whatever its version was.
pub(crate) fn asset(
    version: &str,
    name: &str,
    request: &HeaderMap,
) -> Result<Response<Body>, Problem> {
    let asset = ALL.into_iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| Problem::not_found("file"))?;
    let is_current = asset.address().split('/').rev().nth(1) == Some(version);
    let cache_control = if is_current { FOREVER } else { SHORT };
    Ok(asset.response(cache_control, request))
}
