//! `/console/fields`: the fields of the organization's workspace, as a form.

mod enum_values;
mod form;
mod mistakes;
mod save;
mod stored;

use askama::Template;
use clientele::{dataset::DateFormat, web::Scope};
use http::StatusCode;
use iso_currency::{Currency, IntoEnumIterator};

use super::{Shown, User, mistakes::Mistakes};
use crate::site::{Page, html, no_store};
use form::{FieldsForm, TYPES};
use stored::Stored;

/// The form, with what it offers.
#[derive(Template)]
#[template(path = "console/fields/form.html")]
struct Shows {
    page: Page,
    form: FieldsForm,
    /// Whether the fields were just saved.
    is_saved: bool,
    may_change: bool,
    date_formats: Vec<&'static str>,
    /// Codes and names.
    currencies: Vec<(String, String)>,
    mistakes: Mistakes,
}

/// Answers a request to `/console/fields`.
pub(crate) async fn answer(user: &User<'_>) -> Shown {
    if user.visit.is_read() {
        let stored: Stored = user.get("/v1/workspace/fields").await?;
        let form = FieldsForm::of_stored(stored);
        return show(user, form, Mistakes::none(), StatusCode::OK);
    }
    let mut form = FieldsForm::of_request(user.visit.body);
    let wanted = user.visit.form("do").unwrap_or_default();
    match wanted.as_str() {
        "save" => save::save(user, form).await,
        wanted => {
            form.change(wanted, &user.page());
            show(user, form, Mistakes::none(), StatusCode::OK)
        }
    }
}

fn show(user: &User<'_>, form: FieldsForm, mistakes: Mistakes, status: StatusCode) -> Shown {
    let shows = Shows {
        page: user.page(),
        is_saved: user.visit.query("done").is_some(),
        may_change: user.claims().has(Scope::WorkspaceAdmin),
        date_formats: DateFormat::all().map(DateFormat::as_str).collect(),
        currencies: Currency::iter()
            .map(|currency| (currency.code().to_owned(), currency.name().to_owned()))
            .collect(),
        form,
        mistakes,
    };
    let mut response = no_store(html(&shows)?);
    *response.status_mut() = status;
    Ok(response)
}
