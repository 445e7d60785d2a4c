//! Where the documentation is served.

use std::borrow::Cow;

/// `DOCS_URL`: the address of `/docs`; error types link below it.
///
/// Unless it is set, the documentation is where the API is: on the host that the client called,
/// which a first deployment does not know before it has been made.
#[derive(Debug, Clone, Default)]
pub struct DocsUrl(Option<String>);

impl DocsUrl {
    /// A fixed address, with or without a slash at its end. An empty one counts as unset.
    pub fn new(address: &str) -> Self {
        let address = address.trim_end_matches('/');
        Self((!address.is_empty()).then(|| address.to_owned()))
    }

    /// Reads the process environment, for a function that needs no other setting.
    pub fn from_env() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    pub(super) fn from_lookup(lookup: impl Fn(&'static str) -> Option<String>) -> Self {
        Self::new(&lookup("DOCS_URL").unwrap_or_default())
    }

    /// The address, without a slash at its end, for a client that called a host. API Gateway
    /// finds an API by the `Host` header, so the host is one that it serves.
    pub fn for_host(&self, host: &str) -> Cow<'_, str> {
        match &self.0 {
            Some(address) => Cow::Borrowed(address),
            None => Cow::Owned(format!("https://{host}/docs")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unless_it_is_set_the_documentation_is_where_the_api_is() {
        let api = "abc123.execute-api.eu-west-1.amazonaws.com";
        let there = "https://abc123.execute-api.eu-west-1.amazonaws.com/docs";
        let table = [
            (None, there),
            (Some(""), there),
            (Some("/"), there),
            (
                Some("https://registry.example/docs"),
                "https://registry.example/docs",
            ),
            (
                Some("https://registry.example/docs/"),
                "https://registry.example/docs",
            ),
        ];
        for (setting, expected) in table {
            let setting = setting.map(str::to_owned);
            let docs_url =
                DocsUrl::from_lookup(|name| (name == "DOCS_URL").then(|| setting.clone())?);
            assert_eq!(docs_url.for_host(api), expected, "{setting:?}");
        }
    }
}
