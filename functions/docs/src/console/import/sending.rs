//! `POST /console/import`: a file from a browser without scripts, through this function.

use futures::stream;
use http::header;
use multer::Multipart;

use super::form::{Target, form};
use crate::{
    api::Question,
    console::{Shown, User},
    site::redirect,
};

/// Puts the form's file where uploads go, and leads to its job. API Gateway hands no more than
/// 6 MB to a function, a third of which base64 takes.
pub(crate) async fn send(user: &User<'_>) -> Shown {
    let Some((target, content)) = read(user).await else {
        return form(user, Some(user.page().say("import-no-file"))).await;
    };
    let upload = match target.announce(user).await? {
        Ok(upload) => upload,
        Err(message) => return form(user, Some(message)).await,
    };
    let page = upload.page(user);
    let put = Question::put(upload.url, upload.headers, content);
    let answer = user.visit.docs.api.ask(put).await?;
    match answer.status.is_success() {
        true => Ok(redirect(&page)?),
        false => form(user, Some(user.page().say("import-not-sent"))).await,
    }
}

async fn read(user: &User<'_>) -> Option<(Target, Vec<u8>)> {
    let boundary = multer::parse_boundary(user.visit.header(header::CONTENT_TYPE)).ok()?;
    let body = user.visit.body.to_vec();
    let mut parts = Multipart::new(stream::iter([Ok::<_, std::io::Error>(body)]), boundary);
    let mut target = Target {
        dataset: String::new(),
        source: String::new(),
        group: String::new(),
        filename: String::new(),
        mode: "write".to_owned(),
    };
    let mut content = None;
    while let Some(part) = parts.next_field().await.ok()? {
        let name = part.name().unwrap_or_default().to_owned();
        let filename = part.file_name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.ok()?;
        let text = || String::from_utf8_lossy(&bytes).into_owned();
        match name.as_str() {
            "dataset" => target.dataset = text(),
            "source" => target.source = text(),
            "group" => target.group = text(),
            "mode" => target.mode = text(),
            "file" if !filename.is_empty() => {
                target.filename = filename;
                content = Some(bytes.to_vec());
            }
            _ => {}
        }
    }
    Some((target, content?))
}
