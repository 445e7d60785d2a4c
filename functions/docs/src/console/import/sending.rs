//! `POST /console/import`: a file from a browser without scripts, through this function.

use futures::stream;
use http::{Method, StatusCode, header};
use multer::Multipart;

use super::form::{Target, form, refused};
use crate::{
    api::Question,
    console::{Shown, User, mistakes::Mistakes},
    site::redirect,
};

/// Puts the form's file where uploads go, and leads to its job. API Gateway hands no more than
/// 6 MB to a function, of which base64 leaves 4.5.
pub(crate) async fn send(user: &User<'_>) -> Shown {
    let page = user.page();
    let (target, content) = read(user).await;
    let Some(content) = content else {
        let mistakes = Mistakes::one(&page, "file", "import-no-file");
        return form(user, target, mistakes, StatusCode::BAD_REQUEST).await;
    };
    let upload = match target.announce(user).await? {
        Ok(upload) => upload,
        Err(refusal) => {
            let mistakes = refused(&page, &refusal);
            return form(user, target, mistakes, refusal.status).await;
        }
    };
    let job = upload.page(user);
    let put = Question::put(upload.url, upload.headers, content);
    let answer = user.visit.docs.api.ask(put, user.visit.deadline).await;
    match answer.map(|answer| answer.status) {
        // 412: the same form was sent before, and its file is there.
        Ok(StatusCode::PRECONDITION_FAILED) => return Ok(redirect(&job)?),
        Ok(status) if status.is_success() => return Ok(redirect(&job)?),
        refused => {
            let request_id = user.visit.request_id;
            tracing::error!(?refused, request_id, "the bucket does not take an upload");
        }
    }
    // Nobody will send the file that the job waits for. Where this fails, it ends by itself.
    let cancel = format!("{}/cancel", upload.job);
    let _ = user.attempt(Method::POST, &cancel, None).await;
    let mistakes = Mistakes::one(&page, "file", "import-not-sent");
    form(user, target, mistakes, StatusCode::BAD_GATEWAY).await
}

/// What the form says, as far as it can be read, and its file.
async fn read(user: &User<'_>) -> (Target, Option<Vec<u8>>) {
    let mut target = Target {
        mode: "write".to_owned(),
        ..Target::default()
    };
    let content = read_into(&mut target, user).await;
    (target, content)
}

async fn read_into(target: &mut Target, user: &User<'_>) -> Option<Vec<u8>> {
    let boundary = multer::parse_boundary(user.visit.header(header::CONTENT_TYPE)).ok()?;
    let body = user.visit.body.to_vec();
    let mut parts = Multipart::new(stream::iter([Ok::<_, std::io::Error>(body)]), boundary);
    let (mut content, mut all) = (None, false);
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
            "all" => all = true,
            "once" => target.once = text(),
            "file" if !filename.is_empty() => {
                target.filename = filename;
                content = Some(bytes.to_vec());
            }
            _ => {}
        }
    }
    if all && target.mode == "write" {
        target.mode = "all_or_nothing".to_owned();
    }
    content
}
