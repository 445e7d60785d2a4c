//! What a request of the customer management interface carries: a form with a file, or JSON with
//! customers.

use bytes::Bytes;
use clientele::web::{Call, Problem};
use futures::stream;
use http::StatusCode;
use multer::{Constraints, Field, Multipart, SizeLimit};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::uploads::check_filename;

/// The most fields of a form. It needs two.
const MAX_FIELDS: usize = 16;
/// The longest field of a form besides the file, in bytes.
const MAX_FIELD_BYTES: u64 = 1024;
/// Lambda takes no larger request, as base64 at that.
const MAX_FILE_BYTES: u64 = 6 * 1024 * 1024;

/// Rows for a group.
pub(super) struct Upload {
    pub(super) group: Option<String>,
    /// The file's name, if there is a file.
    pub(super) filename: Option<String>,
    pub(super) content: Bytes,
}

impl Upload {
    /// Reads the request, whichever of the two it is.
    pub(super) async fn of(call: &Call<'_>) -> Result<Self, Problem> {
        match call.media_type().as_deref() {
            Some("multipart/form-data") => {
                let boundary = call.content_type().map(multer::parse_boundary);
                let boundary = boundary.and_then(Result::ok);
                let boundary = boundary.ok_or_else(|| {
                    invalid("the content type multipart/form-data must name its boundary")
                })?;
                Self::of_form(call.body, boundary).await
            }
            _ if call.is_json() => Self::of_json(call),
            _ => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Unsupported media type",
                "send a file as multipart/form-data, or customers as application/json",
            )),
        }
    }

    fn of_json(call: &Call<'_>) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct Body {
            customer_group_id: Option<String>,
            /// As they are written: the import reads them itself.
            customers: Option<Box<RawValue>>,
            file: Option<IgnoredAny>,
        }
        let body: Body = call.object()?;
        if body.file.is_some() {
            return Err(both());
        }
        let customers: Box<str> = body.customers.ok_or_else(Problem::missing_fields)?.into();
        if !customers.starts_with('[') {
            return Err(Problem::bad_request(
                "invalid_body",
                "customers must be an array of objects",
            ));
        }
        Ok(Self {
            group: body.customer_group_id,
            filename: None,
            content: Bytes::from(customers.into_boxed_bytes()),
        })
    }

    async fn of_form(body: &[u8], boundary: String) -> Result<Self, Problem> {
        let limits = SizeLimit::new()
            .per_field(MAX_FIELD_BYTES)
            .for_field("file", MAX_FILE_BYTES);
        let body = Bytes::copy_from_slice(body);
        let body = stream::iter([Ok::<_, std::convert::Infallible>(body)]);
        let constraints = Constraints::new().size_limit(limits);
        let mut form = Multipart::with_constraints(body, boundary, constraints);
        let (mut group, mut file) = (None, None);
        let mut fields = 0;
        while let Some(field) = form.next_field().await.map_err(broken)? {
            fields += 1;
            if fields > MAX_FIELDS {
                return Err(invalid("the form has too many fields"));
            }
            match field.name() {
                Some("file") if file.is_some() => {
                    return Err(Problem::bad_request(
                        "two_files",
                        "the form has two files; send them one after the other",
                    ));
                }
                Some("file") => file = Some(read_file(field).await?),
                Some("customer_group_id") if group.is_some() => {
                    return Err(invalid("the form has two fields customer_group_id"));
                }
                Some("customer_group_id") => {
                    let text = field.bytes().await.map_err(broken)?.to_vec();
                    let text = String::from_utf8(text);
                    group = Some(text.map_err(|_| invalid("customer_group_id is not UTF-8"))?);
                }
                Some("customers") => return Err(both()),
                _ => {
                    // Read to its end, so that a broken form is not taken for a whole one.
                    field.bytes().await.map_err(broken)?;
                }
            }
        }
        let (filename, content) = file.ok_or_else(Problem::missing_fields)?;
        Ok(Self {
            group,
            filename: Some(filename),
            content,
        })
    }
}

/// A file's name, without the folders that some clients send, and its content.
async fn read_file(field: Field<'_>) -> Result<(String, Bytes), Problem> {
    let name = field.file_name().unwrap_or("file");
    let name = name
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default()
        .to_owned();
    check_filename(&name)?;
    Ok((name, field.bytes().await.map_err(broken)?))
}

fn both() -> Problem {
    Problem::bad_request(
        "file_and_customers",
        "send either a file, as multipart/form-data, or customers, as JSON, and not both",
    )
}

fn invalid(detail: &'static str) -> Problem {
    Problem::bad_request("invalid_multipart", detail)
}

/// The parser's own words may repeat what is in the form.
fn broken(error: multer::Error) -> Problem {
    match error {
        multer::Error::FieldSizeExceeded { .. } => Problem::bad_request(
            "field_too_long",
            format!("a field of the form, other than file, has more than {MAX_FIELD_BYTES} bytes"),
        ),
        _ => invalid("the form is broken or cut off; it must be multipart/form-data (RFC 7578)"),
    }
}
