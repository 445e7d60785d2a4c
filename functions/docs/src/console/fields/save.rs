//! Saving the fields: the API decides, and what it refuses stands at its input.

use http::Method;
use serde_json::json;

use super::{form::FieldsForm, mistakes::mistakes, show};
use crate::{
    console::{Shown, User},
    site::redirect,
};

/// Replaces the workspace's fields by the form's. The same form twice changes nothing.
pub(super) async fn save(user: &User<'_>, form: FieldsForm) -> Shown {
    let body = json!({"fields": form.to_fields(), "version": form.version});
    let path = "/v1/workspace/fields";
    match user.attempt(Method::PUT, path, Some(body)).await? {
        Ok(_) => Ok(redirect(&user.page().link("/console/fields?done=saved"))?),
        Err(refusal) => {
            let page = user.page();
            let mistakes = mistakes(&page, &form, &refusal);
            show(user, form, mistakes, refusal.status)
        }
    }
}
