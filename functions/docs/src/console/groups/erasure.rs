//! Deleting customers for good: asking, doing it, and the receipt.

use askama::Template;
use clientele::{erasure::MAX_CUSTOMERS, identity::CustomerUid};
use data_encoding::BASE64;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::group::Group;
use crate::{
    console::{
        Shown, User,
        mistakes::{Mistakes, trimmed},
    },
    site::{Page, html, no_store},
};

#[derive(Template)]
#[template(path = "console/groups/erase.html")]
struct Erase {
    page: Page,
    group: Group,
    customers: Vec<Chosen>,
    mistakes: Mistakes,
}

/// A customer who was chosen to be deleted.
struct Chosen {
    uid: String,
    /// The customer's id at the source.
    id: String,
}

/// Asks whether the customers who were chosen are to be deleted.
pub(super) async fn confirm(user: &User<'_>, id: &str) -> Shown {
    let group = Group::named(user, id).await?;
    let mistakes = wrong_number(user, user.visit.form_all("id").len());
    ask(user, group, mistakes)
}

/// That nobody was chosen, or too many were.
fn wrong_number(user: &User<'_>, chosen: usize) -> Mistakes {
    match chosen {
        0 => Mistakes::one(&user.page(), "", "erase-nobody"),
        1..=MAX_CUSTOMERS => Mistakes::none(),
        _ => Mistakes::one(&user.page(), "", "erase-too-many"),
    }
}

fn ask(user: &User<'_>, group: Group, mistakes: Mistakes) -> Shown {
    let chosen = |uid: String| Chosen {
        id: CustomerUid::parse(&uid)
            .map_or_else(|| uid.clone(), |customer| customer.external_id().to_owned()),
        uid,
    };
    let customers = user.visit.form_all("id").into_iter();
    let is_wrong = !mistakes.is_empty();
    let erase = Erase {
        page: user.page(),
        group,
        customers: customers.take(MAX_CUSTOMERS).map(chosen).collect(),
        mistakes,
    };
    let mut response = no_store(html(&erase)?);
    if is_wrong {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}

#[derive(Deserialize)]
struct Reply {
    deleted: u64,
    not_found: Vec<String>,
    receipt: Value,
}

#[derive(Template)]
#[template(path = "console/groups/erased.html")]
struct Erased {
    page: Page,
    group: Group,
    deleted: u64,
    not_found: Vec<String>,
    receipt: Option<Receipt>,
}

/// What to keep of a deletion.
struct Receipt {
    json: String,
    /// The same in base64, for a link that saves it as a file.
    base64: String,
}

/// Deletes the customers, if their number was typed.
pub(super) async fn erase(user: &User<'_>, id: &str) -> Shown {
    let group = Group::named(user, id).await?;
    let ids = user.visit.form_all("id");
    let mistakes = wrong_number(user, ids.len());
    if !mistakes.is_empty() {
        return ask(user, group, mistakes);
    }
    if trimmed(user.visit, "count") != ids.len().to_string() {
        let mistakes = Mistakes::one(&user.page(), "count", "erase-count-wrong");
        return ask(user, group, mistakes);
    }
    let body = json!({"customer_group_id": group.id, "customer_ids": ids});
    let answer = user
        .send(Method::DELETE, "/v1/customer", Some(body))
        .await?;
    let reply: Reply = answer.json()?;
    let receipt = (!reply.receipt.is_null()).then(|| {
        let json = format!("{:#}\n", reply.receipt);
        Receipt {
            base64: BASE64.encode(json.as_bytes()),
            json,
        }
    });
    let erased = Erased {
        page: user.page(),
        group,
        deleted: reply.deleted,
        not_found: reply.not_found,
        receipt,
    };
    Ok(no_store(html(&erased)?))
}
