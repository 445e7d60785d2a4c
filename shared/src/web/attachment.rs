//! Files to download (RFC 6266).

use http::{HeaderValue, Response, header};

/// A reply that a browser saves under a name. Nothing on the way may keep it.
pub fn attachment(content: String, content_type: &'static str, filename: &str) -> Response<String> {
    let mut response = Response::new(content);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&disposition(filename)) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// The name twice: as ASCII for old clients, and in full (RFC 8187).
fn disposition(filename: &str) -> String {
    let plain = |c: char| match c {
        '"' | '\\' | '/' | '%' => '_',
        ' '..='~' => c,
        _ => '_',
    };
    let ascii: String = filename.chars().map(plain).collect();
    let encoded: String = url::form_urlencoded::byte_serialize(filename.as_bytes()).collect();
    let encoded = encoded.replace('+', "%20").replace('*', "%2A");
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_given_in_ascii_and_in_full() {
        let table = [
            (
                "rejected-a.csv",
                r#"attachment; filename="rejected-a.csv"; filename*=UTF-8''rejected-a.csv"#,
            ),
            (
                "été + 100%.csv",
                r#"attachment; filename="_t_ + 100_.csv"; filename*=UTF-8''%C3%A9t%C3%A9%20%2B%20100%25.csv"#,
            ),
            (
                "a\"; x=\"\r\n*.csv",
                r#"attachment; filename="a_; x=___*.csv"; filename*=UTF-8''a%22%3B%20x%3D%22%0D%0A%2A.csv"#,
            ),
        ];
        for (name, expected) in table {
            assert_eq!(disposition(name), expected, "{name:?}");
            assert!(HeaderValue::from_str(&disposition(name)).is_ok());
        }
    }
}
